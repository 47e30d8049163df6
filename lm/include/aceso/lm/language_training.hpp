/// \file
/// Training a language model from sequences to a model: what `proteins train`, `molecules train`
/// and others of their kind share.
#pragma once

#include "aceso/lm/pretraining.hpp"
#include "aceso/lm/training.hpp"
#include "aceso/nn/tokenizer.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace aceso::lm {

/// Options of an app that trains a language model. A job inherits them.
struct LanguageTrainingOptions : TrainingOptions {
  std::optional<std::filesystem::path> base;    ///< a model to go on from
  std::optional<std::filesystem::path> output;  ///< the model that is written
  std::int64_t layers = 6, hidden = 320, heads = 20;
  std::int64_t max_length = 1024;
  double held_out = 0.02;
  std::string name;
  std::string store = "fp32";
};

/// What an app brings.
struct LanguageTrainingTask {
  bool causal = false;
  double masked_share = 0.15;
  std::string default_name;
  std::string training_data;  ///< for the card: what was trained on
  std::string intended_use;   ///< for the card
};

/// Trains on `store` and writes the model (on rank 0), with figures and plots in the report.
/// With a base model its shape and tokenizer count, else `tokenizer`.
/// \throws Error as TrainingOptions' and PretrainingSource's checks do.
void train_language_model(TokenStore store, const nn::Tokenizer& tokenizer,
                          const LanguageTrainingTask& task, const LanguageTrainingOptions& options,
                          app::RunContext& context);

/// The tokenizer that sequences must be encoded with: the base model's, if there is one.
[[nodiscard]] nn::Tokenizer training_tokenizer(const LanguageTrainingOptions& options,
                                               const nn::Tokenizer& otherwise);

/// Adds the options to an app whose Job inherits LanguageTrainingOptions.
template <typename Job>
void describe_language_training(app::Describe<Job>& d) {
  using Path = std::optional<std::filesystem::path>;
  using L = LanguageTrainingOptions;
  const auto number = [](std::int64_t L::* m) { return static_cast<std::int64_t Job::*>(m); };
  d.input("model", static_cast<Path Job::*>(&L::base),
          {.kind = "model", .help = "model to go on from, instead of random weights"});
  d.output("output", static_cast<Path Job::*>(&L::output),
           {.kind = "model", .file_name = "trained.model.tar", .help = "the trained model"});
  d.option("layers", number(&L::layers),
           {.help = "transformer layers (6, 12 and 30 are the shapes of ESM-2 8M, 35M and 150M)",
            .minimum = 1,
            .maximum = 1024,
            .group = "Shape"});
  d.option("hidden", number(&L::hidden),
           {.help = "numbers for each token (320, 480, 640)",
            .minimum = 8,
            .maximum = 65536,
            .group = "Shape"});
  d.option("heads", number(&L::heads),
           {.help = "attention heads; divide hidden into even parts",
            .minimum = 1,
            .maximum = 1024,
            .group = "Shape"});
  d.option("max_length", number(&L::max_length),
           {.help = "longer sequences are cropped, at a new place in each epoch",
            .unit = "tokens",
            .minimum = 4,
            .group = "Data"});
  d.option("held_out", static_cast<double Job::*>(&L::held_out),
           {.help = "share of the sequences that is never trained on",
            .minimum = 0,
            .maximum = 0.9,
            .group = "Data"});
  d.option("name", static_cast<std::string Job::*>(&L::name), {.help = "name of the new model"});
  d.option("store", static_cast<std::string Job::*>(&L::store),
           {.help = "how the weights are written; bf16 is half the size, and rounded",
            .choices = {"fp32", "bf16"},
            .advanced = true});
  describe_training(d);
}

}  // namespace aceso::lm
