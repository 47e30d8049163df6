#include "letters.hpp"

#include "aceso/core/error.hpp"

namespace aceso::lm {

Letters letters_of(const LanguageModel& model, const SequenceKind& kind) {
  Letters letters{kind.spelt(kind.alphabet, model.tokenizer(), "alphabet"), {}};
  for (const char letter : letters.text) {
    letters.tokens.push_back(model.tokenizer().find(std::string(1, letter)));
    if (letters.tokens.back() < 0)
      fail(Errc::Unsupported,
           "{}: expected a model of {} with a token for each {}, found none for {}",
           model.description().name, kind.nouns(), kind.letter, letter);
  }
  return letters;
}

std::int32_t front_tokens(const LanguageModel& model) {
  return model.tokenizer().begin() >= 0 ? 1 : 0;
}

std::int32_t back_tokens(const LanguageModel& model) {
  return model.tokenizer().end() >= 0 ? 1 : 0;
}

}  // namespace aceso::lm
