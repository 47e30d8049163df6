#include "kernels/kernels.hpp"

#include "aceso/core/tensor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

namespace aceso::nn::kernels {
namespace {

std::vector<float> noise(std::size_t count, unsigned seed, float scale = 1.0F) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, scale);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

float from_bf16(Bf16 value) { return std::bit_cast<float>(std::uint32_t{value} << 16); }
Bf16 to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<Bf16>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

/// Attention as the formula says, in double.
std::vector<double> plain_attention(const std::vector<float>& qkv, std::int64_t n, std::int64_t h,
                                    std::int64_t heads, bool causal, const float* cosine,
                                    const float* sine) {
  const std::int64_t size = h / heads, half = size / 2;
  const auto turned = [&](std::int64_t t, std::int64_t first, std::int64_t d) {
    const float* x = qkv.data() + t * 3 * h + first;
    if (cosine == nullptr) return double{x[d]};
    const std::int64_t i = d % half;
    const double c = cosine[t * half + i], s = sine[t * half + i];
    return d < half ? x[d] * c - x[d + half] * s : x[d] * c + x[d - half] * s;
  };
  std::vector<double> out(static_cast<std::size_t>(n * h));
  for (std::int64_t head = 0; head < heads; ++head) {
    for (std::int64_t q = 0; q < n; ++q) {
      const std::int64_t seen = causal ? q + 1 : n;
      std::vector<double> weights;
      double total = 0;
      for (std::int64_t k = 0; k < seen; ++k) {
        double dot = 0;
        for (std::int64_t d = 0; d < size; ++d)
          dot += turned(q, head * size, d) * turned(k, h + head * size, d);
        weights.push_back(std::exp(dot / std::sqrt(static_cast<double>(size))));
        total += weights.back();
      }
      for (std::int64_t d = 0; d < size; ++d) {
        double sum = 0;
        for (std::int64_t k = 0; k < seen; ++k)
          sum += weights[static_cast<std::size_t>(k)] *
                 qkv[static_cast<std::size_t>(k * 3 * h + 2 * h + head * size + d)];
        out[static_cast<std::size_t>(q * h + head * size + d)] = sum / total;
      }
    }
  }
  return out;
}

struct Shape {
  std::int64_t length, hidden, heads;
  bool causal, rotary;
};

/// What a variant makes of f32 or bf16 values. \param cosine, sine unless the shape is not rotary.
template <typename T>
std::vector<T> attended(const Table& table, const Shape& shape, const std::vector<T>& qkv,
                        const std::vector<float>& cosine = {},
                        const std::vector<float>& sine = {}) {
  const auto [n, h, heads, causal, rotary] = shape;
  // No sanitizer sees what tile registers write: some numbers behind the end must stay as they are.
  const auto room = static_cast<std::size_t>(attention_workspace(n, h / heads));
  constexpr std::size_t kBehind = 64;
  const Buffer workspace((room + kBehind) * 4);
  const auto behind = [&] { return workspace.data() + room * 4; };
  std::memset(behind(), 0x5a, kBehind * 4);
  std::vector<T> out(static_cast<std::size_t>(n * h));
  table.attention({.qkv = qkv.data(),
                   .out = out.data(),
                   .bf16 = std::is_same_v<T, Bf16>,
                   .causal = causal,
                   .length = n,
                   .hidden = h,
                   .heads = heads,
                   .cosine = rotary ? cosine.data() : nullptr,
                   .sine = rotary ? sine.data() : nullptr,
                   .workspace = reinterpret_cast<float*>(workspace.data())});
  EXPECT_TRUE(std::all_of(behind(), behind() + kBehind * 4, [](std::byte b) {
    return b == std::byte{0x5a};
  })) << table.name;
  return out;
}

std::vector<Bf16> narrowed(const std::vector<float>& values) {
  std::vector<Bf16> narrow;
  for (const float value : values)
    narrow.push_back(std::isnan(value) ? Bf16{0x7fc0} : to_bf16(value));
  return narrow;
}

class AttentionTest : public testing::TestWithParam<Shape> {};

TEST_P(AttentionTest, EveryVariantFollowsTheFormula) {
  const auto [n, h, heads, causal, rotary] = GetParam();
  const auto qkv = noise(static_cast<std::size_t>(n * 3 * h), 7);
  const auto angles = noise(static_cast<std::size_t>(n * h / heads / 2), 8);
  std::vector<float> cosine, sine;
  for (const float angle : angles) {
    cosine.push_back(std::cos(angle));
    sine.push_back(std::sin(angle));
  }
  const auto expected = plain_attention(qkv, n, h, heads, causal, rotary ? cosine.data() : nullptr,
                                        rotary ? sine.data() : nullptr);
  const std::vector<Bf16> narrow = narrowed(qkv);
  for (const Table* table : available()) {
    const auto out = attended(*table, GetParam(), qkv, cosine, sine);
    const auto out_bf16 = attended(*table, GetParam(), narrow, cosine, sine);
    for (std::size_t i = 0; i < out.size(); ++i) {
      ASSERT_NEAR(out[i], expected[i], 2e-5) << table->name << " at " << i;
      ASSERT_NEAR(from_bf16(out_bf16[i]), expected[i], 0.06) << table->name << " at " << i;
    }
  }
}

/// Scores so large that powers of 2 overflow unless the largest score is taken from them.
TEST_P(AttentionTest, EveryVariantFollowsTheFormulaWhereScoresAreLarge) {
  const auto [n, h, heads, causal, rotary] = GetParam();
  auto qkv = noise(static_cast<std::size_t>(n * 3 * h), 17);
  for (std::size_t i = 0; i < qkv.size(); ++i)
    if (static_cast<std::int64_t>(i) % (3 * h) < 2 * h) qkv[i] *= 8.0F;
  const std::vector<float> cosine(static_cast<std::size_t>(n * h / heads / 2), 0.6F);
  const std::vector<float> sine(cosine.size(), 0.8F);
  const auto expected = plain_attention(qkv, n, h, heads, causal, rotary ? cosine.data() : nullptr,
                                        rotary ? sine.data() : nullptr);
  for (const Table* table : available()) {
    const auto out = attended(*table, GetParam(), qkv, cosine, sine);
    for (std::size_t i = 0; i < out.size(); ++i)
      ASSERT_NEAR(out[i], expected[i], 1e-3) << table->name << " at " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, AttentionTest,
    testing::Values(Shape{1, 16, 1, false, true}, Shape{5, 24, 1, false, true},
                    Shape{33, 48, 2, false, true}, Shape{70, 40, 2, true, false},
                    Shape{64, 128, 2, true, true}, Shape{31, 36, 2, false, false},
                    Shape{2, 2, 1, false, true}, Shape{3, 9, 3, true, false},
                    Shape{130, 60, 3, false, true}, Shape{67, 80, 4, true, true},
                    Shape{129, 64, 1, false, true}, Shape{40, 136, 1, true, true}));

TEST(Kernels, AttentionWeighsDistantScoresExactly) {
  // The largest score leads by far, so that the value of its key comes out alone.
  const std::int64_t n = 50, h = 32;
  std::vector<float> qkv(static_cast<std::size_t>(n * 3 * h), 0.0F);
  for (std::int64_t t = 0; t < n; ++t) {
    float* row = qkv.data() + t * 3 * h;
    row[0] = 40.0F;
    row[h] = t == 17 ? 40.0F : -40.0F;
    row[2 * h + 3] = static_cast<float>(t);
  }
  const Shape shape{n, h, 1, false, false};
  for (const Table* table : available()) {
    const auto out = attended(*table, shape, qkv);
    const auto out_bf16 = attended(*table, shape, narrowed(qkv));
    for (std::int64_t t = 0; t < n; ++t) {
      const auto at = static_cast<std::size_t>(t * h + 3);
      ASSERT_NEAR(out[at], 17.0F, 1e-5) << table->name;
      ASSERT_EQ(from_bf16(out_bf16[at]), 17.0F) << table->name;
    }
  }
}

TEST(Kernels, AttentionKeepsNaN) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  const std::int64_t n = 20, h = 24;
  const Shape shape{n, h, 1, false, false};
  for (const float size : {1.0F, 30.0F}) {  // scores small and large
    auto query = noise(static_cast<std::size_t>(n * 3 * h), 21);
    for (float& value : query) value *= size;
    auto key = query;
    query[static_cast<std::size_t>(3 * 3 * h)] = kNaN;
    key[static_cast<std::size_t>(5 * 3 * h + h)] = kNaN;
    for (const Table* table : available()) {
      const auto of_query = attended(*table, shape, query);
      const auto of_query_bf16 = attended(*table, shape, narrowed(query));
      for (std::int64_t t = 0; t < n; ++t) {
        const auto at = static_cast<std::size_t>(t * h);
        EXPECT_EQ(std::isnan(of_query[at]), t == 3) << table->name;
        EXPECT_EQ(std::isnan(from_bf16(of_query_bf16[at])), t == 3) << table->name;
      }
      for (const float value : attended(*table, shape, key))
        EXPECT_TRUE(std::isnan(value)) << table->name;
      for (const Bf16 value : attended(*table, shape, narrowed(key)))
        EXPECT_TRUE(std::isnan(from_bf16(value))) << table->name;
    }
  }
}

/// Vectors reach over the end of a head into the next one, of which nothing may come through.
TEST(Kernels, AHeadSeesNothingOfTheOthers) {
  for (const std::int64_t size : {9, 12, 24, 32}) {
    const std::int64_t n = 37, heads = 3, h = heads * size;
    const bool rotary = size % 2 == 0;
    const auto clean = noise(static_cast<std::size_t>(n * 3 * h), 9);
    auto spoilt = clean;
    for (std::size_t i = 0; i < spoilt.size(); ++i) {
      const auto head = static_cast<std::int64_t>(i) % h / size;
      if (head != 1) spoilt[i] = std::numeric_limits<float>::quiet_NaN();
    }
    const std::vector<float> angles(static_cast<std::size_t>(n * size / 2), 0.6F);
    const Shape shape{n, h, heads, false, rotary};
    for (const Table* table : available()) {
      const auto expected = attended(*table, shape, narrowed(clean), angles, angles);
      const auto found = attended(*table, shape, narrowed(spoilt), angles, angles);
      for (std::int64_t t = 0; t < n; ++t)
        for (std::int64_t d = size; d < 2 * size; ++d) {
          const auto at = static_cast<std::size_t>(t * h + d);
          ASSERT_EQ(found[at], expected[at]) << table->name << ", size " << size << " at " << at;
        }
    }
  }
}

TEST(Kernels, GeluFollowsTheFormula) {
  auto values = noise(1003, 3, 3.0F);
  values.insert(values.end(), {0.0F, -0.0F, 40.0F, -40.0F, 1e-20F, -7.0F});
  for (const Table* table : available()) {
    auto x = values;
    table->gelu(x.data(), static_cast<std::int64_t>(x.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double v = values[i];
      ASSERT_NEAR(x[i], v * 0.5 * std::erfc(-v / std::sqrt(2.0)), 2e-6 * (1 + std::abs(v)))
          << table->name << " of " << v;
    }
  }
}

TEST(Kernels, GeluOfBf16IsWithinItsRounding) {
  const auto values = noise(1003, 3, 3.0F);
  std::vector<Bf16> narrow;
  for (const float value : values) narrow.push_back(to_bf16(value));
  for (const Table* table : available()) {
    auto x = narrow;
    table->gelu_bf16(x.data(), static_cast<std::int64_t>(x.size()));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double v = from_bf16(narrow[i]);
      const double expected = v * 0.5 * std::erfc(-v / std::sqrt(2.0));
      ASSERT_NEAR(from_bf16(x[i]), expected, 2e-5 * std::abs(v) + std::abs(expected) / 256)
          << table->name << " of " << v;
    }
  }
}

TEST(Kernels, GeluOfBf16EndsAtZeroAndKeepsNaN) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const Table* table : available()) {
    std::vector<Bf16> x(20, to_bf16(-1e30F));
    x[1] = to_bf16(infinity);
    x[2] = 0x7fc0;  // NaN
    x[3] = to_bf16(1e30F);
    table->gelu_bf16(x.data(), 20);
    EXPECT_NEAR(from_bf16(x[0]), 0.0F, 2e-5F) << table->name;
    EXPECT_NEAR(from_bf16(x[19]), 0.0F, 2e-5F) << table->name;
    EXPECT_EQ(from_bf16(x[1]), infinity) << table->name;
    EXPECT_TRUE(std::isnan(from_bf16(x[2]))) << table->name;
    EXPECT_NEAR(from_bf16(x[3]), 1e30F, 1e28F) << table->name;
  }
}

