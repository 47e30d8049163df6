/// \file
/// The apps of the nucleotides toolkit.
#pragma once

#include "aceso/app/app.hpp"

#include <vector>

namespace aceso::nucleotides {

[[nodiscard]] std::vector<app::App> apps();

}  // namespace aceso::nucleotides
