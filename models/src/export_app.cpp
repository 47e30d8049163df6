#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/nn/model_folder.hpp"
#include "apps.hpp"
#include "esm.hpp"
#include "onnx.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace aceso::models {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path model;
  std::string format = "hf";
  std::int64_t max_length = 1024;
  std::optional<fs::path> output, weights, config, vocabulary, onnx;
};

nn::TensorSet renamed(const nn::TransformerSpec& spec, const nn::TensorFile& file) {
  nn::TensorSet tensors;
  for (const nn::TensorInfo& info : spec.weights())
    tensors.emplace(hugging_face_name(info.name), file.tensor(info.name));
  return tensors;
}

std::string vocabulary_text(const nn::ModelFolder& model) {
  const nn::Tokenizer tokenizer(model.description().tokenizer, model.path().string());
  std::string text;
  for (nn::Token token = 0; token < tokenizer.size(); ++token) text += tokenizer.text(token) + "\n";
  return text;
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
  HuggingFaceFiles files{renamed(spec, model.weights()),
                         hugging_face_config(spec, tokenizer).dump(2) + "\n",
                         vocabulary_text(model)};
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
  if (job.format == "onnx") {
    const std::string bytes = onnx_encoder(model, job.max_length);
    for (const auto& path : {job.output, job.onnx})
      if (path) write_file(*path, bytes);
    if (job.vocabulary) write_file(*job.vocabulary, vocabulary_text(model));
    return tell(model, model.weights().all(), context);
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
      "weights alone, under the names of the platform, in one file. onnx: an encoder in one file "
      "of "
      "at most 2 GB for onnxruntime and others, in fp32 and operator set 13, with the inputs "
      "tokens "
      "and attention_mask (1: a token, 0: padding behind it), both int64 [batch, length], and the "
      "outputs hidden [batch, length, hidden] and logits [batch, length, vocabulary]. Token "
      "numbers "
      "are the lines of --vocabulary, from 0; sequences are framed as the model's are.");
  d.example("aceso models export --model esm2-8m --output esm2_8m_hf");
  d.input("model", &Job::model, {.kind = "model", .help = "model to export"});
  d.output("output", &Job::output,
           {.kind = "folder",
            .file_name = "exported",
            .help = "folder (hf) or file (safetensors, onnx) to write",
            .extra = true});
  d.output("weights", &Job::weights,
           {.kind = "weights", .file_name = "model.safetensors", .help = "the weights alone"});
  d.output("onnx", &Job::onnx,
           {.kind = "weights", .file_name = "model.onnx", .help = "the model as ONNX (onnx)"});
  d.output("config", &Job::config,
           {.kind = "json", .file_name = "config.json", .help = "settings (hf)"});
  d.output("vocabulary", &Job::vocabulary,
           {.kind = "text", .file_name = "vocab.txt", .help = "tokens, one a line (hf, onnx)"});
  d.option("format", &Job::format,
           {.help = "form to write", .choices = {"hf", "safetensors", "onnx"}});
  d.option("max_length", &Job::max_length,
           {.help = "longest sequence of an ONNX model with rotary positions",
            .unit = "tokens",
            .minimum = 1,
            .maximum = 1 << 20});
  d.sample({.name = "small model of proteins",
            .summary = "a model that comes with the platform, for Hugging Face's transformers",
            .inputs = {{"model", {"protein-demo.model.tar"}}},
            .options = {},
            .origin = "trained by the project on UniProt"});
  d.resources({.memory_mb = 4000, .uses_threads = false});
  return d.build(run);
}

}  // namespace aceso::models
