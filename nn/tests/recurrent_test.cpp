#include "aceso/nn/recurrent.hpp"

#include "aceso/core/error.hpp"
#include "kernels/decode.hpp"
#include "random_weights.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <random>

namespace aceso::nn {
namespace {

RecurrentSpec small_spec(std::int64_t embedding) {
  return {.vocabulary = 11, .embedding = embedding, .hidden = 21, .layers = 2};
}

TensorSet random_weights(const RecurrentSpec& spec) {
  return test::random_weights(spec.weights(), {.deviation = 0.4F});
}

/// W x + b, in double.
std::vector<double> affine(const TensorSet& weights, const std::string& weight,
                           const std::string& bias, const std::vector<double>& x) {
  const auto w = weights.at(weight).values<float>();
  std::vector<double> y(w.size() / x.size());
  for (std::size_t o = 0; o < y.size(); ++o) {
    y[o] = bias.empty() ? 0.0 : weights.at(bias).values<float>()[o];
    for (std::size_t i = 0; i < x.size(); ++i) y[o] += w[o * x.size() + i] * x[i];
  }
  return y;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// The logits behind each token, as the formulas say.
std::vector<std::vector<double>> plain(const RecurrentSpec& spec, const TensorSet& weights,
                                       const std::vector<Token>& tokens) {
  const auto h = static_cast<std::size_t>(spec.hidden);
  const std::vector<double> nothing(h, 0.0);
  std::vector<std::vector<double>> cell(2, nothing), state(2, nothing), logits;
  for (const Token token : tokens) {
    std::vector<double> x(11, 0.0);
    x[static_cast<std::size_t>(token)] = 1;
    if (spec.embedding > 0) {
      const auto row = weights.at("embed.tokens.weight").slice(token, token + 1).values<float>();
      x.assign(row.begin(), row.end());
    }
    for (std::size_t l = 0; l < 2; ++l) {
      const std::string layer = "layers." + std::to_string(l) + ".";
      const auto a = affine(weights, layer + "input.weight", layer + "bias", x);
      const auto b = affine(weights, layer + "recurrent.weight", "", state[l]);
      for (std::size_t d = 0; d < h; ++d) {
        const auto gate = [&](std::size_t g) { return a[g * h + d] + b[g * h + d]; };
        cell[l][d] = sigmoid(gate(1)) * cell[l][d] + sigmoid(gate(0)) * std::tanh(gate(2));
        state[l][d] = sigmoid(gate(3)) * std::tanh(cell[l][d]);
      }
      x = state[l];
    }
    logits.push_back(affine(weights, "head.weight", "head.bias", x));
  }
  return logits;
}

class RecurrentTest : public testing::TestWithParam<std::int64_t> {};

TEST_P(RecurrentTest, StepsComputeTheFormulas) {
  const RecurrentSpec spec = small_spec(GetParam());
  const TensorSet weights = random_weights(spec);
  const Recurrent net(spec, weights, "test");
  const std::vector<std::vector<Token>> sequences{{1, 5, 10, 0, 3, 3}, {7, 2}, {4, 4, 9, 8}};
  std::vector<std::vector<std::vector<double>>> expected;
  for (const auto& tokens : sequences) expected.push_back(plain(spec, weights, tokens));
  RecurrentState state = net.state(3);
  for (std::size_t t = 0; t < 6; ++t) {
    std::vector<std::size_t> slots;
    std::vector<Token> tokens;
    for (const std::size_t s : {2U, 0U, 1U}) {
      if (t >= sequences[s].size()) continue;
      slots.push_back(s);
      tokens.push_back(sequences[s][t]);
    }
    const Tensor logits = net.step(state, slots, tokens);
    for (std::size_t r = 0; r < slots.size(); ++r)
      for (std::size_t v = 0; v < 11; ++v)
        ASSERT_NEAR(logits.values<float>()[r * 11 + v], expected[slots[r]][t][v], 1e-5);
  }
  net.restart(state, 2);
  const Tensor again = net.step(state, std::vector<std::size_t>{2}, std::vector<Token>{4});
  for (std::size_t v = 0; v < 11; ++v)
    ASSERT_NEAR(again.values<float>()[v], expected[2][0][v], 1e-5);
}

INSTANTIATE_TEST_SUITE_P(EmbeddedAndOneHot, RecurrentTest, testing::Values(6, 0));

TEST(Recurrent, RefusesTokensAndWeightsThatDoNotFit) {
  const RecurrentSpec spec = small_spec(0);
  TensorSet weights = random_weights(spec);
  const Recurrent net(spec, weights, "test");
  RecurrentState state = net.state(1);
  const std::vector<std::size_t> slot{0};
  EXPECT_THROW((void)net.step(state, slot, std::vector<Token>{11}), Error);
  EXPECT_THROW((void)net.step(state, std::vector<std::size_t>{1}, std::vector<Token>{1}), Error);
  EXPECT_THROW((void)net.step(state, slot, std::vector<Token>{}), Error);
  weights["layers.1.bias"] = Tensor(DType::F32, {83});
  try {
    const Recurrent broken(spec, weights, "m");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "m: layers.1.bias: expected the shape [84], found [83]");
  }
}

TEST(RecurrentSpec, ReadsWhatItWrites) {
  const RecurrentSpec spec = small_spec(6);
  EXPECT_EQ(RecurrentSpec::from_json(spec.to_json(), "x").to_json(), spec.to_json());
  Json broken = spec.to_json();
  broken["hidden"] = 0;
  EXPECT_THROW((void)RecurrentSpec::from_json(broken, "x"), Error);
}

TEST(DecodeKernels, LstmCellsAreExactEnoughFarOut) {
  for (const kernels::DecodeTable* table : kernels::available_decoders()) {
    for (const std::int64_t width : {1, 15, 16, 37}) {
      std::mt19937 random(2);
      std::normal_distribution<float> normal(0.0F, 20.0F);
      std::vector<float> gates(static_cast<std::size_t>(4 * width)),
          cell(static_cast<std::size_t>(width)), shown(static_cast<std::size_t>(width));
      for (float& value : gates) value = normal(random);
      for (float& value : cell) value = normal(random) / 20;
      const std::vector<float> before = cell;
      table->lstm_cell(gates.data(), cell.data(), shown.data(), width);
      for (std::size_t d = 0; d < cell.size(); ++d) {
        const auto gate = [&](std::size_t g) { return double{gates[g * cell.size() + d]}; };
        const double memory = sigmoid(gate(1)) * before[d] + sigmoid(gate(0)) * std::tanh(gate(2));
        ASSERT_NEAR(cell[d], memory, 1e-6) << table->name;
        ASSERT_NEAR(shown[d], sigmoid(gate(3)) * std::tanh(memory), 1e-6) << table->name;
      }
    }
  }
}

}  // namespace
}  // namespace aceso::nn
