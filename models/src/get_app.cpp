#include "aceso/core/error.hpp"
#include "aceso/core/hash.hpp"
#include "aceso/core/text.hpp"
#include "aceso/nn/model_copy.hpp"
#include "aceso/nn/model_folder.hpp"
#include "apps.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

namespace aceso::models {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path from;
  std::optional<fs::path> output;
  std::string name, sha256;
};

/// A model in a folder of models.
struct Found {
  fs::path path;
  nn::ModelDescription description;

  [[nodiscard]] std::string name() const { return description.name + "@" + description.version; }
};

bool is_model(const fs::path& path) {
  std::error_code ignored;
  return path.string().ends_with(".model.tar") || fs::exists(path / "model.yaml", ignored);
}

/// The models in a folder, or the one at `from`, by path. One that cannot be opened is warned of.
std::vector<Found> models_in(const fs::path& from, Warnings& warnings) {
  std::vector<fs::path> paths;
  if (is_model(from)) {
    paths.push_back(from);
  } else {
    std::error_code error;
    for (auto entry = fs::directory_iterator(from, error);
         !error && entry != fs::directory_iterator(); entry.increment(error))
      if (is_model(entry->path())) paths.push_back(entry->path());
    if (error) fail(Errc::Io, "{}: cannot be listed: {}", from.string(), error.message());
  }
  std::ranges::sort(paths);
  std::vector<Found> models;
  for (const fs::path& path : paths) {
    try {
      models.push_back({path, nn::ModelFolder(path).description()});
    } catch (const Error& error) {
      warnings.add("models.unreadable", error.what());
    }
  }
  return models;
}

/// The one model of that name.
Found chosen(const std::vector<Found>& models, const Job& job) {
  std::vector<Found> fitting;
  std::vector<std::string> names;
  for (const Found& model : models) {
    names.push_back(model.name());
    if (model.description.name == job.name || model.name() == job.name) fitting.push_back(model);
  }
  const std::string there = names.empty() ? "no model" : printable(join(names, ", "), 500);
  if (fitting.empty())
    fail(
        Errc::NotFound,
        "{}: expected a model called \"{}\", found {}; nothing is fetched over a network: copy the "
        "model's folder or .model.tar file into a folder of this machine and name that with --from",
        job.from.string(), printable(job.name, 60), there);
  if (fitting.size() > 1)
    fail(Errc::InvalidArgument, "{}: {} models are called \"{}\"; name one as NAME@VERSION: {}",
         job.from.string(), fitting.size(), printable(job.name, 60), there);
  return fitting.front();
}

/// What may be given as --sha256: the hash of model.yaml, and of a packed model also of the file.
void check_hash(const Job& job, const Found& model, const std::string& hash,
                app::RunContext& context) {
  if (job.sha256.empty()) {
    context.warnings.add("models.unchecked",
                         fmt::format("{}: no --sha256 was given, so that only the model's own "
                                     "hashes were compared; this one's is {}",
                                     model.path.string(), hash));
    return;
  }
  const std::string wanted = to_lower(job.sha256);
  if (wanted == hash) return;
  std::string found = hash;
  if (!fs::is_directory(model.path)) {
    const std::string of_file = sha256_file(model.path, context.stop);
    if (wanted == of_file) return;
    found += " (of its model.yaml) and " + of_file + " (of the file)";
  }
  fail(Errc::CorruptData, "{}: expected the SHA-256 {}, found {}", model.path.string(),
       printable(wanted, 80), found);
}

void verify(const Found& model, const app::RunContext& context) {
  std::string text;
  const auto problems = nn::ModelFolder(model.path).verify(context.stop);
  for (const nn::ModelProblem& problem : problems)
    text += fmt::format("\n  {}: {}", problem.file, problem.message);
  if (!problems.empty())
    fail(Errc::CorruptData, "{}: is damaged, so it was not taken:{}", model.path.string(), text);
}

void run(const Job& job, app::RunContext& context) {
  if (job.name.empty()) fail(Errc::InvalidArgument, "--name: expected a model's name");
  const Found model = chosen(models_in(job.from, context.warnings), job);
  context.progress.stage("verify", 0, "");
  const std::string hash = nn::model_hash(model.path);
  check_hash(job, model, hash, context);
  verify(model, context);
  if (job.output) nn::copy_model(model.path, *job.output);
  context.metric("name", model.description.name);
  context.metric("version", model.description.version);
  context.metric("sha256", hash);
  context.report.section(model.name(), model.description.intended_use);
  context.report.figure("Architecture", model.description.architecture);
  context.report.figure("Licence", model.description.licence);
  context.report.figure("SHA-256 of model.yaml", hash);
}

}  // namespace

app::App get_app() {
  app::Describe<Job> d{"models get", "Takes a model by name and hash from a folder of models"};
  d.help(
      "Looks for a model by the name (or NAME@VERSION) in its model.yaml, among the folders and "
      ".model.tar files of a folder such as a shared drive or an unpacked download, compares its "
      "hash with --sha256, checks every file, and copies it: packed if the output ends in "
      ".model.tar, else as a folder. Nothing is taken that is damaged or another than asked "
      "for.\n\n"
      "--sha256 is the hash of model.yaml, which holds the hashes of all other files, or of the "
      ".model.tar file. Nothing is ever fetched over a network.");
  d.example(
      "aceso models get --name esm2-8m --from /mnt/models --sha256 9f86d081884c7d659a2feaa0c55ad015"
      "a3bf4f1b2b0b822cd15d6c15b0f00a08 --output esm2-8m");
  d.input("from", &Job::from, {.kind = "model", .help = "folder of models, or the model itself"});
  d.output("output", &Job::output,
           {.kind = "model", .file_name = "model.model.tar", .help = "the copy"});
  d.option("name", &Job::name, {.help = "the model's name, or NAME@VERSION"});
  d.option("sha256", &Job::sha256, {.help = "the hash that it must have; empty: any"});
  d.resources({.memory_mb = 1000, .uses_threads = false});
  return d.build(run);
}

}  // namespace aceso::models
