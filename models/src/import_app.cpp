#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/nn/foreign_weights.hpp"
#include "aceso/nn/model_folder.hpp"
#include "apps.hpp"
#include "chemprop.hpp"
#include "esm.hpp"
#include "hdf5_file.hpp"
#include "keras.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

namespace aceso::models {
namespace fs = std::filesystem;
namespace {

struct Job {
  std::string from = "hf";
  fs::path weights;
  std::optional<fs::path> config, vocabulary;
  std::optional<fs::path> output;
  std::string name, licence, intended_use, training_data;
  int heads = 0;
  std::string molecule_features = "none";
};

/// The first of `names` that is in `folder`.
std::optional<fs::path> first_file(const fs::path& folder,
                                   std::initializer_list<const char*> names) {
  std::error_code ignored;
  for (const char* name : names)
    if (fs::is_regular_file(folder / name, ignored)) return folder / name;
  return std::nullopt;
}

/// Where the parts of a Hugging Face checkpoint are.
struct Checkpoint {
  fs::path weights;
  std::optional<fs::path> config, vocabulary;
};

Checkpoint find_parts(const Job& job) {
  Checkpoint parts{job.weights, job.config, job.vocabulary};
  if (!fs::is_directory(job.weights)) return parts;
  const auto weights = first_file(job.weights, {"model.safetensors", "pytorch_model.bin"});
  if (!weights)
    fail(Errc::CorruptData, "{}: expected model.safetensors or pytorch_model.bin in this folder{}",
         job.weights.string(),
         fs::exists(job.weights / "model.safetensors.index.json")
             ? ", found weights in several files, which are not supported"
             : "");
  parts.weights = *weights;
  if (!parts.config) parts.config = first_file(job.weights, {"config.json"});
  if (!parts.vocabulary) parts.vocabulary = first_file(job.weights, {"vocab.txt"});
  return parts;
}

Imported import_hugging_face(const Job& job, Warnings& warnings) {
  const Checkpoint parts = find_parts(job);
  if (!parts.config)
    fail(Errc::CorruptData, "{}: config.json is missing; it belongs beside the weights",
         job.weights.string());
  const Json config = parse_json(read_file(*parts.config), parts.config->string());
  std::optional<std::string> vocabulary;
  if (parts.vocabulary) vocabulary = read_file(*parts.vocabulary);
  return from_hugging_face(config, vocabulary, nn::read_foreign_weights(parts.weights).tensors,
                           job.weights.string(), warnings);
}

/// What a fair-esm checkpoint says of its net: {"cfg": {"model": …}} or {"args": …}.
Json fair_esm_settings(const Json& values) {
  if (!values.is_object()) return nullptr;
  for (const char* place : {"args", "cfg"}) {
    const auto found = values.find(place);
    if (found == values.end() || !found->is_object()) continue;
    const auto model = found->find("model");
    return model != found->end() && model->is_object() ? *model : *found;
  }
  return nullptr;
}

Imported import_fair_esm(const Job& job, Warnings& warnings) {
  if (fs::is_directory(job.weights))
    fail(Errc::InvalidArgument, "{}: fair-esm weights are one .pt file, this is a folder",
         job.weights.string());
  const nn::ForeignWeights foreign = nn::read_foreign_weights(job.weights);
  return from_fair_esm(fair_esm_settings(foreign.values), foreign.tensors, job.heads,
                       job.weights.string(), warnings);
}

std::string default_name(const fs::path& weights) {
  const fs::path plain = weights.has_filename() ? weights : weights.parent_path();
  return fs::is_directory(plain) ? plain.filename().string() : plain.stem().string();
}

/// One file, or all files with these endings below a folder.
std::vector<fs::path> checkpoint_files(const fs::path& weights,
                                       const std::vector<std::string>& endings) {
  if (!fs::is_directory(weights)) return {weights};
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(weights))
    if (entry.is_regular_file() &&
        std::ranges::find(endings, entry.path().extension().string()) != endings.end())
      files.push_back(entry.path());
  std::ranges::sort(files);
  if (files.empty())
    fail(Errc::CorruptData, "{}: expected {} files in this folder, found none", weights.string(),
         join(endings, " or "));
  return files;
}

/// A foreign checkpoint as a model.
struct Converted {
  nn::ModelDescription description;  ///< architecture and its settings
  nn::TensorSet tensors;
  std::vector<std::pair<std::string, app::Cell>> figures;
  std::string origin;
};

Converted transformer(Imported imported, std::string origin) {
  Converted made;
  made.description.architecture = "transformer";
  made.description.config = imported.spec.to_json();
  made.description.tokenizer = imported.tokenizer.to_json();
  made.figures = {{"Layers", imported.spec.layers},
                  {"Hidden size", imported.spec.hidden},
                  {"Heads", imported.spec.heads}};
  made.tensors = std::move(imported.tensors);
  made.origin = std::move(origin);
  return made;
}

Converted message_passing(const Job& job) {
  std::vector<ForeignMember> members;
  for (const fs::path& file : checkpoint_files(job.weights, {".pt", ".ckpt"}))
    members.push_back({file.string(), nn::read_foreign_weights(file)});
  ImportedNet net =
      from_chemprop(members, job.molecule_features == "none" ? "" : job.molecule_features);
  Converted made;
  made.description.architecture = "dmpnn";
  made.description.config = net.spec.to_json();
  made.figures = {{"Members", net.spec.members},
                  {"Outputs", static_cast<std::int64_t>(net.spec.outputs.size())},
                  {"Hidden size", net.spec.hidden}};
  made.tensors = std::move(net.tensors);
  made.origin = "chemprop";
  return made;
}

Converted recurrent(const Job& job) {
  const std::vector<fs::path> files = checkpoint_files(job.weights, {".hdf5", ".h5"});
  if (files.size() > 1)
    fail(Errc::InvalidArgument, "{}: expected one HDF5 file, found {}; name one of them",
         job.weights.string(), files.size());
  const std::string source = files.front().string();
  ImportedRecurrent net = from_keras(read_hdf5(files.front()), source);
  Converted made;
  made.description.architecture = "lstm";
  made.description.config = net.spec.to_json();
  made.description.tokenizer =
      keras_tokenizer(job.vocabulary ? read_file(*job.vocabulary) : "", net.spec.vocabulary,
                      job.vocabulary ? job.vocabulary->string() : source);
  made.figures = {{"Layers", net.spec.layers},
                  {"Hidden size", net.spec.hidden},
                  {"Tokens", net.spec.vocabulary}};
  made.tensors = std::move(net.tensors);
  made.origin = "Keras";
  return made;
}

Converted convert(const Job& job, Warnings& warnings) {
  if (job.from == "hf") return transformer(import_hugging_face(job, warnings), "Hugging Face");
  if (job.from == "fair-esm") return transformer(import_fair_esm(job, warnings), "fair-esm");
  if (job.from == "keras") return recurrent(job);
  return message_passing(job);
}

std::int64_t parameters_of(const nn::TensorSet& tensors) {
  std::int64_t count = 0;
  for (const auto& [name, tensor] : tensors)
    count += std::accumulate(tensor.shape().begin(), tensor.shape().end(), std::int64_t{1},
                             std::multiplies{});
  return count;
}

void run(const Job& job, app::RunContext& context) {
  context.progress.stage("read weights", 0, "");
  Converted converted = convert(job, context.warnings);
  nn::ModelDescription& description = converted.description;
  description.name = job.name.empty() ? default_name(job.weights) : job.name;
  description.licence = job.licence;
  description.intended_use = job.intended_use;
  description.training_data = job.training_data;
  description.source =
      "imported from " + converted.origin + " weights (" + default_name(job.weights) + ")";
  if (job.output) {
    context.progress.stage("write model", 0, "");
    nn::ModelWriter writer(*job.output);
    writer.weights(converted.tensors);
    writer.commit(description);
  }
  const std::int64_t parameters = parameters_of(converted.tensors);
  context.metric("parameters", parameters);
  context.metric("tensors", converted.tensors.size());
  context.report.section("Model", description.name);
  context.report.figure("Parameters", parameters);
  for (const auto& [label, value] : converted.figures) context.report.figure(label, value);
}

}  // namespace

