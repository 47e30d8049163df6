#include "aceso/nn/transformer.hpp"

#include "aceso/core/error.hpp"
#include "random_weights.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <random>

namespace aceso::nn {
namespace {

TransformerSpec small_spec() {
  return {.vocabulary = 33,
          .hidden = 48,
          .layers = 2,
          .heads = 3,
          .feed_forward = 96,
          .token_dropout = true,
          .mask_token = 32};
}

TensorSet random_weights(const TransformerSpec& spec, unsigned seed = 1) {
  return test::random_weights(spec.weights(),
                              {.seed = seed, .deviation = 0.2F, .norms_near_one = true});
}

std::vector<Token> random_tokens(std::size_t length, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Token> tokens{0};
  while (tokens.size() + 1 < length) tokens.push_back(static_cast<Token>(4 + random() % 20));
  tokens.push_back(2);
  return tokens;
}

class PrecisionTest : public testing::TestWithParam<Precision> {};

TEST_P(PrecisionTest, ASequenceAloneGivesWhatItGivesInAPack) {
  const auto spec = small_spec();
  const Transformer net(spec, random_weights(spec), GetParam(), "test");
  PackedTokens pack;
  std::vector<Tensor> alone;
  for (const std::size_t length : {2U, 63U, 64U, 65U, 300U, 7U, 520U}) {
    const auto tokens = random_tokens(length, static_cast<unsigned>(length));
    pack.add(tokens);
    PackedTokens single;
    single.add(tokens);
    alone.push_back(net.hidden(single));
  }
  const Tensor together = net.hidden(pack);
  for (std::size_t s = 0; s < alone.size(); ++s) {
    const auto part = together.slice(pack.offsets[s], pack.offsets[s + 1]);
    const auto a = alone[s].values<float>(), b = part.values<float>();
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) ASSERT_EQ(a[i], b[i]);
  }
}

TEST_P(PrecisionTest, PointsTheSameWayAsFp32) {
  const auto spec = small_spec();
  const auto weights = random_weights(spec);
  PackedTokens batch;
  batch.add(random_tokens(100, 5));
  const Tensor a = Transformer(spec, weights, Precision::Fp32, "test").hidden(batch);
  const Tensor b = Transformer(spec, weights, GetParam(), "test").hidden(batch);
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.values<float>().size(); ++i) {
    const double x = a.values<float>()[i], y = b.values<float>()[i];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  EXPECT_GT(ab / std::sqrt(aa * bb), 0.999);
}

INSTANTIATE_TEST_SUITE_P(All, PrecisionTest,
                         testing::Values(Precision::Fp32, Precision::Bf16, Precision::Int8),
                         [](const auto& tested) { return std::string(name(tested.param)); });

TEST(Precision, NamesAreTheChoices) {
  for (const std::string& choice : precision_names())
    EXPECT_EQ(name(precision_by_name(choice)), choice);
  EXPECT_THROW(static_cast<void>(precision_by_name("int4")), Error);
}

TEST(Transformer, CausalRowsDoNotSeeWhatFollows) {
  auto spec = small_spec();
  spec.causal = true;
  spec.token_dropout = false;
  spec.head = "plain";
  const Transformer net(spec, random_weights(spec), Precision::Fp32, "test");
  auto tokens = random_tokens(40, 9);
  PackedTokens one, two;
  one.add(tokens);
  tokens.resize(20);
  two.add(tokens);
  const Tensor a = net.hidden(one).slice(0, 20), b = net.hidden(two);
  for (std::size_t i = 0; i < b.values<float>().size(); ++i)
    ASSERT_NEAR(a.values<float>()[i], b.values<float>()[i], 1e-5);
  EXPECT_EQ(net.logits(b).shape(), (std::vector<std::int64_t>{20, 33}));
}

TEST(Transformer, LearnedPositionsEndSomewhere) {
  auto spec = small_spec();
  spec.positions = "learned";
  spec.max_length = 10;
  const Transformer net(spec, random_weights(spec), Precision::Fp32, "test");
  PackedTokens batch;
  batch.add(random_tokens(11, 1));
  EXPECT_THROW(static_cast<void>(net.hidden(batch)), Error);
}

TEST(Transformer, RefusesTokensOutsideTheVocabulary) {
  const auto spec = small_spec();
  const Transformer net(spec, random_weights(spec), Precision::Fp32, "test");
  for (const Token wrong : {-1, 33}) {
    PackedTokens batch;
    batch.add(std::vector<Token>{wrong});
    EXPECT_THROW(static_cast<void>(net.hidden(batch)), Error);
  }
  EXPECT_EQ(net.hidden(PackedTokens{}).shape()[0], 0);
}

TEST(Transformer, NamesTheTensorThatIsMissingOrMisshapen) {
  const auto spec = small_spec();
  auto weights = random_weights(spec);
  const auto message = [&] {
    try {
      const Transformer net(spec, weights, Precision::Fp32, "m");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  weights["final_norm.bias"] = Tensor(DType::F32, {47});
  EXPECT_EQ(message(), "m: final_norm.bias: expected the shape [48], found [47]");
  weights.erase("final_norm.bias");
  EXPECT_EQ(message(), "m: the tensor final_norm.bias is missing");
}

TEST(TransformerSpec, ReadsWhatItWrites) {
  const auto spec = small_spec();
  EXPECT_EQ(TransformerSpec::from_json(spec.to_json(), "x").to_json(), spec.to_json());
  for (const auto& [member, value] : std::initializer_list<std::pair<const char*, Json>>{
           {"heads", 5}, {"hidden", 0}, {"layers", "two"}, {"positions", "none"}}) {
    Json broken = spec.to_json();
    broken[member] = value;
    EXPECT_THROW(static_cast<void>(TransformerSpec::from_json(broken, "x")), Error) << member;
  }
}

}  // namespace
}  // namespace aceso::nn
