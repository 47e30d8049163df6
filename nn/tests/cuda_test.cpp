#include "aceso/core/error.hpp"
#include "aceso/nn/transformer.hpp"
#include "cuda/driver.hpp"
#include "cuda_pair.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>
#include <random>
#include <thread>

namespace aceso::nn {
namespace {

using cuda::EmulatedDevice;
using cuda::emulation::Order;
using test::expect_near;
using test::expect_same_bits;
using test::kOrders;
using test::Pair;
using test::random_tokens;
using test::random_weights;

PackedTokens packed(const TransformerSpec& spec, const std::vector<std::size_t>& lengths) {
  PackedTokens batch;
  for (const std::size_t length : lengths)
    batch.add(random_tokens(spec, length, static_cast<unsigned>(length)));
  return batch;
}

double relative_rms(const Tensor& found, const Tensor& expected) {
  const auto a = found.values<float>(), b = expected.values<float>();
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
    size += static_cast<double>(b[i]) * b[i];
  }
  return std::sqrt(difference / size);
}

/// What nets of the family differ in.
struct Shape {
  const char* name;
  TransformerSpec spec;
  std::vector<std::size_t> lengths;
};

void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }

const Shape kShapes[] = {
    {"Rotary",
     {.vocabulary = 33,
      .hidden = 48,
      .layers = 2,
      .heads = 3,
      .feed_forward = 96,
      .token_dropout = true,
      .mask_token = 32},
     {1, 2, 17, 64, 65, 130}},
    {"LearnedCausal",
     {.vocabulary = 21,
      .hidden = 20,
      .layers = 2,
      .heads = 4,  // of 5 numbers
      .feed_forward = 50,
      .max_length = 150,
      .positions = "learned",
      .head = "plain",
      .causal = true,
      .tied = false},
     {33, 1, 0, 130, 31}},
    {"RotaryCausal",
     {.vocabulary = 30,
      .hidden = 72,
      .layers = 1,
      .heads = 2,  // of 36 numbers
      .feed_forward = 130,
      .head = "none",
      .causal = true},
     {65, 64, 3}},
    {"LargestHead",
     {.vocabulary = 140, .hidden = 128, .layers = 1, .heads = 1, .feed_forward = 136},
     {34, 70}},
};

class CudaShape : public testing::TestWithParam<Shape> {};

TEST_P(CudaShape, InFp32GivesWhatTheCpuGives) {
  const auto& [name, spec, lengths] = GetParam();
  const Pair net(spec, Precision::Fp32, std::make_shared<EmulatedDevice>());
  const PackedTokens batch = packed(spec, lengths);
  const Tensor expected = net.cpu.hidden(batch);
  expect_near(net.device.hidden(batch), expected, 1e-4);
  if (spec.head != "none") expect_near(net.device.logits(expected), net.cpu.logits(expected), 1e-4);
}

TEST_P(CudaShape, InBf16IsAsNearToFp32AsTheCpuIs) {
  const auto& [name, spec, lengths] = GetParam();
  const Pair net(spec, Precision::Bf16, std::make_shared<EmulatedDevice>());
  const PackedTokens batch = packed(spec, lengths);
  const Tensor exact = Transformer(spec, net.weights, Precision::Fp32, "test").hidden(batch);
  const double error = relative_rms(net.device.hidden(batch), exact);
  EXPECT_LT(error, 1.3 * relative_rms(net.cpu.hidden(batch), exact) + 1e-3);
  EXPECT_LT(error, 0.02);
}

TEST_P(CudaShape, DoesNotDependOnWhatCudaLeavesOpen) {
  const auto& [name, spec, lengths] = GetParam();
  const PackedTokens batch = packed(spec, {lengths.front(), lengths.back()});
  for (const Precision precision : {Precision::Fp32, Precision::Bf16}) {
    Tensor first;
    for (const Order& order : kOrders) {
      const Pair net(spec, precision, std::make_shared<EmulatedDevice>(order));
      const Tensor found = net.device.hidden(batch);
      if (first.element_count() <= 1) first = found;
      expect_same_bits(found, first);
    }
  }
}

