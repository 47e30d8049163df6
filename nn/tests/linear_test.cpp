#include "linear_engine.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <string>
#include <vector>

namespace aceso::nn {
namespace {

using kernels::Bf16;

std::vector<float> noise(std::int64_t count, unsigned seed, float scale = 1.0F) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, scale);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = normal(random);
  return values;
}

float from_bf16(Bf16 value) { return std::bit_cast<float>(std::uint32_t{value} << 16); }
Bf16 to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<Bf16>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

struct Case {
  std::int64_t rows, in, out;
  Precision precision;
  Linear::Result result;
};

/// A layer's inputs, and what the formula makes of them in double.
struct Problem {
  Case shape;
  std::vector<float> x, weight, bias, before;
  std::vector<Bf16> x_bf16;

  explicit Problem(const Case& the_shape)
      : shape(the_shape),
        x(noise(shape.rows * shape.in, 1)),
        weight(noise(shape.out * shape.in, 2, 1.0F / std::sqrt(static_cast<float>(shape.in)))),
        bias(noise(shape.out, 3)),
        before(noise(shape.rows * shape.out, 4)) {
    for (float& value : x) {
      if (shape.precision != Precision::Fp32) value = from_bf16(to_bf16(value));
      x_bf16.push_back(to_bf16(value));
    }
    if (shape.precision == Precision::Bf16)
      for (float& value : weight) value = from_bf16(to_bf16(value));
  }

  [[nodiscard]] LinearWeights weights() const {
    return {weight.data(), bias.data(), shape.out, shape.in};
  }

  [[nodiscard]] double expected(std::int64_t row, std::int64_t column) const {
    double sum = bias[static_cast<std::size_t>(column)];
    for (std::int64_t k = 0; k < shape.in; ++k)
      sum += double{x[static_cast<std::size_t>(row * shape.in + k)]} *
             weight[static_cast<std::size_t>(column * shape.in + k)];
    if (shape.result == Linear::Result::Gelu) sum *= 0.5 * std::erfc(-sum / std::sqrt(2.0));
    if (shape.result == Linear::Result::Added)
      sum += before[static_cast<std::size_t>(row * shape.out + column)];
    return sum;
  }

  /// As f32, whatever the engine writes.
  [[nodiscard]] std::vector<float> computed(const LinearEngine& engine) const {
    const bool fp32 = shape.precision == Precision::Fp32;
    const void* input = fp32 ? static_cast<const void*>(x.data()) : x_bf16.data();
    std::vector<float> y = before;
    if (fp32 || shape.result == Linear::Result::Added) {
      engine.apply(input, y.data(), shape.rows);
      return y;
    }
    std::vector<Bf16> narrow(y.size());
    engine.apply(input, narrow.data(), shape.rows);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = from_bf16(narrow[i]);
    return y;
  }

  [[nodiscard]] double tolerance(double value) const {
    if (shape.precision == Precision::Fp32) return 2e-5;
    const double rounding = std::abs(value) / 128 + 1e-3;
    return shape.precision == Precision::Bf16 ? rounding : rounding + 0.06;
  }
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Precision precision : {Precision::Fp32, Precision::Bf16, Precision::Int8})
    for (const auto result : {Linear::Result::Same, Linear::Result::Gelu, Linear::Result::Added})
      for (const auto& [rows, in, out] : std::vector<std::array<std::int64_t, 3>>{
               {1, 1, 1}, {5, 7, 3}, {13, 33, 65}, {70, 48, 144}, {2, 130, 200}, {401, 64, 33}})
        all.push_back({rows, in, out, precision, result});
  return all;
}

class LinearTest : public testing::TestWithParam<Case> {};

TEST_P(LinearTest, EveryEngineFollowsTheFormula) {
  const Problem problem(GetParam());
  const auto compare = [&](const LinearEngine& engine, const char* engine_name) {
    const auto y = problem.computed(engine);
    for (std::int64_t r = 0; r < problem.shape.rows; ++r)
      for (std::int64_t c = 0; c < problem.shape.out; ++c) {
        const double expected = problem.expected(r, c);
        ASSERT_NEAR(y[static_cast<std::size_t>(r * problem.shape.out + c)], expected,
                    problem.tolerance(expected))
            << engine_name << " at " << r << ", " << c;
      }
  };
  const auto& [rows, in, out, precision, result] = problem.shape;
  for (const kernels::Table* table : kernels::available())
    compare(*panel_linear(problem.weights(), precision, result, *table), table->name);
}

