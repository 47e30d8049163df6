/// \file
/// The apps of the genomics toolkit.
#pragma once

#include "aceso/app/app.hpp"
#include "aceso/app/file_index.hpp"
#include "aceso/app/file_view.hpp"

#include <vector>

namespace aceso::genomics {

/// All apps of this toolkit, in the order in which help lists them.
[[nodiscard]] std::vector<app::App> apps();

/// How files of this toolkit's kinds are shown row by row.
[[nodiscard]] std::vector<app::FileView> views();

/// How files of this toolkit's kinds are indexed.
[[nodiscard]] std::vector<app::FileIndex> file_indexes();

}  // namespace aceso::genomics
