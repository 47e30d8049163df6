// A transformer with random weights as a model folder: what tests of toolkits run on.
#pragma once

#include "random_weights.hpp"

#include "aceso/nn/model_folder.hpp"
#include "aceso/nn/tokenizer.hpp"
#include "aceso/nn/transformer.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>

namespace aceso::nn::test {

/// Same weights for the same seed.
inline void write_random_model(const std::filesystem::path& path, const TransformerSpec& spec,
                               const Tokenizer& tokenizer, unsigned seed) {
  ModelDescription description;
  description.name = "test";
  description.architecture = "transformer";
  description.config = spec.to_json();
  description.tokenizer = tokenizer.to_json();
  ModelWriter writer(path);
  writer.weights(random_weights(spec.weights(), {.seed = seed}));
  writer.commit(description);
}

}  // namespace aceso::nn::test