app::App import_app() {
  app::Describe<Job> d{"models import", "Turns weights from elsewhere into a model"};
  d.help(
      "Reads a checkpoint of another program and writes a model: a folder with model.yaml, "
      "weights.safetensors and a card, or one .model.tar file. Archives of PyTorch are read as "
      "data; nothing in them is executed.\n\n"
      "hf: ESM-2 from Hugging Face, a folder with config.json, model.safetensors or "
      "pytorch_model.bin, and vocab.txt. fair-esm: ESM-2 as the fair-esm package saves it (.pt) or "
      "its tensors as .safetensors. chemprop: a message passing net of version 1 or 2 (.pt, "
      ".ckpt), or a folder of several, which become one ensemble. keras: an LSTM language model "
      "(.hdf5, .h5: an embedding or one-hot vectors, LSTM layers, a dense layer); without "
      "--vocabulary its tokens are those of LSTM_Chem, else one a line in the order of the net's "
      "inputs, with <bos>, <eos> and <pad> (or G, E and A).");
  d.example("aceso models import --from hf --weights esm2_t6_8M_UR50D --output esm2-8m");
  d.input("weights", &Job::weights, {.kind = "weights", .help = "checkpoint file or folder"});
  d.input("config", &Job::config,
          {.kind = "json", .help = "config.json, where weights is a single file"});
  d.input("vocabulary", &Job::vocabulary,
          {.kind = "text",
           .help = "vocab.txt, where weights is a single file; tokens of a net of Keras"});
  d.output("output", &Job::output,
           {.kind = "model", .file_name = "model.model.tar", .help = "the model"});
  d.option("from", &Job::from,
           {.help = "who wrote the weights", .choices = {"hf", "fair-esm", "chemprop", "keras"}});
  d.option("name", &Job::name, {.help = "name of the model; not given: after the weights"});
  d.option("heads", &Job::heads,
           {.help = "attention heads of fair-esm weights that do not say; 0: as the published "
                    "model of this size",
            .minimum = 0,
            .maximum = 1024,
            .advanced = true});
  d.option("molecule_features", &Job::molecule_features,
           {.help = "numbers of whole molecules that a chemprop net read from a file in training; "
                    "ADMET-AI's are rdkit-2d-normalised",
            .choices = {"none", "rdkit-2d-normalised"},
            .advanced = true});
  d.option("licence", &Job::licence, {.help = "licence of the weights", .group = "Card"});
  d.option("intended_use", &Job::intended_use, {.help = "what the model is for", .group = "Card"});
  d.option("training_data", &Job::training_data,
           {.help = "what it was trained on", .group = "Card"});
  d.sample({.name = "weights of Hugging Face's form",
            .summary = "makes a model of weights, config and vocabulary",
            .inputs = {{"weights", {"esm-demo.safetensors"}},
                       {"config", {"esm-demo-config.json"}},
                       {"vocabulary", {"esm-demo-vocab.txt"}}},
            .options = {{"from", std::string("hf")}, {"name", std::string("esm-demo")}},
            .origin = "a small model that the project trained, exported"});
  d.resources({.memory_mb = 4000, .uses_threads = false});
  return d.build(run);
}

}  // namespace aceso::models
