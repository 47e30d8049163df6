// What a gap costs, and how likely a true one is, by the tandem repeat it begins in: sequencers and
// PCR slip in runs of one base most, then in runs of short units, and so do cells.
#pragma once

#include "aceso/genomics/reference.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace aceso::genomics {

/// A stretch [begin, end) of copies of one unit, the last of which may be cut.
struct TandemRepeat {
  std::size_t begin = 0, end = 0;
  std::uint32_t copies = 0;  ///< whole ones
};

/// Calls `use(TandemRepeat)` for each stretch of `codes` that repeats its first `unit` bases, also
/// if only once. Runs of one base have the unit 1 alone.
template <typename Use>
void for_each_repeat(std::span<const std::uint8_t> codes, std::uint32_t unit, const Use& use) {
  for (std::size_t i = 0; i + unit < codes.size();) {
    std::size_t end = i;
    while (end + unit < codes.size() && codes[end] < kCodeN && codes[end] == codes[end + unit])
      ++end;
    const auto same = [&](std::uint8_t code) { return code == codes[i]; };
    if (unit == 1 || !std::ranges::all_of(codes.subspan(i, unit), same))
      use(TandemRepeat{i, std::min(end + unit, codes.size()),
                       static_cast<std::uint32_t>((end - i) / unit + 1)});
    i = std::max(end, i + 1);
  }
}

/// Costs in phred of opening a gap, by the repeat's unit and copies. Each base of the gap costs
/// ReadCosts::kGapExtend more.
class GapCosts {
 public:
  static constexpr std::uint32_t kMostUnit = 3, kMostCopies = 40;  ///< more copies count as these
  static constexpr int kOpen = 45;                                 ///< outside repeats

  /// Those of the order of what DRAGEN's and GATK's models of short tandem repeats learn from data
  /// (doi:10.1101/2021.01.18.427113).
  GapCosts();

  /// Copies up to which a repeat is none.
  [[nodiscard]] static constexpr std::uint32_t free_copies(std::uint32_t unit) noexcept {
    return unit == 1 ? 4 : 2;
  }
  [[nodiscard]] std::uint8_t open(std::uint32_t unit, std::uint32_t copies) const noexcept {
    return open_[unit - 1][std::min(copies, kMostCopies)];
  }
  void set(std::uint32_t unit, std::uint32_t copies, std::uint8_t cost) noexcept {
    open_[unit - 1][copies] = cost;
  }

 private:
  std::array<std::array<std::uint8_t, kMostCopies + 1>, kMostUnit> open_{};
};

/// Priors of differences from the reference: phred of the chance that one copy of the genome has it
/// at a place.
class Priors {
 public:
  static constexpr double kSnv = 30;    ///< 1 in 1000
  static constexpr double kIndel = 38;  ///< outside repeats, and the most in them

  /// kIndel in all repeats.
  Priors();

  /// Of a change of a repeat by so many units.
  [[nodiscard]] double indel(std::uint32_t unit, std::uint32_t copies,
                             std::uint32_t units) const noexcept;
  void set(std::uint32_t unit, std::uint32_t copies, double phred) noexcept {
    indel_[unit - 1][copies] = phred;
  }

 private:
  std::array<std::array<double, GapCosts::kMostCopies + 1>, GapCosts::kMostUnit> indel_{};
};

}  // namespace aceso::genomics
