// Ends of a read that lie on diagonals further apart than a band is wide, joined by the gap between
// them.
#pragma once

#include "extension.hpp"

#include <optional>

namespace aceso::genomics {

/// `front` (which leaves out bases at the end of the read as it lies on the forward strand) and
/// `back` (which leaves out some at its beginning) as one alignment with a deletion or insertion
/// between them; of equal breakpoints the first one. Nothing if they do not follow each other, or
/// if the better of them, clipped, scores as much: ends that are reached count as for AlignScores.
/// Costs a comparison of the stretch that either may hold.
[[nodiscard]] std::optional<Alignment> join_across_gap(const Strand& read, const Alignment& front,
                                                       const Alignment& back,
                                                       const Reference& reference);

}  // namespace aceso::genomics
