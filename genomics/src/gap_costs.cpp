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

Priors::Priors() {
  for (auto& of_unit : indel_) of_unit.fill(kIndel);
}

double Priors::indel(std::uint32_t unit, std::uint32_t copies, std::uint32_t units) const noexcept {
  // Most changes are of one unit, each more is about three times as rare.
  constexpr double kMore = 5;
  const double one = indel_[unit - 1][std::min(copies, GapCosts::kMostCopies)];
  return std::min(kIndel, one + kMore * (units - 1));
}

}  // namespace aceso::genomics
