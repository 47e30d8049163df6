#include "aceso/nn/convolutional.hpp"

#include "aceso/core/error.hpp"
#include "plain_convolutional.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <random>
#include <thread>

namespace aceso::nn {
namespace {

using Layer = ConvolutionalLayer;
using Kind = Layer::Kind;
using Function = Layer::Function;
using Sizes = std::vector<std::int64_t>;

TensorSet random_weights(const ConvolutionalSpec& spec) {
  std::mt19937 random(1);
  TensorSet weights;
  for (const TensorInfo& info : spec.weights()) {
    Tensor tensor(DType::F32, info.shape);
    double fan = 1;
    for (std::size_t i = 1; i < info.shape.size(); ++i) fan *= static_cast<double>(info.shape[i]);
    std::normal_distribution<float> normal(0.0F, static_cast<float>(1 / std::sqrt(fan)));
    const bool positive = info.name.ends_with("running_var");
    for (float& value : tensor.values<float>())
      value = positive ? 0.5F + std::abs(normal(random)) : normal(random);
    weights.emplace(info.name, tensor);
  }
  return weights;
}

Tensor random_images(std::int64_t count, std::int64_t channels, const Sizes& size) {
  Sizes shape{count, channels};
  shape.insert(shape.end(), size.begin(), size.end());
  Tensor images(DType::F32, shape);
  std::mt19937 random(2);
  std::normal_distribution<float> normal(0.3F, 1.0F);
  for (float& value : images.values<float>()) value = normal(random);
  return images;
}

plain::Image plain_image(const Tensor& images, std::int64_t number) {
  plain::Place size{1, 1, 1};
  const auto& shape = images.shape();
  for (std::size_t a = 2; a < shape.size(); ++a) size[3 - shape.size() + a] = shape[a];
  plain::Image made(shape[1], size);
  std::ranges::copy(images.slice(number, number + 1).values<float>(), made.values.begin());
  return made;
}

/// The largest difference from the plain net, relative to the largest value.
void expect_as_plain(const ConvolutionalSpec& spec, const Sizes& size, const char* what = "") {
  const TensorSet weights = random_weights(spec);
  const Tensor images = random_images(2, spec.channels, size);
  plain::Net reference(spec, weights);
  for (const Precision precision : {Precision::Fp32, Precision::Bf16}) {
    const Convolutional net(spec, weights, precision, "test");
    const double tolerance = net.precision() == Precision::Bf16 ? 0.04 : 2e-5;
    const std::vector<Tensor> made = net.run(images);
    for (std::int64_t i = 0; i < 2; ++i) {
      const std::vector<plain::Image> expected = reference.run(plain_image(images, i));
      ASSERT_EQ(made.size(), expected.size());
      for (std::size_t o = 0; o < made.size(); ++o) {
        const plain::Image found = plain_image(made[o], i);
        ASSERT_EQ(found.size, expected[o].size) << what;
        ASSERT_EQ(found.channels, expected[o].channels) << what;
        double largest = 1;
        for (const double value : expected[o].values) largest = std::max(largest, std::abs(value));
        for (std::size_t v = 0; v < found.values.size(); ++v)
          ASSERT_NEAR(found.values[v], expected[o].values[v], tolerance * largest)
              << what << " " << spec.to_json().dump() << " " << name(net.precision()) << " at "
              << v;
      }
    }
  }
}

ConvolutionalSpec one(std::int64_t dimensions, std::int64_t channels, Layer layer) {
  layer.name = "layer";
  return {dimensions, channels, {std::move(layer)}, {}};
}

TEST(Convolutional, ConvolvesAsTheFormula) {
  struct Case {
    std::int64_t in, out, groups;
    Sizes kernel, stride, padding, dilation, size;
  };
  const std::vector<Case> cases{
      {1, 1, 1, {3}, {1}, {0}, {1}, {5, 7}},
      {3, 5, 1, {3}, {1}, {1}, {1}, {9, 11}},
      {3, 16, 1, {7}, {2}, {3}, {1}, {31, 17}},
      {16, 32, 1, {3}, {1}, {1}, {1}, {13, 19}},
      {17, 9, 1, {1}, {1}, {0}, {1}, {8, 5}},
      {16, 16, 1, {3, 5}, {2, 1}, {1, 2}, {1}, {14, 15}},
      {8, 24, 1, {3}, {1}, {2}, {2}, {16, 12}},
      {16, 16, 16, {3}, {1}, {1}, {1}, {10, 9}},
      {12, 18, 3, {3}, {1}, {1}, {1}, {7, 7}},
      {32, 64, 2, {3}, {2}, {1}, {1}, {11, 8}},
      {4, 4, 4, {5}, {1}, {4}, {2}, {9, 9}},
      {2, 3, 1, {3}, {1}, {1}, {1}, {4, 5, 6}},
      {16, 16, 1, {3}, {2}, {1}, {1}, {7, 9, 5}},
      {5, 10, 5, {3, 1, 2}, {1, 2, 1}, {1, 0, 1}, {2, 1, 1}, {6, 5, 7}},
      {6, 20, 1, {9}, {2}, {4}, {1}, {61}},
  };
  for (const Case& c : cases)
    for (const bool bias : {true, false})
      expect_as_plain(one(static_cast<std::int64_t>(c.size.size()), c.in,
                          {.kind = Kind::Convolution,
                           .channels = c.out,
                           .kernel = c.kernel,
                           .stride = c.stride,
                           .padding = c.padding,
                           .dilation = c.dilation,
                           .groups = c.groups,
                           .bias = bias}),
                      c.size);
}

TEST(Convolutional, ConvolvesBackwardsAsTheFormula) {
  struct Case {
    std::int64_t in, out, groups;
    Sizes kernel, stride, padding, more, size;
  };
  const std::vector<Case> cases{
      {1, 1, 1, {2}, {2}, {0}, {0}, {5, 7}},      {16, 8, 1, {2}, {2}, {0}, {0}, {6, 3}},
      {32, 16, 1, {3}, {2}, {1}, {1}, {5, 4}},    {6, 4, 2, {4}, {2}, {1}, {0}, {5, 5}},
      {32, 32, 2, {3}, {2}, {1}, {1}, {3, 4}},    {3, 5, 1, {3, 4}, {1, 3}, {0, 1}, {0, 2}, {4, 5}},
      {16, 16, 1, {3}, {2}, {1}, {1}, {2, 3, 4}}, {3, 7, 1, {2}, {2}, {0}, {0}, {3, 2, 3}},
      {2, 2, 1, {3}, {2}, {0}, {1}, {3, 3}},      {4, 6, 1, {5}, {2}, {2}, {1}, {9}},
  };
  for (const Case& c : cases)
    expect_as_plain(one(static_cast<std::int64_t>(c.size.size()), c.in,
                        {.kind = Kind::Transposed,
                         .channels = c.out,
                         .kernel = c.kernel,
                         .stride = c.stride,
                         .padding = c.padding,
                         .output_padding = c.more,
                         .groups = c.groups,
                         .activation = Function::Gelu}),
                    c.size);
}

TEST(Convolutional, PoolsAndResamplesAsTheFormula) {
  for (const Sizes& size : {Sizes{13}, Sizes{9, 7}, Sizes{3, 4, 5}})
    for (const std::int64_t channels : {3, 16, 20}) {
      const auto axes = static_cast<std::int64_t>(size.size());
      for (const Kind kind : {Kind::MaxPool, Kind::AveragePool}) {
        expect_as_plain(one(axes, channels, {.kind = kind, .kernel = {2}}), size);
        expect_as_plain(
            one(axes, channels, {.kind = kind, .kernel = {3}, .stride = {2}, .padding = {1}}),
            size);
      }
      expect_as_plain(one(axes, channels, {.kind = Kind::GlobalAverage}), size);
      for (const Kind kind : {Kind::Nearest, Kind::Interpolate})
        for (const std::int64_t scale : {2, 3})
          expect_as_plain(one(axes, channels, {.kind = kind, .scale = {scale}}), size);
    }
}

TEST(Convolutional, NormsAndActivationsFollowTheirFormulas) {
  for (const Sizes& size : {Sizes{9, 7}, Sizes{3, 4, 5}})
    for (const std::int64_t channels : {1, 6, 36}) {
      const auto axes = static_cast<std::int64_t>(size.size());
      for (const Kind kind : {Kind::BatchNorm, Kind::InstanceNorm, Kind::GroupNorm})
        for (const bool affine : {true, false}) {
          // Alone, and behind a convolution whose layout is in blocks.
          Layer norm{.name = "norm", .kind = kind, .affine = affine};
          if (kind == Kind::GroupNorm) norm.groups = channels % 3 == 0 ? 3 : 1;
          norm.activation = Function::Prelu;
          expect_as_plain({axes, channels, {norm}, {}}, size);
          const Layer first{.name = "first", .channels = channels, .kernel = {3}, .padding = {1}};
          expect_as_plain({axes, 4, {first, norm}, {}}, size);
        }
      for (const Function function : {Function::Relu, Function::LeakyRelu, Function::Prelu,
                                      Function::Gelu, Function::Silu, Function::Sigmoid}) {
        expect_as_plain(one(axes, channels, {.kind = Kind::Activation, .activation = function}),
                        size);
        expect_as_plain(one(axes, 3, {.channels = channels, .kernel = {3}, .activation = function}),
                        size);
      }
    }
}

/// A mean far from 0 must not cost the digits of what varies about it.
TEST(Convolutional, NormsKeepDigitsOfValuesFarFromZero) {
  const ConvolutionalSpec spec = one(2, 1, {.kind = Kind::InstanceNorm, .affine = false});
  Tensor images(DType::F32, {1, 1, 64, 64});
  for (std::size_t i = 0; i < 64 * 64; ++i)
    images.values<float>()[i] = 30000.0F + (i % 2 == 0 ? 1.0F : -1.0F);
  const Tensor made = Convolutional(spec, {}, Precision::Fp32, "test").run(images).front();
  for (std::size_t i = 0; i < 64 * 64; ++i)
    ASSERT_NEAR(made.values<float>()[i], i % 2 == 0 ? 1.0F : -1.0F, 1e-4);
}

TEST(Convolutional, FoldsBatchNormsWhereNobodyElseLooks) {
  for (const Kind kind : {Kind::Convolution, Kind::Transposed})
    for (const std::int64_t groups : {1, 2}) {
      const Layer first{.name = "first",
                        .kind = kind,
                        .channels = 6,
                        .kernel = {3},
                        .groups = groups,
                        .bias = groups == 1};
      const Layer norm{
          .name = "norm", .kind = Kind::BatchNorm, .activation = Function::LeakyRelu, .slope = 0.2};
      const Layer last{.name = "last", .channels = 2, .kernel = {1}};
      expect_as_plain({2, 4, {first, norm, last}, {}}, {6, 7}, "folded");
      expect_as_plain({2, 4, {first, norm, last}, {"first", "last"}}, {6, 7}, "an output");
      const Layer both{.name = "both", .kind = Kind::Add, .inputs = {"first", "norm"}};
      expect_as_plain({2, 4, {first, norm, both}, {}}, {6, 7}, "read twice");
    }
}

ConvolutionalSpec unet(std::int64_t dimensions) {
  const auto block = [](std::string name, std::int64_t channels, std::int64_t stride) {
    return Layer{.name = std::move(name),
                 .channels = channels,
                 .kernel = {3},
                 .stride = {stride},
                 .padding = {1}};
  };
  const auto norm = [](std::string name) {
    return Layer{
        .name = std::move(name), .kind = Kind::InstanceNorm, .activation = Function::Prelu};
  };
  const auto up = [](std::string name, std::int64_t channels) {
    return Layer{.name = std::move(name),
                 .kind = Kind::Transposed,
                 .channels = channels,
                 .kernel = {2},
                 .stride = {2}};
  };
  const auto join = [](std::string name, std::string a, std::string b) {
    return Layer{
        .name = std::move(name), .kind = Kind::Concatenate, .inputs = {std::move(a), std::move(b)}};
  };
  return {
      dimensions,
      2,
      {block("enc0", 10, 1), norm("norm0"), block("enc1", 16, 2), norm("norm1"),
       block("enc2", 24, 2), norm("norm2"), up("up1", 16), join("join1", "up1", "norm1"),
       block("dec1", 16, 1), norm("norm3"), up("up0", 10), join("join0", "up0", "norm0"),
       block("dec0", 10, 1), norm("norm4"), Layer{.name = "head", .channels = 3, .kernel = {1}}},
      {"head", "norm2"}};
}

/// Residual blocks, group norms, linear upsampling and sums, as in SegResNet.
ConvolutionalSpec residual() {
  const auto block = [](std::string name, std::string input, std::int64_t channels,
                        std::int64_t stride) {
    return Layer{.name = std::move(name),
                 .inputs = {std::move(input)},
                 .channels = channels,
                 .kernel = {3},
                 .stride = {stride},
                 .padding = {1},
                 .bias = false};
  };
  const auto norm = [](std::string name) {
    return Layer{.name = std::move(name),
                 .kind = Kind::GroupNorm,
                 .groups = 8,
                 .activation = Function::Relu};
  };
  return {3,
          1,
          {block("stem", "input", 8, 1), norm("n0"), block("c0", "n0", 8, 1),
           Layer{.name = "r0", .kind = Kind::Add, .inputs = {"c0", "stem"}},
           block("down", "r0", 16, 2), norm("n1"), block("c1", "n1", 16, 1),
           Layer{.name = "r1", .kind = Kind::Add, .inputs = {"c1", "down"}},
           Layer{.name = "narrow", .channels = 8, .kernel = {1}, .bias = false},
           Layer{.name = "up", .kind = Kind::Interpolate, .scale = {2}},
           Layer{.name = "sum", .kind = Kind::Add, .inputs = {"up", "r0"}}, norm("n2"),
           Layer{.name = "head", .channels = 2, .kernel = {1}, .activation = Function::Sigmoid}},
          {}};
}

/// Two heads over one trunk, as pileup images are classified.
ConvolutionalSpec classifier() {
  return {2,
          4,
          {Layer{.name = "c0",
                 .channels = 16,
                 .kernel = {3},
                 .padding = {1},
                 .activation = Function::Relu},
           Layer{.name = "p0", .kind = Kind::MaxPool, .kernel = {2}},
           Layer{.name = "c1", .channels = 20, .kernel = {3}},
           Layer{.name = "b1", .kind = Kind::BatchNorm, .activation = Function::Silu},
           Layer{.name = "dense",
                 .kind = Kind::Linear,
                 .channels = 12,
                 .features = 20 * 3 * 2,
                 .activation = Function::Gelu},
           Layer{.name = "genotype", .kind = Kind::Linear, .channels = 3, .features = 12},
           Layer{.name = "mean", .kind = Kind::GlobalAverage, .inputs = {"b1"}},
           Layer{.name = "length", .kind = Kind::Linear, .channels = 5, .features = 20}},
          {"genotype", "length"}};
}

TEST(Convolutional, WholeNetsFollowTheirFormulas) {
  expect_as_plain(unet(2), {20, 28}, "U-Net");
  expect_as_plain(unet(3), {8, 12, 4}, "U-Net of volumes");
  expect_as_plain(residual(), {6, 8, 10}, "residual");
  expect_as_plain(classifier(), {10, 9}, "classifier");
}

bool same(const Tensor& a, const Tensor& b) {
  return std::ranges::equal(a.values<std::int32_t>(), b.values<std::int32_t>());
}

TEST(Convolutional, AnImageDoesNotDependOnImagesBesideItNorOnThreads) {
  const ConvolutionalSpec spec = unet(2);
  const Tensor images = random_images(5, 2, {16, 12});
  for (const Precision precision : {Precision::Fp32, Precision::Bf16}) {
    const Convolutional net(spec, random_weights(spec), precision, "test");
    const std::vector<Tensor> together = net.run(images);
    for (std::int64_t i = 0; i < 5; ++i) {
      const std::vector<Tensor> alone = net.run(images.slice(i, i + 1));
      for (std::size_t o = 0; o < alone.size(); ++o)
        EXPECT_TRUE(same(alone[o], together[o].slice(i, i + 1)));
    }
  }
}

/// More sizes than plans are kept for, met by several threads at once.
TEST(Convolutional, ThreadsThatMeetNewSizesAtOnceAgree) {
  const ConvolutionalSpec spec = unet(2);
  const TensorSet weights = random_weights(spec);
  const Convolutional shared(spec, weights, Precision::Fp32, "test");
  const auto image = [](std::size_t i) {
    return random_images(
        1, 2, {4 + 4 * static_cast<std::int64_t>(i % 5), 4 + 4 * static_cast<std::int64_t>(i / 5)});
  };
  std::vector<Tensor> expected;
  const Convolutional alone(spec, weights, Precision::Fp32, "test");
  for (std::size_t i = 0; i < 20; ++i) expected.push_back(alone.run(image(i)).front());
  std::vector<int> wrong(4, 0);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (std::size_t i = 0; i < 40; ++i) {
          const std::size_t which = (i * (t + 1) + t) % 20;
          if (!same(shared.run(image(which)).front(), expected[which])) ++wrong[t];
        }
      });
  }
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST(Convolutional, AMissingValueReachesOnlyWhatIsComputedFromIt) {
  const ConvolutionalSpec spec{2,
                               3,
                               {Layer{.name = "a",
                                      .channels = 20,
                                      .kernel = {3},
                                      .padding = {1},
                                      .activation = Function::Gelu},
                                Layer{.name = "b", .channels = 5, .kernel = {3}, .padding = {1}}},
                               {}};
  Tensor images = random_images(2, 3, {12, 12});
  for (const Precision precision : {Precision::Fp32, Precision::Bf16}) {
    const Convolutional net(spec, random_weights(spec), precision, "test");
    const Tensor before = net.run(images).front();
    float& value = images.values<float>()[144 + 5 * 12 + 6];
    const float was = value;
    value = std::numeric_limits<float>::quiet_NaN();
    const Tensor after = net.run(images).front();
    value = was;
    for (std::int64_t i = 0; i < 2 * 5 * 144; ++i) {
      const std::int64_t y = i / 12 % 12, x = i % 12;
      const bool reached = i < 5 * 144 && std::abs(y - 5) <= 2 && std::abs(x - 6) <= 2;
      const auto at = static_cast<std::size_t>(i);
      if (reached)
        ASSERT_TRUE(std::isnan(after.values<float>()[at])) << i;
      else
        ASSERT_EQ(after.values<float>()[at], before.values<float>()[at]) << i;
    }
  }
}

