#include "aceso/nn/adapter.hpp"
#include "aceso/core/error.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace aceso::nn {
namespace {

Tensor numbers(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  Tensor tensor(DType::F32, std::move(shape));
  std::ranges::copy(values, tensor.values<float>().begin());
  return tensor;
}

std::vector<float> values_of(const Tensor& tensor) {
  const auto values = tensor.values<float>();
  return {values.begin(), values.end()};
}

TEST(Adapter, MergingAddsTheScaledProductAndTakingOutUndoesIt) {
  const TensorSet weights{{"a.weight", numbers({1, 2, 3, 4, 5, 6}, {2, 3})},
                          {"b.weight", numbers({7}, {1, 1})}};
  const TensorSet adapters{{"adapters.a.down", numbers({1, 0, 2}, {1, 3})},
                           {"adapters.a.up", numbers({10, 20}, {2, 1})}};
  const TensorSet with = merged(weights, adapters, 0.5, "test");
  EXPECT_EQ(values_of(with.at("a.weight")), (std::vector<float>{6, 2, 13, 14, 5, 26}));
  EXPECT_EQ(values_of(with.at("b.weight")), std::vector<float>{7});
  EXPECT_EQ(values_of(weights.at("a.weight")).front(), 1);
  const TensorSet without = merged(with, adapters, 0.5, "test", -1);
  EXPECT_EQ(values_of(without.at("a.weight")), values_of(weights.at("a.weight")));
}

TEST(Adapter, OneThatDoesNotFitIsRefusedByName) {
  const TensorSet weights{{"a.weight", numbers({1, 2}, {1, 2})}};
  const auto message = [&](const TensorSet& adapters) -> std::string {
    try {
      (void)merged(weights, adapters, 1, "test");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::CorruptData);
      return error.what();
    }
    return "nothing was refused";
  };
  EXPECT_NE(
      message({{"adapters.z.down", numbers({1}, {1, 1})}, {"adapters.z.up", numbers({1}, {1, 1})}})
          .find("z: expected a layer"),
      std::string::npos);
  EXPECT_NE(
      message({{"adapters.a.down", numbers({1}, {1, 1})}, {"adapters.a.up", numbers({1}, {1, 1})}})
          .find("does not fit a layer of [1, 2]"),
      std::string::npos);
}

TEST(Adapter, RankAndLayersSayWhichWeightsThereAre) {
  const TransformerSpec spec{
      .vocabulary = 5, .hidden = 8, .layers = 3, .heads = 2, .feed_forward = 16};
  const auto weights = AdapterSpec{.rank = 2}.weights(spec);
  EXPECT_EQ(weights.size(), 3 * 2 * 2);
  EXPECT_EQ(weights.front().name, "adapters.layers.0.attention.query.down");
  EXPECT_EQ(weights.front().shape, (std::vector<std::int64_t>{2, 8}));
}

}  // namespace
}  // namespace aceso::nn
