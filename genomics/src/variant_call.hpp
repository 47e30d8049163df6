// A line of a VCF file before it is text.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace aceso::genomics {

struct VariantCall {
  std::uint32_t position = 0;  ///< global, of the first letter of `reference`
  std::string reference;       ///< letters
  std::vector<std::string> alternatives;
  double quality = 0;
  std::array<int, 2> genotype{};  ///< numbers of alleles; with one copy only the first counts
  int ploidy = 2;
  std::uint32_t phase_set = 0;  ///< global position of the first call of it; 0: not phased
  double genotype_quality = 0;
  std::vector<double> likelihoods;         ///< phred by genotype
  std::vector<std::uint32_t> depths;       ///< reads by allele, the reference's first
  std::uint32_t depth = 0;                 ///< all reads looked at
  std::array<std::uint32_t, 4> strands{};  ///< reference forward, reverse; alternative likewise
  double mapping_quality = 0;              ///< root mean square
};

}  // namespace aceso::genomics
