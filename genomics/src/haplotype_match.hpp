// Which variants of two sets say the same: the choice of variants of both, and of the phase of
// each, whose haplotypes are equal, with as many variants as can be. The rules are those of
// vcfeval (Cleary et al. 2015, bioRxiv 023754) and the GA4GH (Krusche et al. 2019, Nat Biotechnol
// 37:555), which know one and two copies of the genome; here any way to put the alleles of a
// genotype on its copies is a phase. Phases given by the files are not looked at.
//
// Genotypes of different numbers of copies match by the shares of their alleles: each copy stands
// for as many haplotypes as bring all to one number (1 = 1/1 = 1/1/1/1, 0/1 = 0/0/1/1). A genotype
// of several alleles that cannot be brought to that number with kMostPloidy haplotypes (0/0/1
// beside 0/0/0/1) matches nothing.
#pragma once

#include "variant_pieces.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace aceso::genomics {

/// Neighbouring variants of both sets that can say the same only together.
struct Superlocus {
  std::span<const VariantPiece> truth, calls;  ///< each sorted by place
};

/// What became of the variants of one set.
struct SideMatch {
  /// 0: not matched; else the number, from 1, of the stretch within which it has a counterpart.
  /// Outside stretches the haplotypes of both sets run together.
  std::vector<std::uint32_t> stretch;
};

struct SuperlocusMatch {
  SideMatch truth, calls;
  bool too_complex = false;  ///< matched by equal alleles and genotypes only
};

/// At most so many ways are followed at a time.
inline constexpr std::size_t kMaxMatchStates = 4096;

/// Cost: for n variants n * kMaxMatchStates at worst, times the ways to phase a genotype of many
/// copies up to a bound; in practice few states live.
[[nodiscard]] SuperlocusMatch match_superlocus(std::span<const std::uint8_t> contig,
                                               const Superlocus& locus,
                                               std::size_t max_states = kMaxMatchStates);

}  // namespace aceso::genomics
