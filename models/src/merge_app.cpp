#include "aceso/core/error.hpp"
#include "aceso/core/process.hpp"
#include "aceso/nn/adapter.hpp"
#include "aceso/nn/model_folder.hpp"
#include "apps.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace aceso::models {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path model;
  std::vector<fs::path> adapters;
  std::optional<fs::path> output;
  std::string name;
};

double scale_of(const nn::ModelFolder& adapter) { return adapter.description().config.at("scale"); }

void run(const Job& job, app::RunContext& context) {
  const nn::ModelFolder base(job.model);
  nn::ModelDescription description = base.description();
  nn::TensorSet weights = base.weights().all();
  Json parents = Json::array({description.name + "@" + description.version});
  for (const fs::path& path : job.adapters) {
    const nn::ModelFolder adapter(path);
    // The first call checks that the adapter belongs to this base, and brings its task head.
    nn::TensorSet alone = nn::with_adapter(base, adapter);
    weights = nn::merged(weights, adapter.weights().all(), scale_of(adapter), path.string());
    for (auto& [name, tensor] : alone)
      if (name.starts_with("task.")) weights.insert_or_assign(name, tensor);
    if (const auto task = adapter.description().config.find("task");
        task != adapter.description().config.end())
      description.config["task"] = *task;
    parents.push_back(adapter.description().name + "@" + adapter.description().version);
    description.name += "+" + adapter.description().name;
  }
  if (!job.name.empty()) description.name = job.name;
  description.provenance = {{"aceso", version()}, {"merged_from", parents}};
  context.metric("adapters", job.adapters.size());
  context.metric("name", description.name);
  if (!job.output) return;
  nn::ModelWriter writer(*job.output);
  writer.weights(weights);
  writer.commit(description);
}

}  // namespace

app::App merge_app() {
  app::Describe<Job> d{"models merge", "Makes one whole model of a base and adapters"};
  d.help(
      "Adds low-rank adapters, as `proteins finetune --method lora` makes them, to the weights of "
      "the model that they were trained on. Of several the changes add up, and the last one's task "
      "is the result's. The base is left as it is, so nothing ever needs to be taken out again.");
  d.example("aceso models merge --model esm2-8m --adapters gb1-adapter --output gb1-model");
  d.input("model", &Job::model, {.kind = "model", .help = "the base"});
  d.input("adapters", &Job::adapters, {.kind = "model", .help = "adapters of this base"});
  d.output("output", &Job::output,
           {.kind = "model", .file_name = "merged.model.tar", .help = "the whole model"});
  d.option("name", &Job::name, {.help = "name of the result; empty: made of the parts' names"});
  d.sample({.name = "hydropathy",
            .summary = "one model of a base and what an adapter has learnt",
            .inputs = {{"model", {"protein-demo.model.tar"}},
                       {"adapters", {"hydropathy-adapter.model.tar"}}},
            .options = {},
            .origin = "a small model and an adapter that the project trained"});
  d.resources({.memory_mb = 2000});
  return d.build(run);
}

}  // namespace aceso::models