TEST_P(CudaShape, ASequenceAloneGivesWhatItGivesInAPack) {
  const auto& [name, spec, lengths] = GetParam();
  const PackedTokens batch = packed(spec, lengths);
  for (const Precision precision : {Precision::Fp32, Precision::Bf16}) {
    const Pair net(spec, precision, std::make_shared<EmulatedDevice>());
    const Tensor together = net.device.hidden(batch);
    for (std::size_t s = 0; s < batch.sequences(); ++s) {
      PackedTokens alone;
      alone.add(
          std::span(batch.tokens).subspan(static_cast<std::size_t>(batch.offsets[s]), lengths[s]));
      expect_same_bits(net.device.hidden(alone),
                       together.slice(batch.offsets[s], batch.offsets[s + 1]));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, CudaShape, testing::ValuesIn(kShapes),
                         [](const auto& tested) { return std::string(tested.param.name); });

TransformerSpec small_spec() { return kShapes[0].spec; }

std::string message_of(const std::function<void()>& action, Errc code) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "nothing was refused";
}

// ---- single kernels ----

/// A product of the device beside sums in double precision.
class ProductEdges : public testing::TestWithParam<std::array<int, 3>> {};

std::vector<float> random_numbers(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0F, 1.0F);
  std::vector<float> numbers(count);
  for (float& number : numbers)
    number = cuda::widen(static_cast<cuda::Bf16>(
        cuda::narrowed(normal(random))));  // the same factors in both precisions
  return numbers;
}

double exact_gelu(double x) { return 0.5 * x * std::erfc(-x * 0.7071067811865476); }

struct ProductCase {
  int rows, in, out;
  std::vector<float> x, weight, bias, before;

  ProductCase(int the_rows, int the_in, int the_out)
      : rows(the_rows),
        in(the_in),
        out(the_out),
        x(random_numbers(static_cast<std::size_t>(rows * in), 1)),
        weight(random_numbers(static_cast<std::size_t>(out * in), 2)),
        bias(random_numbers(static_cast<std::size_t>(out), 3)),
        before(random_numbers(static_cast<std::size_t>(rows * out), 4)) {}

  [[nodiscard]] double sum(int row, int column) const {
    double total = bias[static_cast<std::size_t>(column)];
    for (int k = 0; k < in; ++k)
      total += static_cast<double>(x[static_cast<std::size_t>(row * in + k)]) *
               weight[static_cast<std::size_t>(column * in + k)];
    return total;
  }
};

int aligned(int width) {
  return (width + cuda::kAlignment - 1) / cuda::kAlignment * cuda::kAlignment;
}

/// Numbers of a matrix on the device; what lies between rows is NaN and must stay so.
template <typename T>
struct Spread {
  int rows, width, stride;
  std::vector<T> values;

  Spread(int the_rows, int the_width, const std::vector<float>& numbers)
      : rows(the_rows),
        width(the_width),
        stride(aligned(width)),
        values(static_cast<std::size_t>(rows * stride), kGap) {
    for (int i = 0; i < static_cast<int>(numbers.size()); ++i)
      values[static_cast<std::size_t>(i / width * stride + i % width)] = static_cast<T>(
          kIsBf16 ? static_cast<float>(cuda::narrowed(numbers[static_cast<std::size_t>(i)]))
                  : numbers[static_cast<std::size_t>(i)]);
  }
  [[nodiscard]] float at(int row, int column) const {
    return cuda::widen(values[static_cast<std::size_t>(row * stride + column)]);
  }
  [[nodiscard]] bool gaps_untouched() const {
    for (int row = 0; row < rows; ++row)
      for (int column = width; column < stride; ++column)
        if (!std::isnan(at(row, column))) return false;
    return true;
  }

  static constexpr bool kIsBf16 = sizeof(T) == 2;
  static constexpr T kGap = kIsBf16 ? static_cast<T>(0x7fff) : std::numeric_limits<T>::quiet_NaN();
};

