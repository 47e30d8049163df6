// A net on an emulated GPU beside the same on the CPU, and how their results are compared.
#pragma once

#include "cuda/cuda_transformer.hpp"
#include "emulated_device.hpp"
#include "random_weights.hpp"
#include "transformer_weights.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

namespace aceso::nn::test {

using cuda::CudaTransformer;
using cuda::Executor;
using cuda::emulation::Order;

inline constexpr Order kOrders[] = {{.backwards = false, .eager_copies = false},
                                    {.backwards = true, .eager_copies = false},
                                    {.backwards = false, .eager_copies = true},
                                    {.backwards = true, .eager_copies = true}};

inline TensorSet random_weights(const TransformerSpec& spec, unsigned seed) {
  return random_weights(spec.weights(), {.seed = seed, .deviation = 0.2F, .norms_near_one = true});
}

inline std::vector<Token> random_tokens(const TransformerSpec& spec, std::size_t length,
                                        unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Token> tokens(length);
  for (Token& token : tokens)
    token = static_cast<Token>(random() % static_cast<unsigned>(spec.vocabulary));
  return tokens;
}

/// A net on the device and the same on the CPU.
struct Pair {
  TransformerSpec spec;
  TensorSet weights;
  CudaTransformer device;
  Transformer cpu;

  Pair(const TransformerSpec& the_spec, Precision precision, std::shared_ptr<Executor> executor)
      : spec(the_spec),
        weights(random_weights(spec, 1)),
        device(std::move(executor), spec, TransformerWeights(spec, weights, "test"), precision),
        cpu(spec, weights, precision, "test") {}
};

inline void expect_near(const Tensor& found, const Tensor& expected, double tolerance) {
  ASSERT_EQ(found.shape(), expected.shape());
  const auto a = found.values<float>(), b = expected.values<float>();
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], tolerance * std::max(1.0F, std::abs(b[i]))) << i;
}

inline void expect_same_bits(const Tensor& found, const Tensor& expected) {
  ASSERT_EQ(found.shape(), expected.shape());
  const auto a = found.values<float>(), b = expected.values<float>();
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_EQ(a[i], b[i]) << i;
}

}  // namespace aceso::nn::test
