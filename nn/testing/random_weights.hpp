// Weights that tests make up.
#pragma once

#include "aceso/nn/tensor_file.hpp"

#include <random>
#include <string>
#include <vector>

namespace aceso::nn::test {

/// How made-up weights are drawn. The same for the same seed.
struct RandomWeights {
  unsigned seed = 1;
  float deviation = 0.3F;
  /// Those named "norm.weight" are around 1 instead of 0, as trained nets have them.
  bool norms_near_one = false;
};

/// Normal f32 weights of the names and shapes in `infos`.
[[nodiscard]] inline TensorSet random_weights(const std::vector<TensorInfo>& infos,
                                              const RandomWeights& how) {
  std::mt19937 random(how.seed);
  TensorSet weights;
  for (const TensorInfo& info : infos) {
    Tensor tensor(DType::F32, info.shape);
    const bool near_one = how.norms_near_one && info.name.find("norm.weight") != std::string::npos;
    std::normal_distribution<float> normal(near_one ? 1.0F : 0.0F, how.deviation);
    for (float& value : tensor.values<float>()) value = normal(random);
    weights.emplace(info.name, std::move(tensor));
  }
  return weights;
}

}  // namespace aceso::nn::test
