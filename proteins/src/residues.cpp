#include "residues.hpp"

#include "aceso/core/error.hpp"

namespace aceso::proteins {

AminoAcidTokens amino_acid_tokens(const lm::LanguageModel& model) {
  AminoAcidTokens tokens{};
  for (std::size_t i = 0; i < kAminoAcids.size(); ++i) {
    tokens[i] = model.tokenizer().find(kAminoAcids.substr(i, 1));
    if (tokens[i] < 0)
      fail(Errc::Unsupported, "{}: expected a model of proteins, found none of the residue {}",
           model.description().name, kAminoAcids[i]);
  }
  return tokens;
}

std::int32_t front_tokens(const lm::LanguageModel& model) {
  return model.tokenizer().begin() >= 0 ? 1 : 0;
}

}  // namespace aceso::proteins
