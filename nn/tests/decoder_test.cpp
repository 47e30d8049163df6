#include "aceso/nn/transformer.hpp"

#include "aceso/core/error.hpp"
#include "kernels/decode.hpp"
#include "random_weights.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace aceso::nn {
namespace {

TransformerSpec causal_spec(const std::string& positions) {
  return {.vocabulary = 29,
          .hidden = 60,  // heads of 20: no multiple of a vector
          .layers = 3,
          .heads = 3,
          .feed_forward = 96,
          .max_length = positions == "learned" ? 150 : 0,
          .positions = positions,
          .head = "plain",
          .causal = true};
}

TensorSet random_weights(const TransformerSpec& spec) {
  return test::random_weights(spec.weights(),
                              {.seed = 3, .deviation = 0.2F, .norms_near_one = true});
}

std::vector<Token> random_tokens(std::size_t length, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Token> tokens;
  while (tokens.size() < length) tokens.push_back(static_cast<Token>(random() % 29));
  return tokens;
}

void expect_near(std::span<const float> a, std::span<const float> b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-5);
}

class DecoderTest : public testing::TestWithParam<std::string> {};

TEST_P(DecoderTest, EachStepGivesWhatTheWholePrefixGives) {
  const TransformerSpec spec = causal_spec(GetParam());
  const Transformer net(spec, random_weights(spec), Precision::Fp32, "test");
  // Sequences begin at different times and end at different lengths, one beyond the first room.
  const std::vector<std::size_t> lengths{5, 140, 1, 64, 17};
  std::vector<std::vector<Token>> sequences;
  std::vector<Tensor> whole;
  for (std::size_t s = 0; s < lengths.size(); ++s) {
    sequences.push_back(random_tokens(lengths[s], static_cast<unsigned>(s)));
    PackedTokens batch;
    batch.add(sequences.back());
    whole.push_back(net.hidden(batch));
  }
  Decoder decoder(net, lengths.size());
  for (std::size_t time = 0; time < 160; ++time) {
    std::vector<std::size_t> slots;
    std::vector<Token> tokens;
    for (std::size_t s = lengths.size(); s-- > 0;) {
      if (time < s || time - s >= lengths[s]) continue;
      slots.push_back(s);
      tokens.push_back(sequences[s][time - s]);
    }
    if (slots.empty()) continue;
    const Tensor rows = decoder.step(slots, tokens);
    for (std::size_t r = 0; r < slots.size(); ++r) {
      const auto at = static_cast<std::int64_t>(time - slots[r]),
                 row = static_cast<std::int64_t>(r);
      expect_near(rows.slice(row, row + 1).values<float>(),
                  whole[slots[r]].slice(at, at + 1).values<float>());
      EXPECT_EQ(decoder.length(slots[r]), at + 1);
    }
    expect_near(net.logits(rows.slice(0, 1)).values<float>(),
                net.logits(whole[slots[0]].slice(static_cast<std::int64_t>(time - slots[0]),
                                                 static_cast<std::int64_t>(time - slots[0]) + 1))
                    .values<float>());
  }
}

TEST_P(DecoderTest, ASlotThatIsRestartedForgets) {
  const TransformerSpec spec = causal_spec(GetParam());
  const Transformer net(spec, random_weights(spec), Precision::Fp32, "test");
  Decoder decoder(net, 1);
  const std::vector<std::size_t> slot{0};
  const std::vector<Token> token{7};
  const Tensor first = decoder.step(slot, token);
  (void)decoder.step(slot, token);
  decoder.restart(0);
  const Tensor again = decoder.step(slot, token);
  for (std::size_t d = 0; d < 60; ++d)
    ASSERT_EQ(first.values<float>()[d], again.values<float>()[d]);
}

INSTANTIATE_TEST_SUITE_P(All, DecoderTest, testing::Values("rotary", "learned"),
                         [](const auto& tested) { return tested.param; });

TEST(Decoder, RefusesWhatItCannotContinue) {
  TransformerSpec spec = causal_spec("learned");
  spec.max_length = 2;
  const Transformer net(spec, random_weights(spec), Precision::Fp32, "test");
  Decoder decoder(net, 1);
  const std::vector<std::size_t> slot{0};
  EXPECT_THROW((void)decoder.step(slot, std::vector<Token>{29}), Error);
  EXPECT_THROW((void)decoder.step(std::vector<std::size_t>{1}, std::vector<Token>{1}), Error);
  EXPECT_THROW((void)decoder.step(slot, std::vector<Token>{1, 1}), Error);
  (void)decoder.step(slot, std::vector<Token>{1});
  (void)decoder.step(slot, std::vector<Token>{1});
  EXPECT_THROW((void)decoder.step(slot, std::vector<Token>{1}), Error);
  spec.causal = false;
  EXPECT_THROW(Decoder(Transformer(spec, random_weights(spec), Precision::Fp32, "test"), 1), Error);
  spec.causal = true;
  EXPECT_THROW(Decoder(Transformer(spec, random_weights(spec), Precision::Bf16, "test"), 1), Error);
}

std::vector<float> noise(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

TEST(DecodeKernels, AttendAsTheFormulaSays) {
  constexpr std::int64_t kHeads = 2, kCapacity = 48;
  for (const kernels::DecodeTable* table : kernels::available_decoders()) {
    for (const std::int64_t size : {1, 15, 16, 33}) {
      const std::int64_t row = kernels::cache_size(size);
      const auto query = noise(static_cast<std::size_t>(kHeads * size), 1);
      const auto keys = noise(static_cast<std::size_t>(kHeads * size * kCapacity), 2);
      const auto values = noise(static_cast<std::size_t>(kHeads * kCapacity * row), 3);
      std::vector<float> workspace(static_cast<std::size_t>(kCapacity + row));
      for (const std::int64_t length : {1, 7, 16, 17, 48}) {
        std::vector<float> out(query.size());
        table->attend({query.data(), keys.data(), values.data(), out.data(), length, kCapacity,
                       kHeads, size, workspace.data()});
        for (std::int64_t h = 0; h < kHeads; ++h) {
          std::vector<double> weights;
          double total = 0;
          for (std::int64_t k = 0; k < length; ++k) {
            double dot = 0;
            for (std::int64_t d = 0; d < size; ++d)
              dot += double{query[static_cast<std::size_t>(h * size + d)]} *
                     keys[static_cast<std::size_t>((h * size + d) * kCapacity + k)];
            weights.push_back(std::exp(dot / std::sqrt(static_cast<double>(size))));
            total += weights.back();
          }
          for (std::int64_t d = 0; d < size; ++d) {
            double sum = 0;
            for (std::int64_t k = 0; k < length; ++k)
              sum += weights[static_cast<std::size_t>(k)] / total *
                     values[static_cast<std::size_t>((h * kCapacity + k) * row + d)];
            ASSERT_NEAR(out[static_cast<std::size_t>(h * size + d)], sum, 1e-5) << table->name;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace aceso::nn
