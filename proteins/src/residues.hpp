/// \file
/// The twenty amino acids as tokens of a model.
#pragma once

#include "aceso/lm/language_model.hpp"

#include <array>
#include <string_view>

namespace aceso::proteins {

inline constexpr std::string_view kAminoAcids = "ACDEFGHIKLMNPQRSTVWY";

/// Tokens of kAminoAcids, in its order.
using AminoAcidTokens = std::array<nn::Token, 20>;

/// \throws Error Unsupported naming the model if its vocabulary lacks one.
[[nodiscard]] AminoAcidTokens amino_acid_tokens(const lm::LanguageModel& model);

/// How many tokens stand before a sequence's first residue.
[[nodiscard]] std::int32_t front_tokens(const lm::LanguageModel& model);

}  // namespace aceso::proteins
