// Counts as reports show them.
#pragma once

#include "aceso/app/report.hpp"

#include <cstdint>

namespace aceso::genomics {

[[nodiscard]] inline app::Cell whole(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

/// `part` of `all`, 0 if there is nothing.
[[nodiscard]] inline double ratio(std::uint64_t part, std::uint64_t all) noexcept {
  return all == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(all);
}

[[nodiscard]] inline double percent(std::uint64_t part, std::uint64_t all) noexcept {
  return 100.0 * ratio(part, all);
}

}  // namespace aceso::genomics