/// Runs one kernel of products; y is read back.
template <typename T, typename Y>
void run_product(const ProductCase& c, cuda::Kernel kernel, const Order& order, Spread<Y>& y) {
  const Spread<T> x(c.rows, c.in, c.x), weight(c.out, c.in, c.weight);
  const cuda::ProductArguments arguments{.x = x.values.data(),
                                         .weight = weight.values.data(),
                                         .bias = c.bias.data(),
                                         .y = y.values.data(),
                                         .rows = c.rows,
                                         .in = c.in,
                                         .out = c.out,
                                         .x_stride = x.stride,
                                         .weight_stride = weight.stride,
                                         .y_stride = y.stride};
  cuda::EmulatedStream stream(order);
  stream.launch(kernel, {.x = (c.out + 127) / 128, .y = (c.rows + 127) / 128}, &arguments);
  stream.wait();
}

TEST_P(ProductEdges, AreTheSums) {
  const auto& [rows, in, out] = GetParam();
  const ProductCase c(rows, in, out);
  const Order order = kOrders[(rows + in) % 4];
  Spread<float> plain(rows, out, {}), added(rows, out, c.before), from_bf16(rows, out, c.before);
  Spread<cuda::Bf16> rounded(rows, out, {}), gelu(rows, out, {});
  run_product<float>(c, cuda::Kernel::ProductF32, order, plain);
  run_product<float>(c, cuda::Kernel::ProductF32Added, order, added);
  run_product<cuda::Bf16>(c, cuda::Kernel::ProductBf16, order, rounded);
  run_product<cuda::Bf16>(c, cuda::Kernel::ProductBf16Gelu, order, gelu);
  run_product<cuda::Bf16>(c, cuda::Kernel::ProductBf16Added, order, from_bf16);
  for (int r = 0; r < rows; ++r) {
    for (int o = 0; o < out; ++o) {
      const double sum = c.sum(r, o), before = c.before[static_cast<std::size_t>(r * out + o)];
      const double near = 1e-5 * in + 1e-5;
      ASSERT_NEAR(plain.at(r, o), sum, near) << r << ' ' << o;
      ASSERT_NEAR(added.at(r, o), before + sum, near);
      ASSERT_NEAR(from_bf16.at(r, o), before + sum, near);
      ASSERT_NEAR(rounded.at(r, o), sum, std::abs(sum) / 256 + near);
      ASSERT_NEAR(gelu.at(r, o), exact_gelu(sum), std::abs(sum) / 256 + near);
    }
  }
  EXPECT_TRUE(plain.gaps_untouched() && added.gaps_untouched() && from_bf16.gaps_untouched());
  EXPECT_TRUE(rounded.gaps_untouched() && gelu.gaps_untouched());
}

INSTANTIATE_TEST_SUITE_P(All, ProductEdges,
                         testing::Values(std::array{1, 1, 1}, std::array{128, 32, 128},
                                         std::array{129, 33, 7}, std::array{5, 100, 131}));

TEST(CudaKernels, GeluIsWithinItsBoundOfTheFormula) {
  for (float x = -8; x < 8; x += 0.01F) ASSERT_NEAR(cuda::gelu(x), exact_gelu(x), 1e-6) << x;
}

