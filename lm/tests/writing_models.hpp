/// \file
/// Small SMILES language models with random weights, written to a folder.
#pragma once

#include "aceso/nn/model_folder.hpp"
#include "aceso/nn/recurrent.hpp"
#include "aceso/nn/tokenizer.hpp"
#include "aceso/nn/transformer.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

namespace aceso::lm::test {

inline nn::Tokenizer smiles_tokenizer() {
  return nn::Tokenizer::smiles(std::vector<std::string>{"CCNO(c1ccccc1)", "C=C#N"});
}

template <typename Spec>
void write_random_model(const std::filesystem::path& path, const std::string& architecture,
                        const Spec& spec) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0.0F, 0.3F);
  nn::TensorSet weights;
  for (const nn::TensorInfo& info : spec.weights()) {
    Tensor tensor(DType::F32, info.shape);
    for (float& value : tensor.template values<float>()) value = normal(random);
    weights.emplace(info.name, tensor);
  }
  nn::ModelDescription description;
  description.name = "test";
  description.architecture = architecture;
  description.config = spec.to_json();
  description.tokenizer = smiles_tokenizer().to_json();
  nn::ModelWriter writer(path);
  writer.weights(weights);
  writer.commit(description);
}

inline nn::TransformerSpec causal_spec() {
  return {.vocabulary = smiles_tokenizer().size(),
          .hidden = 32,
          .layers = 2,
          .heads = 2,
          .feed_forward = 64,
          .max_length = 40,
          .positions = "learned",
          .head = "plain",
          .causal = true};
}

/// `architecture` is "transformer" or "lstm".
inline void write_writing_model(const std::filesystem::path& path,
                                const std::string& architecture) {
  if (architecture == "transformer") return write_random_model(path, architecture, causal_spec());
  write_random_model(
      path, architecture,
      nn::RecurrentSpec{.vocabulary = smiles_tokenizer().size(), .hidden = 24, .layers = 2});
}

}  // namespace aceso::lm::test
