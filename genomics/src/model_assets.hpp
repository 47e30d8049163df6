// Models that come with the program.
#pragma once

#include "aceso/assets/assets.hpp"

#include <span>

namespace aceso::assets {
/// Files of the folder models of this module, compiled in.
[[nodiscard]] std::span<const Asset> genomics_models() noexcept;
}  // namespace aceso::assets
