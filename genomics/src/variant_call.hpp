// A line of a VCF file before it is text.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace aceso::genomics {

/// How the reads that speak for a call differ from the others, and what the place is like. Shares
/// are of 1; rank sums are z of Wilcoxon's test, below 0 if the alternative's reads have less.
struct CallEvidence {
  double alternative_share = 0;  ///< of the reads that speak clearly, those with an alternative
  double clear_share = 0;        ///< of all reads looked at, those that speak clearly
  double margin = 0;             ///< mean phred by which the alternative's reads prefer it
  double clipped_share = 0;      ///< of the alternative's reads, those with clipped ends
  double mapping_quality_rank_sum = 0, read_position_rank_sum = 0;
  std::uint32_t homopolymer = 0;  ///< bases of the longest run of one base at the place
  std::uint32_t room = 0;         ///< bases over which the alleles can be moved
};

struct VariantCall {
  std::uint32_t position = 0;  ///< global, of the first letter of `reference`
  std::string reference;       ///< letters
  std::vector<std::string> alternatives;
  double quality = 0;
  std::vector<int> genotype;    ///< numbers of alleles, one for each copy of the genome
  std::uint32_t phase_set = 0;  ///< global position of the first call of it; 0: not phased
  double genotype_quality = 0;
  std::vector<double> likelihoods;         ///< phred by genotype
  std::vector<std::uint32_t> depths;       ///< reads by allele, the reference's first
  std::uint32_t depth = 0;                 ///< all reads looked at
  std::array<std::uint32_t, 4> strands{};  ///< reference forward, reverse; alternative likewise
  double mapping_quality = 0;              ///< root mean square
  CallEvidence evidence;
  std::vector<std::uint8_t> pileup;      ///< see call_pileup.hpp; empty: nobody asked for it
  std::optional<double> net_correction;  ///< what the net adds to the log odds of being right

  [[nodiscard]] int ploidy() const { return static_cast<int>(genotype.size()); }
  [[nodiscard]] bool heterozygous() const {
    return std::ranges::adjacent_find(genotype, std::not_equal_to<>()) != genotype.end();
  }
};

}  // namespace aceso::genomics
