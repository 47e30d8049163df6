// What the coding changes of one haplotype do to a transcript together (Danecek and McCarthy 2017,
// Bioinformatics 33:2037).
#pragma once

#include "consequence.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace aceso::genomics {

/// A change of a transcript's codons, and what it does alone.
struct CodingAllele {
  const Transcript* transcript = nullptr;
  std::size_t allele = 0;  ///< number in its line, from 1
  SequenceChange place;
  Consequence alone;  ///< with its coding change

  [[nodiscard]] const CodingChange& change() const { return *alone.coding; }
};

/// Changes that share a codon, or that lie within a shifted reading frame and what restores it.
struct JointConsequence {
  std::size_t first = 0, count = 0;  ///< of the haplotype's changes
  Consequence found;
  bool behind_stop = false;  ///< one change behind the end that others give the protein
};

/// \param changes of one transcript; in its direction, apart from each other.
/// A change that nothing else has to do with stays what it is alone.
[[nodiscard]] std::vector<JointConsequence> joint_consequences(
    std::span<const CodingAllele* const> changes, CodingSequences& sequences);

}  // namespace aceso::genomics
