/// \file
/// The apps of the genomics toolkit.
#pragma once

#include "aceso/app/app.hpp"

#include <vector>

namespace aceso::genomics {

/// All apps of this toolkit, in the order in which help lists them.
[[nodiscard]] std::vector<app::App> apps();

}  // namespace aceso::genomics
