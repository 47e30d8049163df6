#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/nn/model_folder.hpp"
#include "apps.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace aceso::models {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path model;
  std::optional<fs::path> output;
};

std::int64_t elements(const nn::TensorInfo& info) {
  std::int64_t count = 1;
  for (const std::int64_t extent : info.shape) count *= extent;
  return count;
}

Json description_json(const nn::ModelDescription& d) {
  return {{"name", d.name},
          {"version", d.version},
          {"architecture", d.architecture},
          {"licence", d.licence},
          {"intended_use", d.intended_use},
          {"training_data", d.training_data},
          {"source", d.source},
          {"config", d.config},
          {"metrics", d.metrics}};
}

void run_show(const Job& job, app::RunContext& context) {
  const nn::ModelFolder model(job.model);
  Json shown = description_json(model.description());
  std::int64_t parameters = 0;
  Json tensors = Json::array();
  std::vector<std::vector<app::Cell>> rows;
  for (const nn::TensorInfo& info : model.weights().tensors()) {
    parameters += elements(info);
    const std::string shape = nn::shape_text(info.shape), type(name(info.type));
    tensors.push_back({{"name", info.name}, {"type", type}, {"shape", info.shape}});
    rows.push_back({info.name, type, shape, elements(info)});
  }
  std::uint64_t bytes = 0;
  for (const auto& [file, size] : model.files()) bytes += size;

  shown["parameters"] = parameters;
  shown["bytes"] = bytes;
  for (const auto& [member, value] : shown.items()) context.metric(member, value);
  shown["tensors"] = tensors;
  if (job.output) write_file(*job.output, shown.dump(1) + "\n");

  context.report.section(model.description().name, model.description().intended_use);
  context.report.figure("Architecture", model.description().architecture);
  context.report.figure("Parameters", parameters);
  context.report.figure("Size", format_bytes(bytes));
  context.report.figure("Licence", model.description().licence);
  context.report.table("Tensors", {{"name"}, {"type"}, {"shape"}, {"elements"}}, std::move(rows));
}

void run_verify(const Job& job, app::RunContext& context) {
  const nn::ModelFolder model(job.model);
  context.progress.stage("verify", 0, "");
  const std::vector<nn::ModelProblem> problems = model.verify(context.stop);
  context.metric("files", model.files().size());
  context.metric("problems", problems.size());
  Json list = Json::array();
  std::string text;
  for (const nn::ModelProblem& problem : problems) {
    list.push_back({{"file", problem.file}, {"message", problem.message}});
    text += fmt::format("\n  {}: {}", problem.file, problem.message);
  }
  if (job.output) write_file(*job.output, Json{{"problems", list}}.dump(1) + "\n");
  if (!problems.empty())
    fail(Errc::CorruptData, "{}: {} problem{}:{}", job.model.string(), problems.size(),
         problems.size() == 1 ? "" : "s", text);
  context.report.section("Verified", "Hashes, shapes and values of all files are in order.");
  context.report.figure("Files", static_cast<std::int64_t>(model.files().size()));
}

app::App described(const std::string& name, const std::string& summary, const std::string& help,
                   const std::string& file_name,
                   std::function<void(const Job&, app::RunContext&)> run) {
  app::Describe<Job> d{name, summary};
  d.help(help);
  d.example("aceso " + name + " --model esm2-8m --json");
  d.input("model", &Job::model, {.kind = "model", .help = "model, folder or .model.tar"});
  d.output("output", &Job::output,
           {.kind = "json", .file_name = file_name, .help = "what was found, for programs"});
  d.sample({.name = "small model of SMILES",
            .summary = "a model that comes with the platform",
            .inputs = {{"model", {"smiles-demo.model.tar"}}},
            .options = {},
            .origin = "trained by the project on compounds of the NCI"});
  d.resources({.memory_mb = 1000, .uses_threads = false});
  return d.build(std::move(run));
}

}  // namespace

app::App show_app() {
  return described("models show", "Tells what a model is",
                   "Prints a model's card, settings and tensors.", "model.json", run_show);
}

app::App verify_app() {
  return described(
      "models verify", "Checks that a model is whole",
      "Compares the hash of every file with model.yaml, the shape of every tensor with "
      "the architecture, and looks for values that are NaN or infinite. Each problem "
      "is listed; the exit code is then 3.",
      "verified.json", run_verify);
}

}  // namespace aceso::models
