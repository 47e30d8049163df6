#include "commands.hpp"
#include "front_end.hpp"

#include "aceso/app/runner.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <mutex>

namespace aceso::cli {
namespace fs = std::filesystem;
namespace {

/// The event file of a run's folder: one JSON line each, appended whole.
class EventFile {
 public:
  explicit EventFile(const fs::path& path)
      : path_(path), file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
    if (!file_) fail_system(errno, "create", path.string());
  }

  void add(const Json& event) {
    const std::string line = event.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    const std::scoped_lock lock{mutex_};
    try {
      write_all(file_.get(), std::as_bytes(std::span(line)), path_);
    } catch (const Error&) {
      // A full disk must not end a run that may need no more of it; its own writes will tell.
    }
  }

  Progress::Sink progress() {
    return [this](const ProgressEvent& e) {
      add({{"type", "progress"},
           {"stage", e.stage},
           {"unit", e.unit},
           {"done", e.done},
           {"total", e.total},
           {"seconds", e.seconds}});
    };
  }

  Log log() {
    return Log{[this, text = stderr_log_sink(false)](LogLevel level, std::string_view event,
                                                     const Json& fields) {
      add({{"type", "log"},
           {"time", utc_now()},
           {"level", name(level)},
           {"event", event},
           {"fields", fields}});
      text(level, event, fields);
    }};
  }

 private:
  fs::path path_;
  FileHandle file_;
  std::mutex mutex_;
};

/// Whether an output makes sense for this job: one of the inputs or flags that it needs is there.
bool fits(const app::OutputSpec& output, const Json& job) {
  const auto given = [&](const std::string& name) {
    for (const char* place : {"/inputs/", "/options/"}) {
      const Json::json_pointer pointer(place + name);
      if (job.contains(pointer) && !job[pointer].is_null() && job[pointer] != false) return true;
    }
    return false;
  };
  return output.needs.empty() || std::ranges::any_of(output.needs, given);
}

/// Names files for all outputs that are written without being asked for.
void add_outputs(const app::Description& description, const fs::path& folder, Json& job) {
  fs::create_directories(folder);
  Json& outputs = job["outputs"];
  if (!outputs.is_object()) outputs = Json::object();
  for (const app::OutputSpec& output : description.outputs) {
    if (!output.extra && fits(output, job) && !outputs.contains(output.name))
      outputs[output.name] = (folder / output.file_name).string();
  }
}

const app::App& app_of(const app::AppTable& apps, const Json& job, const std::string& file) {
  if (!job.is_object() || !job.contains("app") || !job["app"].is_string())
    fail(Errc::InvalidArgument, "{}: expected an object with \"app\"", file);
  const auto name = job["app"].get<std::string>();
  if (const app::App* app = apps.find(name)) return *app;
  fail(Errc::NotFound, "{}: no app is called \"{}\"", file, printable(name));
}

/// Runs the job; what goes wrong before the app begins becomes a result as well.
app::RunResult run_job(const app::AppTable& apps, const std::string& file, Json job,
                       app::RunSettings settings) {
  std::string name = job.is_object() ? job.value("app", "") : "";
  try {
    const app::App& app = app_of(apps, job, file);
    if (job.contains("folder"))
      add_outputs(app.description, fs::path(job["folder"].get<std::string>()) / "outputs", job);
    std::vector<app::Mistake> mistakes;
    const app::Request request =
        app::check_request(app.description, job, app::paths_of_this_machine(), mistakes);
    if (!mistakes.empty()) fail(Errc::InvalidArgument, "{}", app::format_mistakes(mistakes));
    return app::run_app(app, request, settings);
  } catch (...) {
    return app::failed_result(name, current_error());
  }
}

/// The folder that the job names, or nothing.
std::optional<fs::path> folder_of(const Json& job) {
  if (!job.is_object() || !job.contains("folder")) return std::nullopt;
  if (!job["folder"].is_string()) fail(Errc::InvalidArgument, "job file: \"folder\" is not text");
  return job["folder"].get<std::string>();
}

}  // namespace

int run_command(const app::AppTable& apps, const Words& words) {
  Words files;
  std::ranges::copy_if(words, std::back_inserter(files),
                       [](const std::string& word) { return word != "--json"; });
  if (files.size() != 1 || files[0].starts_with("--")) {
    tell(fmt::format(
        "usage: aceso run JOB.json [--json]\n\nRuns a job file, as printed by `aceso "
        "TOOLKIT APP … --print-job json`:\n"
        "  {{\"app\": \"genomics reads\", \"inputs\": {{\"reads\": \"a.fastq.gz\"}}, "
        "\"options\": {{}}, \"outputs\": {{\"output\": \"b.fastq.gz\"}}}}\n"
        "With \"folder\": DIR, outputs go to DIR/outputs, progress to DIR/events.jsonl, and "
        "the result to DIR/result.json.\n"));
    return files.size() == 1 && files[0] == "--help" ? 0 : 2;
  }
  const Json job = parse_json(read_file(files[0], 16U << 20), files[0]);
  const auto folder = folder_of(job);
  const StopOnSignal stop;
  app::RunSettings settings{.progress = {},
                            .log = Log{stderr_log_sink(false), LogLevel::Warning},
                            .stop = stop.token(),
                            .scratch_parent = "/tmp",
                            .command = "aceso run " + files[0],
                            .launch = launch_from_environment()};
  std::optional<EventFile> events;
  if (folder) {
    events.emplace(*folder / "events.jsonl");
    settings.progress = events->progress();
    settings.log = events->log();
    settings.scratch_parent = *folder;
  } else if (stderr_is_terminal()) {
    settings.progress = terminal_progress();
  }
  const app::RunResult result = run_job(apps, files[0], job, settings);
  print_outcome(result);
  Json json = result.to_json();
  if (folder) {
    json["exit_code"] = result.exit_code();
    write_file(*folder / "result.json",
               json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  } else if (words.size() > 1) {
    fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
  } else if (!result.error) {
    print_summary(result);
  }
  return result.exit_code();
}

}  // namespace aceso::cli