INSTANTIATE_TEST_SUITE_P(Shapes, LinearTest, testing::ValuesIn(cases()), [](const auto& tested) {
  const Case& c = tested.param;
  return std::string(name(c.precision)) + "_" + std::to_string(static_cast<int>(c.result)) + "_" +
         std::to_string(c.rows) + "x" + std::to_string(c.in) + "x" + std::to_string(c.out);
});

/// The sums of int8 factors are exact, so all instruction sets must agree to the rounding of the
/// few operations that follow.
TEST(Linear, Int8IsTheSameOnEveryInstructionSet) {
  const Problem problem({70, 96, 65, Precision::Int8, Linear::Result::Added});
  const auto reference = problem.computed(*panel_linear(
      problem.weights(), Precision::Int8, Linear::Result::Added, kernels::portable()));
  for (const kernels::Table* table : kernels::available()) {
    const auto y = problem.computed(
        *panel_linear(problem.weights(), Precision::Int8, Linear::Result::Added, *table));
    for (std::size_t i = 0; i < 70 * 65; ++i)
      ASSERT_NEAR(y[i], reference[i], 1e-5) << table->name << " at " << i;
  }
}

/// x from 0 to 255 with both ends there, and weights that reach 127: nothing is rounded away.
TEST(Linear, Int8IsExactForWholeNumbers) {
  Problem problem({9, 1031, 40, Precision::Int8, Linear::Result::Added});
  std::mt19937 random(6);
  for (std::size_t i = 0; i < problem.x.size(); ++i) {
    const std::size_t k = i % 1031;
    problem.x[i] = k < 2 ? static_cast<float>(k * 255) : static_cast<float>(random() % 256);
    problem.x[i] -= 100;
    problem.x_bf16[i] = to_bf16(problem.x[i]);
  }
  for (std::size_t i = 0; i < problem.weight.size(); ++i)
    problem.weight[i] = i % 1031 == 5 ? 127.0F : static_cast<float>(random() % 255) - 127.0F;
  for (const kernels::Table* table : kernels::available()) {
    const auto y = problem.computed(
        *panel_linear(problem.weights(), Precision::Int8, Linear::Result::Added, *table));
    for (std::int64_t r = 0; r < 9; ++r)
      for (std::int64_t c = 0; c < 40; ++c) {
        const double expected = problem.expected(r, c);
        ASSERT_NEAR(y[static_cast<std::size_t>(r * 40 + c)], expected,
                    1 + std::abs(expected) * 2e-7)
            << table->name << " at " << r << ", " << c;
      }
  }
}

TEST(Linear, ARowDoesNotDependOnTheRowsBesideIt) {
  for (const Precision precision : {Precision::Fp32, Precision::Bf16, Precision::Int8}) {
    const Problem many({401, 100, 90, precision, Linear::Result::Same});
    const Linear layer(many.weight.data(), many.bias.data(), 90, 100, precision,
                       Linear::Result::Same);
    const std::size_t bytes = precision == Precision::Fp32 ? 4 : 2;
    const auto* x = precision == Precision::Fp32
                        ? reinterpret_cast<const std::byte*>(many.x.data())
                        : reinterpret_cast<const std::byte*>(many.x_bf16.data());
    std::vector<std::byte> together(401 * 90 * bytes);
    layer.apply(x, together.data(), 401);
    std::vector<std::byte> alone(64 * 90 * bytes);
    for (const std::size_t row : {0U, 5U, 6U, 200U, 337U}) {
      layer.apply(x + row * 100 * bytes, alone.data(), 1);
      EXPECT_TRUE(std::equal(alone.begin(), alone.begin() + 90 * static_cast<std::ptrdiff_t>(bytes),
                             together.begin() + static_cast<std::ptrdiff_t>(row * 90 * bytes)))
          << name(precision) << " row " << row;
    }
  }
}

}  // namespace
}  // namespace aceso::nn
