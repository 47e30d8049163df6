// How surely a heterozygous single-base variant would be seen.
#pragma once

#include "histogram.hpp"

#include <cstdint>
#include <span>

namespace aceso::genomics {

/// The chance that a heterozygous single-base variant is called at odds of 10^3 : 1 over no
/// variant, over all depths and qualities of the data: at depth n, m ~ Binomial(n, 1/2) reads show
/// it, and the sum of their qualities must reach 10 (n log10 2 + 3). (Picard's HET_SNP_SENSITIVITY
/// samples the sums; here their distribution is computed.)
///
/// \param depths     of all places, 0 included.
/// \param qualities  how many bases have each quality.
[[nodiscard]] double het_snp_sensitivity(const Histogram& depths,
                                         std::span<const std::uint64_t> qualities);

}  // namespace aceso::genomics