TEST(ConvolutionalSpec, ReadsWhatItWrites) {
  for (const ConvolutionalSpec& spec : {unet(3), residual(), classifier()}) {
    const Json written = spec.to_json();
    const ConvolutionalSpec read = ConvolutionalSpec::from_json(written, "x");
    EXPECT_EQ(read.to_json(), written);
    EXPECT_EQ(read.weights(), spec.weights());
  }
}

std::string complaint(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

TEST(ConvolutionalSpec, SaysWhichLayerIsImpossible) {
  const auto said = [](const char* layers) {
    Json config{{"dimensions", 2}, {"channels", 4}};
    config["layers"] = Json::parse(layers);
    return complaint([&] { (void)ConvolutionalSpec::from_json(config, "m"); });
  };
  EXPECT_EQ(said("[]"), "m: config.layers: expected 1 to 4096 layers, found 0");
  EXPECT_EQ(said("7"), "m: config.layers: expected a list of layers");
  EXPECT_EQ(said(R"([{"name": "a", "kind": "max_pool"}])"),
            "m: config: layer a: kernel is missing");
  EXPECT_EQ(said(R"([{"name": "a", "kind": "max_pool", "kernel": 2, "strid": 1}])"),
            "m: layer 0: config.strid: expected one of name, kind, inputs, activation, slope, "
            "kernel, stride, padding");
  EXPECT_EQ(said(R"([{"name": "a", "kind": "max_pool", "kernel": [2, 2, 2]}])"),
            "m: config: layer a: kernel: expected 1 or 2 numbers, found 3");
  EXPECT_EQ(said(R"([{"name": "a", "kind": "max_pool", "kernel": [2, 0]}])"),
            "m: config: layer a: kernel: expected numbers from 1 to 1024, found 0");
  EXPECT_EQ(said(R"([{"name": "a", "kind": "add", "inputs": ["input", "b"]}])"),
            "m: config: layer a: expected \"input\" or the name of a layer above, found b");
  EXPECT_EQ(said(R"([{"name": "a", "kind": "activation"}, {"name": "a", "kind": "activation"}])"),
            "m: config: layer a: expected a name of its own");
  EXPECT_EQ(said(R"([{"name": "a", "kind": "group_norm", "groups": 3}])"),
            "m: config: layer a: groups: 3 do not divide 4 channels");
  EXPECT_EQ(said(R"([{"name": "a", "kind": "convolution", "kernel": 1, "channels": 2},
                     {"name": "b", "kind": "add", "inputs": ["input", "a"]}])"),
            "m: config: layer b: expected inputs of as many channels, found 4 and 2");
}

