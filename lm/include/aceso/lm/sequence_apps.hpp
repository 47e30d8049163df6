/// \file
/// The apps of a toolkit of sequences (embed, score, generate, train, finetune, predict), told what
/// its sequences are made of. Proteins and nucleotides are two kinds of them.
#pragma once

#include "aceso/app/app.hpp"
#include "aceso/nn/tokenizer.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::lm {

/// A vocabulary that a new model can have.
struct Vocabulary {
  std::string name;  ///< as a choice of the option `vocabulary`
  std::function<nn::Tokenizer(int k)> tokenizer;
};

/// What sequences of a toolkit are.
struct SequenceKind {
  std::string toolkit;   ///< "proteins"
  std::string noun;      ///< "protein"; with an s: several
  std::string id;        ///< of new models and designs: "protein", "dna"
  std::string letter;    ///< "residue"; with an s: several
  std::string alphabet;  ///< letters that may be substituted and designed, e.g. the amino acids
  /// For new models. With only one there is no option; of several, the default is called bases.
  std::vector<Vocabulary> vocabularies;
  /// `sequence` (upper case) in the letters that `tokenizer` knows. Empty: as it is.
  /// \throws Error CorruptData naming `place` if it is no sequence of this kind.
  std::function<std::string(std::string sequence, const nn::Tokenizer& tokenizer,
                            std::string_view place)>
      spelling = {};
  /// The other strand, read from its own beginning. Empty: there is none.
  std::function<std::string(std::string_view sequence)> other_strand = {};

  [[nodiscard]] std::string nouns() const { return noun + "s"; }
  [[nodiscard]] std::string letters() const { return letter + "s"; }
  [[nodiscard]] std::string spelt(std::string sequence, const nn::Tokenizer& tokenizer,
                                  std::string_view place) const {
    return spelling ? spelling(std::move(sequence), tokenizer, place) : std::move(sequence);
  }
};

/// What an app says in its toolkit's own words.
struct AppTexts {
  std::string summary, help, example;
  app::Sample sample;
};

[[nodiscard]] app::App embed_app(const SequenceKind& kind, const AppTexts& texts);
[[nodiscard]] app::App score_app(const SequenceKind& kind, const AppTexts& texts);
[[nodiscard]] app::App generate_app(const SequenceKind& kind, const AppTexts& texts);
[[nodiscard]] app::App train_app(const SequenceKind& kind, const AppTexts& texts);
[[nodiscard]] app::App finetune_app(const SequenceKind& kind, const AppTexts& texts);
[[nodiscard]] app::App predict_app(const SequenceKind& kind, const AppTexts& texts);

}  // namespace aceso::lm
