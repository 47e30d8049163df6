// Codons to amino acids (NCBI's genetic codes 1, standard, and 2, vertebrate mitochondrial).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace aceso::genomics {

enum class GeneticCode : std::uint8_t { Standard = 1, VertebrateMitochondrial = 2 };

/// The code of a contig, by its name: chrM, M and MT are mitochondrial.
[[nodiscard]] GeneticCode genetic_code_of(std::string_view contig) noexcept;

/// One letter for three base codes, '*' for a stop, 'X' if a base is not known.
[[nodiscard]] char amino_acid(std::string_view codon, GeneticCode code) noexcept;

/// Of whole codons of `bases` (codes), up to the first stop, which is included.
[[nodiscard]] std::string translate(std::string_view bases, GeneticCode code);

}  // namespace aceso::genomics
