/// \file
/// Runs an app once: scratch folder, progress, reports, provenance, result.
#pragma once

#include "aceso/app/app.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace aceso::app {

/// How a front end wants a run to be run.
struct RunSettings {
  Progress::Sink progress = {};
  Log log = {};
  std::stop_token stop = {};
  std::filesystem::path scratch_parent = "/tmp";
  std::string command = {};  ///< as typed, for provenance
  Launch launch = {};
};

/// What came of a run.
struct RunResult {
  std::string app;
  std::string status;  ///< "succeeded", "failed" or "cancelled"
  double seconds = 0, cpu_seconds = 0, peak_rss_mb = 0;
  /// Those that were written, in the order of the description.
  std::vector<std::pair<std::string, std::filesystem::path>> outputs;
  Json metrics;
  std::vector<WarningCount> warnings;
  std::optional<Error> error;

  [[nodiscard]] int exit_code() const noexcept {
    return error ? aceso::exit_code(error->code()) : 0;
  }
  /// The one object that --json prints: {"app","version","status","seconds","cpu_seconds",
  /// "peak_rss_mb","outputs","metrics"}, then "warnings" and "error" if there are any.
  [[nodiscard]] Json to_json() const;
};

/// Runs `app` on a checked request. Never throws: what went wrong is in the result.
/// Writes the outputs "report" and "report_json" if the request names files for them.
[[nodiscard]] RunResult run_app(const App& app, const Request& request,
                                const RunSettings& settings);

/// A result for a request that never ran, e.g. because of its mistakes.
[[nodiscard]] RunResult failed_result(const std::string& app, const Error& error);

}  // namespace aceso::app
