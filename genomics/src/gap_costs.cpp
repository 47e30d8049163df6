#include "gap_costs.hpp"

namespace aceso::genomics {
namespace {

constexpr int kLeastOpen = 14;

int standard_open(std::uint32_t unit, std::uint32_t copies) {
  const std::uint32_t free = GapCosts::free_copies(unit);
  if (copies <= free) return GapCosts::kOpen;
  const int slope = unit == 1 ? 3 : unit == 2 ? 4 : 5;
  return std::max(kLeastOpen, GapCosts::kOpen - slope * static_cast<int>(copies - free));
}

}  // namespace

GapCosts::GapCosts() {
  for (std::uint32_t unit = 1; unit <= kMostUnit; ++unit) {
    for (std::uint32_t copies = 0; copies <= kMostCopies; ++copies)
      set(unit, copies, static_cast<std::uint8_t>(standard_open(unit, copies)));
  }
}

}  // namespace aceso::genomics
