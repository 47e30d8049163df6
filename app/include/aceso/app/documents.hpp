/// \file
/// Everything that is written from a description: help, schema, reference, completion, cluster job.
#pragma once

#include "aceso/app/app.hpp"

#include <string>
#include <string_view>

namespace aceso::app {

/// The text of `aceso TOOLKIT APP --help`, wrapped at `width` columns.
[[nodiscard]] std::string help_text(const Description& description, std::size_t width = 100);

/// JSON Schema (2020-12) of {"inputs", "options", "outputs"}. Members beginning "x-" carry what
/// forms need: x-kind, x-endings, x-unit, x-group, x-advanced, x-order.
[[nodiscard]] Json request_schema(const Description& description);

/// All that the console and other clients need to know of an app, with its schema.
[[nodiscard]] Json describe(const Description& description);

/// A reference page in Markdown.
[[nodiscard]] std::string reference_page(const Description& description);

/// A completion script; `shell` is "bash" or "zsh". `commands` are those beside the apps.
/// \throws Error InvalidArgument for another shell.
[[nodiscard]] std::string completion_script(const AppTable& apps,
                                            const std::vector<std::string>& commands,
                                            std::string_view shell);

/// A Slurm batch script that runs the job file `job` with the app's resources.
[[nodiscard]] std::string slurm_script(const Description& description, unsigned threads,
                                       std::string_view job_file);

}  // namespace aceso::app
