// Mapping quality: how sure a place is, as phred of the chance that it is wrong.
#pragma once

#include "aceso/genomics/aligner.hpp"

#include <cstdint>

namespace aceso::genomics {

inline constexpr int kMostMappingQuality = 60;

/// Of a read by itself: from its score, the best score elsewhere, how many places score about as
/// much as that one, and the share of its seeds whose places are not known.
[[nodiscard]] int single_quality(const Alignment& best, std::uint32_t read_length,
                                 std::uint32_t rivals, double unknown_share = 0);

/// Of a mate in a pair: `margin` is how much the best pair's score is above the next one's,
/// `unknown_share` that of both mates' seeds.
[[nodiscard]] int paired_quality(int single, int margin, std::uint32_t rivals,
                                 double unknown_share);

}  // namespace aceso::genomics
