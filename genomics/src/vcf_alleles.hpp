// A piece of a genotype as a line of VCF writes it.
#pragma once

#include "variant_pieces.hpp"

namespace aceso::genomics {

struct VcfAlleles {
  std::uint32_t position = 0;           ///< 1-based
  std::string reference, alternatives;  ///< letters; alternatives joined by ','
  std::vector<int> genotype;            ///< by copy of the genome
};

/// With the base before the piece where an allele would be empty (behind it at a contig's start).
[[nodiscard]] VcfAlleles vcf_alleles(std::span<const std::uint8_t> contig,
                                     const VariantPiece& piece);

}  // namespace aceso::genomics
