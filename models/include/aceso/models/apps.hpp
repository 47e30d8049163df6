/// \file
/// The apps of the models toolkit.
#pragma once

#include "aceso/app/app.hpp"

#include <vector>

namespace aceso::models {

[[nodiscard]] std::vector<app::App> apps();

}  // namespace aceso::models
