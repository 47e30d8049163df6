// Mapping quality: how sure a place is, as phred of the chance that it is wrong.
#pragma once

#include "aceso/genomics/aligner.hpp"

#include <cstdint>

namespace aceso::genomics {

inline constexpr int kMostMappingQuality = 60;

/// Of a read by itself: from its score, the best score elsewhere and how many places score about
/// as much as that one.
[[nodiscard]] int single_quality(const Alignment& best, std::uint32_t read_length,
                                 std::uint32_t rivals);

/// Of a mate in a pair: `margin` is how much the best pair's score is above the next one's.
[[nodiscard]] int paired_quality(int single, int margin, std::uint32_t rivals);

}  // namespace aceso::genomics
