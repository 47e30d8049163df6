// Stretches without a variant, as gVCF tells of them: how sure the reference is, from base to base.
#pragma once

#include "pileup.hpp"
#include "variant_call.hpp"

#include "aceso/genomics/reference.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace aceso::genomics {

/// Bases next to each other whose confidence lies in one band.
struct ReferenceBlock {
  std::uint32_t begin = 0, end = 0;  ///< global
  std::uint32_t least_depth = 0, median_depth = 0;
  int quality = 0;  ///< phred of the chance that a base of it is no homozygous reference, the least
  int ploidy = 2;
};

/// Phred of the chance that a base with these reads is not what the reference says.
[[nodiscard]] int reference_quality(const ColumnDepth& column, int ploidy);

/// The blocks of [begin, end), leaving out what `calls` cover, bases that are N and gaps of
/// contigs. `columns` begin at `begin`. Bands of quality begin at 0, 1, 5, 10, 20, 30, 40, 50, 60,
/// 80 and 99.
[[nodiscard]] std::vector<ReferenceBlock> reference_blocks(const Reference& reference,
                                                           std::span<const ColumnDepth> columns,
                                                           std::span<const VariantCall> calls,
                                                           std::uint32_t begin, std::uint32_t end,
                                                           int ploidy);

}  // namespace aceso::genomics
