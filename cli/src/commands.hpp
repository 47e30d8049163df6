/// \file
/// The subcommands, one source file each. Each gets the words behind its own name and returns an
/// exit code.
#pragma once

#include "aceso/app/app.hpp"
#include "aceso/cli/cli.hpp"

#include <string>
#include <vector>

namespace aceso::cli {

using Words = std::vector<std::string>;

int apps_command(const app::AppTable& apps, const Words& words);
int app_command(const app::App& app, const Words& words);
int run_command(const app::AppTable& apps, const Words& words);
int hub_command(const app::AppTable& apps, const ShownFiles& shown, const Words& words);
int completion_command(const app::AppTable& apps, const Words& words);

/// Subcommands beside the apps, for help and completion.
[[nodiscard]] const std::vector<std::string>& command_names();

}  // namespace aceso::cli
