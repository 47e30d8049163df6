/// \file
/// Substitutions as tables of measurements write them: "A42G", several joined by ':'.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace aceso::lm {

struct Substitution {
  std::int32_t position = 0;  ///< from 0, in the sequence
  char from = 'A', to = 'A';
};

/// Reads "A42G:C50D" against `sequence`, whose first residue has the number `first`. "WT", "wt",
/// "_wt" and "" mean no substitution.
/// \throws Error CorruptData naming `place`: another form, a position outside the sequence or named
/// twice, another residue there, or a letter outside `alphabet`.
[[nodiscard]] std::vector<Substitution> parse_substitutions(std::string_view text,
                                                            std::string_view sequence,
                                                            std::int64_t first,
                                                            std::string_view alphabet,
                                                            std::string_view place);

}  // namespace aceso::lm
