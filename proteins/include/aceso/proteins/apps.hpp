/// \file
/// The apps of the proteins toolkit.
#pragma once

#include "aceso/app/app.hpp"

#include <vector>

namespace aceso::proteins {

[[nodiscard]] std::vector<app::App> apps();

}  // namespace aceso::proteins
