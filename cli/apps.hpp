/// \file
/// The apps of this build.
#pragma once

#include "aceso/app/app.hpp"
#include "aceso/app/file_index.hpp"
#include "aceso/app/file_view.hpp"

#include <vector>

namespace aceso {

[[nodiscard]] app::AppTable all_apps();
/// How the hub shows files of the toolkits' kinds row by row.
[[nodiscard]] std::vector<app::FileView> all_views();
/// How it indexes them.
[[nodiscard]] std::vector<app::FileIndex> all_indexes();

}  // namespace aceso