TEST(CudaKernels, NormsAreTheFormulaAtEveryWidth) {
  for (const int width : {1, 5, 32, 33, 100}) {
    const int rows = 11;  // a block has 8
    const auto numbers = random_numbers(static_cast<std::size_t>(rows * width), 5);
    const auto gain = random_numbers(static_cast<std::size_t>(width), 6);
    const auto bias = random_numbers(static_cast<std::size_t>(width), 7);
    Spread<float> x(rows, width, numbers), y(rows, width, {});
    const cuda::NormArguments arguments{.x = x.values.data(),
                                        .gain = gain.data(),
                                        .bias = bias.data(),
                                        .y = y.values.data(),
                                        .epsilon = 1e-5F,
                                        .rows = rows,
                                        .width = width,
                                        .stride = x.stride};
    cuda::EmulatedStream stream(Order{});
    stream.launch(cuda::Kernel::NormF32, {.x = 2}, &arguments);
    stream.wait();
    for (int r = 0; r < rows; ++r) {
      double mean = 0, variance = 0;
      for (int d = 0; d < width; ++d) mean += static_cast<double>(x.at(r, d)) / width;
      for (int d = 0; d < width; ++d) variance += std::pow(x.at(r, d) - mean, 2) / width;
      for (int d = 0; d < width; ++d) {
        const auto i = static_cast<std::size_t>(d);
        const double expected =
            (x.at(r, d) - mean) / std::sqrt(variance + 1e-5) * gain[i] + bias[i];
        ASSERT_NEAR(y.at(r, d), expected, 1e-4);
      }
    }
    EXPECT_TRUE(y.gaps_untouched());
  }
}

// ---- what the host does ----

TEST(CudaTransformer, ServesSeveralThreadsWithTwoWorkspaces) {
  const TransformerSpec spec = small_spec();
  const Pair net(spec, Precision::Fp32, std::make_shared<EmulatedDevice>());
  const std::size_t lengths[] = {3, 20, 9, 40};
  std::vector<Tensor> expected, found(std::size(lengths));
  for (const std::size_t length : lengths)
    expected.push_back(net.device.hidden(packed(spec, {length})));
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < std::size(lengths); ++i)
      threads.emplace_back([&, i] { found[i] = net.device.hidden(packed(spec, {lengths[i]})); });
  }
  for (std::size_t i = 0; i < found.size(); ++i) expect_same_bits(found[i], expected[i]);
}

TEST(CudaTransformer, TellsWhatABatchNeedsWhenItDoesNotFit) {
  const TransformerSpec spec = small_spec();
  const auto device = std::make_shared<EmulatedDevice>(Order{}, std::size_t{4} << 20);
  const Pair net(spec, Precision::Fp32, device);
  const PackedTokens fits = packed(spec, {30});
  const Tensor before = net.device.hidden(fits);
  const std::string message =
      message_of([&] { static_cast<void>(net.device.hidden(packed(spec, {3000, 2000}))); },
                 Errc::OutOfResources);
  EXPECT_NE(message.find("5000 tokens at once need"), std::string::npos) << message;
  EXPECT_NE(message.find("of 4 MB are free"), std::string::npos) << message;
  expect_same_bits(net.device.hidden(fits), before);
}

TEST(CudaTransformer, GivesItsMemoryBack) {
  const auto device = std::make_shared<EmulatedDevice>();
  const std::size_t free = device->memory().free;
  {
    const Pair net(small_spec(), Precision::Bf16, device);
    static_cast<void>(net.device.hidden(packed(net.spec, {10})));
    EXPECT_LT(device->memory().free, free);
  }
  EXPECT_EQ(device->memory().free, free);
}

TEST(CudaTransformer, OfNothingIsNothing) {
  const Pair net(small_spec(), Precision::Fp32, std::make_shared<EmulatedDevice>());
  EXPECT_EQ(net.device.hidden({}).shape(), (std::vector<std::int64_t>{0, 48}));
  EXPECT_EQ(net.device.logits(Tensor(DType::F32, {0, 48})).shape(),
            (std::vector<std::int64_t>{0, 33}));
}

TEST(CudaTransformer, RefusesWhatItCannotCompute) {
  const auto device = std::make_shared<EmulatedDevice>();
  TransformerSpec spec = small_spec();
  EXPECT_EQ(message_of([&] { Pair(spec, Precision::Int8, device); }, Errc::Unsupported),
            "the device cuda computes in fp32 or bf16, found int8");
  spec.hidden = 260;
  spec.heads = 2;
  EXPECT_EQ(message_of([&] { Pair(spec, Precision::Fp32, device); }, Errc::Unsupported),
            "the device cuda takes heads of up to 128 numbers, found 130");
}

