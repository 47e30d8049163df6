#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/nn/model_folder.hpp"
#include "apps.hpp"
#include "esm.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace aceso::models {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path model;
  std::string format = "hf";
  std::optional<fs::path> output, weights, config, vocabulary;
};

nn::TensorSet renamed(const nn::TransformerSpec& spec, const nn::TensorFile& file) {
  nn::TensorSet tensors;
  for (const nn::TensorInfo& info : spec.weights())
    tensors.emplace(hugging_face_name(info.name), file.tensor(info.name));
  return tensors;
}

/// The three files that transformers load a model from.
struct HuggingFaceFiles {
  nn::TensorSet weights;
  std::string config, vocabulary;
};

HuggingFaceFiles hugging_face_files(const nn::ModelFolder& model) {
  const std::string source = model.path().string();
  const auto spec = nn::TransformerSpec::from_json(model.description().config, source);
  if (spec.causal || spec.positions != "rotary" || spec.head == "plain")
    fail(Errc::Unsupported, "{}: only encoders with rotary positions have a Hugging Face form here",
         source);
  const nn::Tokenizer tokenizer(model.description().tokenizer, source);
  HuggingFaceFiles files{
      renamed(spec, model.weights()), hugging_face_config(spec, tokenizer).dump(2) + "\n", {}};
  for (nn::Token token = 0; token < tokenizer.size(); ++token)
    files.vocabulary += tokenizer.text(token) + "\n";
  return files;
}

void write_weights(const fs::path& path, const nn::TensorSet& weights) {
  nn::write_tensor_file(path, weights, {{"format", "pt"}});
}

void write_folder(const fs::path& path, const HuggingFaceFiles& files) {
  AtomicFolder folder(path);
  write_weights(folder.staging() / "model.safetensors", files.weights);
  write_file(folder.staging() / "config.json", files.config);
  write_file(folder.staging() / "vocab.txt", files.vocabulary);
  folder.commit();
}

void refuse_foreign_folder(const fs::path& output) {
  std::error_code ignored;
  if (fs::is_directory(output, ignored) && !fs::is_empty(output, ignored) &&
      !fs::exists(output / "config.json", ignored))
    fail(Errc::InvalidArgument, "{}: a folder with other files is there; choose another name",
         output.string());
}

void tell(const nn::ModelFolder& model, const nn::TensorSet& weights, app::RunContext& context) {
  std::int64_t numbers = 0;
  for (const auto& [name, tensor] : weights) numbers += tensor.element_count();
  context.metric("tensors", weights.size());
  context.metric("parameters", numbers);
  context.report.section("Export");
  context.report.figure("Model", model.description().name);
  context.report.figure("Tensors", static_cast<std::int64_t>(weights.size()));
  context.report.figure("Parameters", numbers);
}

void run(const Job& job, app::RunContext& context) {
  const nn::ModelFolder model(job.model);
  if (model.description().architecture != "transformer")
    fail(Errc::Unsupported, "{}: models of architecture {} cannot be exported yet",
         job.model.string(), model.description().architecture);
  if (job.format == "safetensors") {
    const nn::TensorSet weights = model.weights().all();
    for (const auto& path : {job.output, job.weights})
      if (path) write_weights(*path, weights);
    return tell(model, weights, context);
  }
  const HuggingFaceFiles files = hugging_face_files(model);
  if (job.output) {
    refuse_foreign_folder(*job.output);
    write_folder(*job.output, files);
  }
  if (job.weights) write_weights(*job.weights, files.weights);
  if (job.config) write_file(*job.config, files.config);
  if (job.vocabulary) write_file(*job.vocabulary, files.vocabulary);
  tell(model, files.weights, context);
}

}  // namespace

app::App export_app() {
  app::Describe<Job> d{"models export", "Writes a model for other programs"};
  d.help(
      "hf: a folder that Hugging Face's transformers loads as EsmForMaskedLM. safetensors: the "
      "weights alone, under the names of the platform, in one file.");
  d.example("aceso models export --model esm2-8m --output esm2_8m_hf");
  d.input("model", &Job::model, {.kind = "model", .help = "model to export"});
  d.output("output", &Job::output,
           {.kind = "folder",
            .file_name = "exported",
            .help = "folder (hf) or file (safetensors) to write",
            .extra = true});
  d.output("weights", &Job::weights,
           {.kind = "weights", .file_name = "model.safetensors", .help = "the weights alone"});
  d.output("config", &Job::config,
           {.kind = "json", .file_name = "config.json", .help = "settings (hf)"});
  d.output("vocabulary", &Job::vocabulary,
           {.kind = "text", .file_name = "vocab.txt", .help = "tokens, one a line (hf)"});
  d.option("format", &Job::format, {.help = "form to write", .choices = {"hf", "safetensors"}});
  d.sample({.name = "small model of proteins",
            .summary = "a model that comes with the platform, for Hugging Face's transformers",
            .inputs = {{"model", {"protein-demo.model.tar"}}},
            .options = {},
            .origin = "trained by the project on UniProt"});
  d.resources({.memory_mb = 4000, .uses_threads = false});
  return d.build(run);
}

}  // namespace aceso::models
