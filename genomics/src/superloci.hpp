// Variants of two sets on one contig, grouped and judged.
#pragma once

#include "bed.hpp"
#include "compare_counts.hpp"
#include "haplotype_match.hpp"

#include <stop_token>

namespace aceso::genomics {

/// Variants at most so far from each other, wherever repeats may shift them, are looked at
/// together.
inline constexpr std::uint32_t kSuperlocusGap = 50;

/// Groups both sets, each sorted by place. Cost: n log n, and the repeats' lengths.
[[nodiscard]] std::vector<Superlocus> make_superloci(std::span<const std::uint8_t> contig,
                                                     std::span<const VariantPiece> truth,
                                                     std::span<const VariantPiece> calls);

struct ContigJudgements {
  std::vector<Judgement> truth, calls;  ///< one per variant
  std::uint64_t superloci = 0, too_complex = 0;
};

/// Matches all variants of a contig. The same for any number of threads.
[[nodiscard]] ContigJudgements judge_contig(std::span<const std::uint8_t> contig,
                                            std::uint32_t contig_index, const BedRegions& regions,
                                            std::span<const VariantPiece> truth,
                                            std::span<const VariantPiece> calls, unsigned threads,
                                            const std::stop_token& stop = {});

}  // namespace aceso::genomics
