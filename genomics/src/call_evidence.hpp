// What the reads say of a call, beyond its likelihoods: depths, strands, and how its reads differ
// from the others.
#pragma once

#include "call_reads.hpp"
#include "genotype.hpp"
#include "variant_call.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace aceso::genomics {

/// The reads of a block with their costs, by read and haplotype.
struct ReadTable {
  std::vector<std::uint32_t> reads;
  std::vector<std::vector<int>> costs;
};

/// Fills in depths, strands, mapping quality and evidence of `call`, which `site` became.
void weigh_reads(const Reference& reference, const CallReads& all, const ReadTable& table,
                 std::span<const Allele> alleles, std::span<const AlleleSet> sets, const Site& site,
                 VariantCall& call);

/// z of the rank sum of `some` among both (Mann and Whitney 1947, with ties); 0 if either is empty
/// or all are equal.
[[nodiscard]] double rank_sum(std::span<const double> some, std::span<const double> others);

}  // namespace aceso::genomics
