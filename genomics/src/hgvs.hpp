// Names of changes as the HGVS nomenclature (version 21) makes them: Hart et al. 2024, Genome
// Medicine 16:149; den Dunnen et al. 2016, Human Mutation 37:564.
#pragma once

#include "consequence.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace aceso::genomics {

/// "g.100A>T", "g.100_102del", "g.100_101insAC", "g.100dup", "g.100_101delinsT"; m. for
/// mitochondria. A gap is moved to the last place that gives the same sequence.
[[nodiscard]] std::string hgvs_genomic(const SequenceChange& change,
                                       std::span<const std::uint8_t> contig, GeneticCode code);

/// "c.88+2T>G", "c.-3del", "c.*5dup"; n. for a transcript that codes for nothing. A gap is moved to
/// the last place in the transcript's direction, over introns as the contig has them. Empty where
/// the change reaches over an end of the transcript.
[[nodiscard]] std::string hgvs_transcript(const SequenceChange& change,
                                          const Transcript& transcript,
                                          std::span<const std::uint8_t> contig);

/// "p.(Arg97ProfsTer23)" of what consequence_of() found; "p.?" where splicing, or more than is
/// known, decides; empty where no codon changes. Residues count from the first whole codon.
[[nodiscard]] std::string hgvs_protein(const Consequence& found, const Transcript& transcript,
                                       CodingSequences& sequences);

}  // namespace aceso::genomics
