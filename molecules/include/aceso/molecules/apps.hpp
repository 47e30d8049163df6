/// \file
/// The apps of the molecules toolkit.
#pragma once

#include "aceso/app/app.hpp"

#include <vector>

namespace aceso::molecules {

[[nodiscard]] std::vector<app::App> apps();

}  // namespace aceso::molecules
