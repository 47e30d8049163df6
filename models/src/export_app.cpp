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
  std::optional<fs::path> output;
};

nn::TensorSet renamed(const nn::TransformerSpec& spec, const nn::TensorFile& file) {
  nn::TensorSet tensors;
  for (const nn::TensorInfo& info : spec.weights())
    tensors.emplace(hugging_face_name(info.name), file.tensor(info.name));
  return tensors;
}

void export_folder(const nn::ModelFolder& model, const fs::path& output) {
  const std::string source = model.path().string();
  const auto spec = nn::TransformerSpec::from_json(model.description().config, source);
  if (spec.causal || spec.positions != "rotary" || spec.head == "plain")
    fail(Errc::Unsupported, "{}: only encoders with rotary positions have a Hugging Face form here",
         source);
  const nn::Tokenizer tokenizer(model.description().tokenizer, source);
  AtomicFolder folder(output);
  nn::write_tensor_file(folder.staging() / "model.safetensors", renamed(spec, model.weights()),
                        {{"format", "pt"}});
  write_file(folder.staging() / "config.json", hugging_face_config(spec, tokenizer).dump(2) + "\n");
  std::string vocabulary;
  for (nn::Token token = 0; token < tokenizer.size(); ++token)
    vocabulary += tokenizer.text(token) + "\n";
  write_file(folder.staging() / "vocab.txt", vocabulary);
  folder.commit();
}

void refuse_foreign_folder(const fs::path& output) {
  std::error_code ignored;
  if (fs::is_directory(output, ignored) && !fs::is_empty(output, ignored) &&
      !fs::exists(output / "config.json", ignored))
    fail(Errc::InvalidArgument, "{}: a folder with other files is there; choose another name",
         output.string());
}

void run(const Job& job, app::RunContext&) {
  const nn::ModelFolder model(job.model);
  if (model.description().architecture != "transformer")
    fail(Errc::Unsupported, "{}: models of architecture {} cannot be exported yet",
         job.model.string(), model.description().architecture);
  if (!job.output) return;
  if (job.format == "safetensors") {
    nn::write_tensor_file(*job.output, model.weights().all(), {{"format", "pt"}});
    return;
  }
  refuse_foreign_folder(*job.output);
  export_folder(model, *job.output);
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
