// Figures worked out from a tally, for the report and for its members that fastp's readers know.
#pragma once

#include "reads_pipeline.hpp"

#include "aceso/core/json.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace aceso::genomics {

/// Sums over both mates.
struct StageFigures {
  std::uint64_t reads = 0, bases = 0, q20 = 0, q30 = 0, gc = 0;
  std::uint64_t mean_length[2] = {0, 0};

  [[nodiscard]] double share(std::uint64_t part) const {
    return bases == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(bases);
  }
};

struct ReadsFigures {
  StageFigures before, after;
  CycleTable cycles_after[2];
  DuplicateSketch::Result duplication;
  std::uint32_t insert_peak = 0;  ///< 0: no pair overlaps
};

[[nodiscard]] ReadsFigures figures_of(const ReadsResult& result);

/// Mean quality of a letter (kLetters: of all) per bin of `step` cycles.
[[nodiscard]] std::vector<double> quality_curve(const CycleTable& cycles, std::size_t letter,
                                                std::uint32_t step = 1,
                                                std::uint32_t most = kMostCycles);
/// Share of letters among all, per bin; `letters` is a set of bits.
[[nodiscard]] std::vector<double> content_curve(const CycleTable& cycles, unsigned letters,
                                                std::uint32_t step = 1,
                                                std::uint32_t most = kMostCycles);

/// The members that fastp writes at the top of its JSON, where they mean the same.
[[nodiscard]] Json fastp_members(const ReadsResult& result, const ReadsFigures& figures);

}  // namespace aceso::genomics