// ---- the driver ----

/// Why there is no GPU here; empty if there is one.
std::string why_not() {
  try {
    static_cast<void>(cuda::first_gpu());
    return {};
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::InvalidArgument) << error.what();
    return error.what();
  }
}

/// What is said when a net is not made on a GPU.
std::string refusal(Precision precision, Errc code) {
  const TransformerSpec spec = small_spec();
  return message_of(
      [&] {
        const Transformer net(spec, random_weights(spec, 1), precision, "test", Device::Cuda);
      },
      code);
}

TEST(CudaDriver, SaysWhatWasExpectedAndFoundWithoutAGpu) {
  const std::string reason = why_not();
  if (reason.empty()) GTEST_SKIP() << "there is a GPU";
  EXPECT_TRUE(reason.starts_with("device cuda: expected ")) << reason;
  EXPECT_NE(reason.find(", found "), std::string::npos) << reason;
  EXPECT_EQ(refusal(Precision::Fp32, Errc::InvalidArgument), reason);
}

TEST(CudaDriver, IsNotAskedForWhatNoGpuComputes) {
  EXPECT_EQ(refusal(Precision::Int8, Errc::Unsupported),
            "the device cuda computes in fp32 or bf16, found int8");
}

TEST(CudaDriver, ItsKernelsAreThoseOfTheTable) {
  const std::string_view ptx = cuda::kernels_ptx();
  if (ptx.empty()) GTEST_SKIP() << "built without clang-19";
  EXPECT_EQ(ptx.data()[ptx.size()], '\0');
  EXPECT_NE(ptx.find(".target sm_80"), std::string_view::npos);
  // Each takes as many bytes as the host gives.
  const auto expect_kernel = [&](const std::string& name, std::size_t bytes) {
    EXPECT_NE(ptx.find(fmt::format(".visible .entry {}(", name)), std::string_view::npos) << name;
    EXPECT_NE(ptx.find(fmt::format(".param .align 8 .b8 {}_param_0[{}]", name, bytes)),
              std::string_view::npos)
        << name;
  };
#define ACESO_EXPECT(name, Arguments, threads, body) \
  expect_kernel("aceso_" #name, sizeof(cuda::Arguments));
  ACESO_CUDA_KERNELS(ACESO_EXPECT)
#undef ACESO_EXPECT
  EXPECT_EQ(ptx.find(".extern"), std::string_view::npos);  // nothing is left to be linked
}

TEST(CudaDriver, AGpuGivesWhatTheCpuGives) {
  if (const std::string reason = why_not(); !reason.empty()) GTEST_SKIP() << reason;
  for (const auto& [name, spec, lengths] : kShapes) {
    const PackedTokens batch = packed(spec, lengths);
    const Pair exact(spec, Precision::Fp32, cuda::first_gpu());
    const Tensor expected = exact.cpu.hidden(batch);
    expect_near(exact.device.hidden(batch), expected, 1e-4);
    if (spec.head != "none")
      expect_near(exact.device.logits(expected), exact.cpu.logits(expected), 1e-4);
    const Pair rounded(spec, Precision::Bf16, cuda::first_gpu());
    EXPECT_LT(relative_rms(rounded.device.hidden(batch), expected), 0.02) << name;
    for (std::size_t s = 0; s < batch.sequences(); ++s) {
      PackedTokens alone;
      alone.add(
          std::span(batch.tokens).subspan(static_cast<std::size_t>(batch.offsets[s]), lengths[s]));
      expect_same_bits(rounded.device.hidden(alone),
                       rounded.device.hidden(batch).slice(batch.offsets[s], batch.offsets[s + 1]));
    }
  }
}

TEST(Devices, NamesAreTheChoices) {
  for (const std::string& choice : device_names()) EXPECT_EQ(name(device_by_name(choice)), choice);
  EXPECT_THROW(static_cast<void>(device_by_name("gpu")), Error);
}

}  // namespace
}  // namespace aceso::nn
