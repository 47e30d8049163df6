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

/// The allele of a site that a read speaks for, and by how much; -1 if it does not speak clearly.
struct Vote {
  int number = -1;
  int margin = 0;
};
/// For each read of the table.
[[nodiscard]] std::vector<Vote> votes_of(const ReadTable& table, std::span<const AlleleSet> sets,
                                         const Site& site);

/// Fills in depths, strands, mapping quality and evidence of `call`, which `site` became.
void weigh_reads(const Reference& reference, const CallReads& all, const ReadTable& table,
                 std::span<const Vote> votes, std::span<const Allele> alleles, const Site& site,
                 VariantCall& call);

/// z of the rank sum of `some` among both (Mann and Whitney 1947, with ties); 0 if either is empty
/// or all are equal.
[[nodiscard]] double rank_sum(std::span<const double> some, std::span<const double> others);

}  // namespace aceso::genomics
