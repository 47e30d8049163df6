/// \file
/// What is in a run's folder: made before it starts, read while it runs and when it has ended.
#pragma once

#include "store/store.hpp"

#include "aceso/app/app.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/json.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::hub {

/// One input file: the name people gave it and where its bytes are.
struct InputFile {
  std::string name;
  std::filesystem::path bytes;
};

/// Makes `folder` anew with job.json, which asks for `options`, and each input as a link that bears
/// its name.
/// \throws Error Io, OutOfResources.
void prepare_run_folder(const std::filesystem::path& folder, const RunRecord& run,
                        const std::map<std::string, std::vector<InputFile>>& inputs,
                        const Json& options);

/// What came of a run.
struct Outcome {
  RunState state = RunState::Interrupted;
  Json result;  ///< {"outputs", "metrics", "warnings", "seconds", "cpu_seconds", "peak_rss_mb",
                ///< "error"}
};

/// Reads result.json, and looks at the outputs that it names; `reason` is how the process ended,
/// as far as known. Never throws for what a run has written.
[[nodiscard]] Outcome read_outcome(const std::filesystem::path& folder,
                                   const app::Description* description, bool cancel_asked,
                                   std::string_view reason);

/// An outcome without result.json.
[[nodiscard]] Outcome outcome_without_result(RunState state, Errc code, const std::string& message);

/// Removes what nobody needs after a run's end: its temporary folders and half-written outputs.
void tidy_run_folder(const std::filesystem::path& folder) noexcept;

/// Opens outputs/FILE_NAME, not through a link. \throws Error NotFound, Io.
[[nodiscard]] FileHandle open_output(const std::filesystem::path& folder,
                                     const std::string& file_name);

/// The last progress event of the run, or null.
[[nodiscard]] Json last_progress(const std::filesystem::path& folder);

}  // namespace aceso::hub