TEST(Kernels, GeluKeepsNaNAndInfinity) {
  for (const Table* table : available()) {
    std::vector<float> x(20, std::numeric_limits<float>::quiet_NaN());
    x[3] = std::numeric_limits<float>::infinity();
    table->gelu(x.data(), 20);
    EXPECT_TRUE(std::isnan(x[0]) && std::isnan(x[19])) << table->name;
    EXPECT_TRUE(std::isinf(x[3])) << table->name;
  }
}

TEST(Kernels, NormFollowsTheFormula) {
  for (const std::int64_t width : {1, 16, 36, 320}) {
    const auto size = static_cast<std::size_t>(width);
    auto x = noise(3 * size, 4);
    for (float& value : x) value = value * 5 + 100;
    const auto gain = noise(size, 5), bias = noise(size, 6);
    for (const Table* table : available()) {
      std::vector<float> y(x.size());
      std::vector<Bf16> narrow(x.size());
      table->norm(x.data(), gain.data(), bias.data(), 1e-5F, 3, width, y.data(), nullptr);
      table->norm(x.data(), gain.data(), bias.data(), 1e-5F, 3, width, nullptr, narrow.data());
      for (std::size_t row = 0; row < 3; ++row) {
        double mean = 0, variance = 0;
        for (std::size_t d = 0; d < size; ++d) mean += x[row * size + d] / double(size);
        for (std::size_t d = 0; d < size; ++d)
          variance += (x[row * size + d] - mean) * (x[row * size + d] - mean) / double(size);
        for (std::size_t d = 0; d < size; ++d) {
          const double expected =
              (x[row * size + d] - mean) / std::sqrt(variance + 1e-5) * gain[d] + bias[d];
          ASSERT_NEAR(y[row * size + d], expected, 1e-4) << table->name << " width " << width;
          ASSERT_EQ(narrow[row * size + d], to_bf16(y[row * size + d])) << table->name;
        }
      }
    }
  }
}

}  // namespace
}  // namespace aceso::nn::kernels
