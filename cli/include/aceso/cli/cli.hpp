/// \file
/// The one command `aceso`, for any table of apps.
#pragma once

#include "aceso/app/app.hpp"
#include "aceso/app/file_index.hpp"
#include "aceso/app/file_view.hpp"

#include <functional>
#include <vector>

namespace aceso::cli {

/// How the hub shows files.
struct ShownFiles {
  std::vector<app::FileView> views = {};     ///< row by row
  std::vector<app::FileIndex> indexes = {};  ///< by parts
};

/// Runs a command line from main(): prints, draws progress, minds signals.
/// `make_apps` is called once; an error in a description ends the command with exit code 70.
/// \returns the exit code: 0 ok, 2 usage, 3 bad input, 4 out of memory or disk, 5 interrupted, 70
/// our own bug.
[[nodiscard]] int run_command_line(int argc, const char* const* argv,
                                   const std::function<app::AppTable()>& make_apps,
                                   const ShownFiles& shown = {});

}  // namespace aceso::cli
