/// \file
/// An alphabet's letters as tokens of a model, and options that apps of sequences share.
#pragma once

#include "aceso/lm/device_option.hpp"
#include "aceso/lm/language_model.hpp"
#include "aceso/lm/sequence_apps.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace aceso::lm {

/// What may be substituted and designed, as a model spells it: RNA's U is another's T.
struct Letters {
  std::string text;
  std::vector<nn::Token> tokens;  ///< in the order of `text`
};

/// \throws Error Unsupported naming the model if its vocabulary lacks one of the kind's alphabet.
[[nodiscard]] Letters letters_of(const LanguageModel& model, const SequenceKind& kind);

/// How many tokens stand before a sequence's first letter, and behind its last.
[[nodiscard]] std::int32_t front_tokens(const LanguageModel& model);
[[nodiscard]] std::int32_t back_tokens(const LanguageModel& model);

/// The option `strands`, for kinds that have two.
template <typename Job>
void describe_strands(app::Describe<Job>& d, const SequenceKind& kind, std::string Job::* strands) {
  if (!kind.other_strand) return;
  d.option("strands", strands,
           {.help = "read each sequence as it is, or its reverse complement too, and take the mean",
            .choices = {"forward", "both"}});
}

template <typename Job>
void describe_precision(app::Describe<Job>& d, std::string Job::* precision) {
  d.option("precision", precision,
           {.help = "numbers that the layers compute with", .choices = nn::precision_names()});
}

/// Puts a toolkit's own words in.
template <typename Job>
void describe_texts(app::Describe<Job>& d, const AppTexts& texts, std::uint64_t memory_mb) {
  d.help(texts.help);
  d.example(texts.example);
  d.sample(texts.sample);
  d.resources({.memory_mb = memory_mb});
}

}  // namespace aceso::lm