TEST(Convolutional, RefusesWeightsAndImagesThatDoNotFit) {
  const ConvolutionalSpec spec = unet(2);
  TensorSet weights = random_weights(spec);
  const Convolutional net(spec, weights, Precision::Fp32, "m");
  const auto said = [&](const Tensor& images) { return complaint([&] { (void)net.run(images); }); };
  EXPECT_EQ(said(random_images(1, 3, {8, 8})),
            "expected contiguous f32 images with 2 channels and 2 axes, found f32 [1, 3, 8, 8]");
  EXPECT_EQ(said(random_images(1, 2, {8, 8, 8})),
            "expected contiguous f32 images with 2 channels and 2 axes, found f32 [1, 2, 8, 8, 8]");
  EXPECT_EQ(said(random_images(1, 2, {10, 8})),
            "layer join1: expected inputs of one size, found [6, 4] and [5, 4]");
  const ConvolutionalSpec wide = classifier();
  const Convolutional other(wide, random_weights(wide), Precision::Fp32, "m");
  EXPECT_EQ(complaint([&] { (void)other.run(random_images(1, 4, {4, 4})); }),
            "layer c1: an image of [2, 2] is too small for it");
  EXPECT_EQ(complaint([&] { (void)other.run(random_images(1, 4, {12, 12})); }),
            "layer dense: expected 120 features, found 20 channels of [4, 4]");
  EXPECT_EQ(complaint([&] { (void)Convolutional(spec, weights, Precision::Int8, "m"); }),
            "expected the precision fp32 or bf16 for a convolutional net, found int8");
  weights["enc1.weight"] = Tensor(DType::F32, {16, 10, 3});
  EXPECT_EQ(complaint([&] { (void)Convolutional(spec, weights, Precision::Fp32, "m"); }),
            "m: enc1.weight: expected the shape [16, 10, 3, 3], found [16, 10, 3]");
  weights.erase("enc1.weight");
  EXPECT_EQ(complaint([&] { (void)Convolutional(spec, weights, Precision::Fp32, "m"); }),
            "m: the tensor enc1.weight is missing");
}

}  // namespace
}  // namespace aceso::nn
