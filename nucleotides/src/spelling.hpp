/// \file
/// DNA and RNA as people write them, in the letters that a model knows.
#pragma once

#include "aceso/nn/tokenizer.hpp"

#include <string>
#include <string_view>

namespace aceso::nucleotides {

/// `sequence` (upper case, IUPAC codes: Cornish-Bowden 1985) as `tokenizer` spells it: U for T or
/// T for U, whichever its vocabulary has, and N for a code of several bases that it lacks.
/// \throws Error CorruptData naming `place` and the first letter that is no nucleotide; Unsupported
/// if the vocabulary is one of proteins.
[[nodiscard]] std::string spelt(std::string sequence, const nn::Tokenizer& tokenizer,
                                std::string_view place);

/// The reverse complement; A's partner is T. Codes of several bases become their partners' codes.
[[nodiscard]] std::string reverse_complement(std::string_view sequence);

}  // namespace aceso::nucleotides
