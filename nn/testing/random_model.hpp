// A transformer with random weights as a model folder: what tests of toolkits run on.
#pragma once

#include "aceso/nn/model_folder.hpp"
#include "aceso/nn/tokenizer.hpp"
#include "aceso/nn/transformer.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <random>

namespace aceso::nn::test {

/// Same weights for the same seed.
inline void write_random_model(const std::filesystem::path& path, const TransformerSpec& spec,
                               const Tokenizer& tokenizer, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 0.3F);
  TensorSet weights;
  for (const TensorInfo& info : spec.weights()) {
    Tensor tensor(DType::F32, info.shape);
    for (float& value : tensor.values<float>()) value = normal(random);
    weights.emplace(info.name, tensor);
  }
  ModelDescription description;
  description.name = "test";
  description.architecture = "transformer";
  description.config = spec.to_json();
  description.tokenizer = tokenizer.to_json();
  ModelWriter writer(path);
  writer.weights(weights);
  writer.commit(description);
}

}  // namespace aceso::nn::test
