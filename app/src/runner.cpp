#include "aceso/app/runner.hpp"

#include "aceso/core/files.hpp"
#include "aceso/core/hash.hpp"
#include "aceso/core/process.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"

#include <nlohmann/json.hpp>

#include <sys/stat.h>

#include <chrono>
#include <cmath>
#include <utility>

namespace aceso::app {
namespace fs = std::filesystem;
namespace {

/// Which file is at a path; changes when another is renamed over it.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

FileIdentity identity(const fs::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_dev, status.st_ino};
}

double rounded(double value, double digits) { return std::round(value * digits) / digits; }

/// One run from its scratch folder to its result.
class Run {
 public:
  Run(const App& app, const Request& request, const RunSettings& settings)
      : app_(app),
        request_(request),
        settings_(settings),
        progress_(settings.progress),
        warnings_(flag("strict")) {
    result_.app = app.description.name;
    result_.metrics = Json::object();
  }

  RunResult finish() && {
    try {
      execute();
      result_.status = "succeeded";
    } catch (...) {
      Error error = current_error();
      result_.status = error.code() == Errc::Cancelled ? "cancelled" : "failed";
      result_.error = std::move(error);
    }
    measure();
    result_.warnings = warnings_.counts();
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool flag(const std::string& name) const {
    const auto found = request_.options.find(name);
    return found != request_.options.end() && std::get<bool>(found->second);
  }

  [[nodiscard]] unsigned threads() const {
    const auto found = request_.options.find("threads");
    return found == request_.options.end()
               ? 1
               : thread_budget(static_cast<unsigned>(std::get<std::int64_t>(found->second)));
  }

  void execute() {
    const ScratchFolder scratch{settings_.scratch_parent};
    Report report;
    RunContext context{progress_,      settings_.log, warnings_,      report, result_.metrics,
                       settings_.stop, threads(),     scratch.path(), "cpu",  settings_.launch};
    const std::map<std::string, FileIdentity> before = identities();
    try {
      app_.run(request_, context);
    } catch (const Error& error) {
      // What an app had to tell about bad input, its report tells too.
      list_written(before);
      if (error.code() == Errc::CorruptData && !report.sections().empty())
        write_reports(report, "failed");
      throw;
    }
    progress_.finish();
    list_written(before);
    write_reports(report, "succeeded");
  }

  [[nodiscard]] std::map<std::string, FileIdentity> identities() const {
    std::map<std::string, FileIdentity> found;
    for (const auto& [name, path] : request_.outputs) found[name] = identity(path);
    return found;
  }

  /// Notes each output whose file is another one than `before`.
  void list_written(const std::map<std::string, FileIdentity>& before) {
    for (const OutputSpec& output : app_.description.outputs) {
      const auto asked = request_.outputs.find(output.name);
      if (asked == request_.outputs.end()) continue;
      const FileIdentity now = identity(asked->second);
      // A pipe or device keeps its identity; it was written all the same.
      const bool written = now != before.at(output.name) || !fs::is_regular_file(asked->second);
      if (now != FileIdentity{} && written)
        result_.outputs.emplace_back(output.name, asked->second);
    }
  }

  void measure() {
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin_;
    result_.seconds = elapsed.count();
    result_.cpu_seconds = cpu_seconds();
    result_.peak_rss_mb = peak_rss_mb();
  }

  void write_reports(const Report& report, std::string_view status) {
    if (settings_.launch.rank != 0) return;
    const auto html = request_.outputs.find("report");
    const auto json = request_.outputs.find("report_json");
    if (html == request_.outputs.end() && json == request_.outputs.end()) return;
    measure();
    const Json content = report_content(report, status);
    write_report(html, [&] { return report_html(content); });
    write_report(
        json, [&] { return content.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"; });
  }

  template <typename MakeText>
  void write_report(std::map<std::string, fs::path>::const_iterator output,
                    const MakeText& make_text) {
    if (output == request_.outputs.end()) return;
    write_file(output->second, make_text());
    result_.outputs.emplace_back(output->first, output->second);
  }

  Json report_content(const Report& report, std::string_view status) const {
    Json content{{"app", result_.app},
                 {"version", version()},
                 {"status", status},
                 {"started", started_},
                 {"seconds", rounded(result_.seconds, 1e3)},
                 {"cpu_seconds", rounded(result_.cpu_seconds, 1e3)},
                 {"peak_rss_mb", rounded(result_.peak_rss_mb, 10)},
                 {"command", settings_.command},
                 {"cpu", cpu_model()},
                 {"cpu_features", cpu_features()},
                 {"threads", threads()},
                 {"inputs", inputs()},
                 {"options", options()},
                 {"outputs", outputs()},
                 {"metrics", result_.metrics}};
    content["warnings"] = warnings_json(warnings_.counts());
    content["sections"] = report.sections();
    content.update(report.details());
    return content;
  }

  Json inputs() const {
    Json list = Json::array();
    for (const auto& [name, paths] : request_.inputs) {
      for (const fs::path& path : paths) {
        Json input{{"name", name}, {"file", path.filename().string()}};
        // A pipe can be read only once, and that was done by the app.
        if (fs::is_regular_file(path)) {
          input["bytes"] = fs::file_size(path);
          input["sha256"] = sha256_file(path, settings_.stop);
        }
        list.push_back(std::move(input));
      }
    }
    return list;
  }

  Json options() const {
    Json object = Json::object();
    for (const auto& [name, value] : request_.options)
      std::visit([&, &key = name](const auto& v) { object[key] = v; }, value);
    return object;
  }

  Json outputs() const {
    Json list = Json::array();
    for (const auto& [name, path] : result_.outputs) {
      Json output{{"name", name}, {"file", path.filename().string()}};
      if (fs::is_regular_file(path)) output["bytes"] = fs::file_size(path);
      list.push_back(std::move(output));
    }
    return list;
  }

 public:
  static Json warnings_json(const std::vector<WarningCount>& warnings) {
    Json list = Json::array();
    for (const WarningCount& warning : warnings)
      list.push_back(
          {{"kind", warning.kind}, {"count", warning.count}, {"examples", warning.examples}});
    return list;
  }

 private:
  const App& app_;
  const Request& request_;
  const RunSettings& settings_;
  Progress progress_;
  Warnings warnings_;
  RunResult result_;
  std::string started_ = utc_now();
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

RunResult run_app(const App& app, const Request& request, const RunSettings& settings) {
  return Run{app, request, settings}.finish();
}

RunResult failed_result(const std::string& app, const Error& error) {
  RunResult result;
  result.app = app;
  result.status = "failed";
  result.metrics = Json::object();
  result.error = error;
  return result;
}

Json RunResult::to_json() const {
  Json paths = Json::object();
  for (const auto& [name, path] : outputs) paths[name] = path.string();
  Json json{{"app", app},
            {"version", version()},
            {"status", status},
            {"seconds", rounded(seconds, 1e3)},
            {"cpu_seconds", rounded(cpu_seconds, 1e3)},
            {"peak_rss_mb", rounded(peak_rss_mb, 10)},
            {"outputs", std::move(paths)},
            {"metrics", metrics}};
  if (!warnings.empty()) json["warnings"] = Run::warnings_json(warnings);
  if (error) json["error"] = {{"code", name(error->code())}, {"message", error->what()}};
  return json;
}

}  // namespace aceso::app
