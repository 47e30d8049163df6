// A genome, or regions of it, in pieces of nearly equal size, for runs side by side.
#pragma once

#include "bed.hpp"

#include "aceso/genomics/reference.hpp"

#include <cstdint>
#include <vector>

namespace aceso::genomics {

/// A part of the regions.
struct ScatterPiece {
  struct Interval {
    std::uint32_t contig = 0;
    BedInterval interval;
  };
  std::vector<Interval> intervals;  ///< in the order of the reference
  std::uint64_t bases = 0;          ///< that are no N
};

/// Cuts `regions` into `count` pieces with the same number of bases that are no N, but for up to a
/// tenth of a piece: a cut is moved to the best place that near. Best is a border of contigs or of
/// intervals; then the middle of a run of 100 N or more; then a border of the caller's buckets of
/// 2^18 bases, which are called as wholes; else it stays where it is. No cut changes a call of
/// `genomics germline --regions`: what is called does not depend on the regions, and a call belongs
/// to the piece in which it begins.
///
/// \throws Error InvalidArgument if there are fewer bases than pieces.
///
/// Cost: goes through the bases of the regions once.
[[nodiscard]] std::vector<ScatterPiece> scatter(const Reference& reference,
                                                const BedRegions& regions, std::size_t count);

}  // namespace aceso::genomics
