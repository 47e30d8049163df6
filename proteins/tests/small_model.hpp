/// \file
/// A small protein language model with random weights, written to a folder.
#pragma once

#include "aceso/nn/model_folder.hpp"
#include "aceso/nn/tokenizer.hpp"
#include "aceso/nn/transformer.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <random>

namespace aceso::proteins::test {

inline nn::TransformerSpec small_spec() {
  return {.vocabulary = 33,
          .hidden = 32,
          .layers = 2,
          .heads = 2,
          .feed_forward = 64,
          .token_dropout = true,
          .mask_token = 32};
}

inline void write_small_model(const std::filesystem::path& path) {
  const nn::TransformerSpec spec = small_spec();
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0.0F, 0.3F);
  nn::TensorSet weights;
  for (const nn::TensorInfo& info : spec.weights()) {
    Tensor tensor(DType::F32, info.shape);
    for (float& value : tensor.values<float>()) value = normal(random);
    weights.emplace(info.name, tensor);
  }
  nn::ModelDescription description;
  description.name = "test";
  description.architecture = "transformer";
  description.config = spec.to_json();
  description.tokenizer = nn::Tokenizer::esm().to_json();
  nn::ModelWriter writer(path);
  writer.weights(weights);
  writer.commit(description);
}

}  // namespace aceso::proteins::test
