#include "aceso/core/error.hpp"
#include "aceso/core/random.hpp"
#include "aceso/nn/convolutional.hpp"
#include "aceso/nn/training.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace aceso::nn {
namespace {

using Layer = ConvolutionalLayer;
using Kind = Layer::Kind;
using Function = Layer::Function;

/// Nearly every kind of layer that can be trained.
ConvolutionalSpec spec_of(std::int64_t dimensions) {
  ConvolutionalSpec spec;
  spec.dimensions = dimensions;
  spec.channels = 3;
  const std::int64_t places = dimensions == 1 ? 5 : 25;
  spec.layers = {
      {.name = "a", .kind = Kind::Convolution, .channels = 8, .kernel = {3}, .padding = {1}},
      {.name = "norm", .kind = Kind::GroupNorm, .groups = 2, .activation = Function::Silu},
      {.name = "b",
       .kind = Kind::Convolution,
       .channels = 8,
       .kernel = {3},
       .padding = {2},
       .dilation = {2},
       .groups = 2,
       .activation = Function::LeakyRelu,
       .slope = 0.2},
      {.name = "sum", .kind = Kind::Add, .inputs = {"norm", "b"}, .activation = Function::Gelu},
      {.name = "pool", .kind = Kind::MaxPool, .kernel = {2}},
      {.name = "mean",
       .kind = Kind::AveragePool,
       .inputs = {"sum"},
       .kernel = {3},
       .stride = {2},
       .padding = {1}},
      {.name = "slopes",
       .kind = Kind::Convolution,
       .inputs = {"mean"},
       .channels = 4,
       .kernel = {2},
       .bias = false,
       .activation = Function::Prelu},
      {.name = "both", .kind = Kind::Concatenate, .inputs = {"pool", "slopes"}},
      {.name = "head",
       .kind = Kind::Linear,
       .channels = 6,
       .features = 12 * places,
       .activation = Function::Relu},
      {.name = "last", .kind = Kind::Linear, .channels = 2, .features = 6}};
  return spec;
}

Tensor random_tensor(std::vector<std::int64_t> shape, std::uint64_t number) {
  Tensor tensor(DType::F32, std::move(shape));
  Random random(11, number);
  for (float& value : tensor.values<float>()) value = static_cast<float>(2 * random.uniform() - 1);
  return tensor;
}

Tensor images_of(const ConvolutionalSpec& spec, std::int64_t count, std::uint64_t number) {
  std::vector<std::int64_t> shape{count, spec.channels};
  shape.resize(static_cast<std::size_t>(2 + spec.dimensions), 11);
  return random_tensor(std::move(shape), number);
}

TrainingPlan plan_for(const ConvolutionalSpec& spec, const TensorSet& weights) {
  TrainingPlan plan;
  plan.architecture = "convolutional";
  plan.config = spec.to_json();
  plan.loss = "binary";
  for (const auto& [name, tensor] : weights) plan.trained.push_back(name);
  return plan;
}

/// Whether the first channel is the larger in the mean.
TrainingBatch some_batch(const ConvolutionalSpec& spec, std::uint64_t number) {
  TrainingBatch batch{{"images", images_of(spec, 16, number)}};
  Tensor values(DType::F32, {16, 2});
  const auto x = batch["images"].values<const float>();
  const std::size_t places = x.size() / 16 / 3;
  for (std::size_t i = 0; i < 16; ++i) {
    float sum = 0;
    for (std::size_t p = 0; p < places; ++p)
      sum += x[i * 3 * places + p] - x[(i * 3 + 1) * places + p];
    values.values<float>()[2 * i] = sum > 0 ? 1 : 0;
    values.values<float>()[2 * i + 1] = i % 4 == 0 ? std::nanf("") : (sum > 0 ? 0.0F : 1.0F);
  }
  batch["values"] = values;
  return batch;
}

class ConvolutionalTraining : public ::testing::TestWithParam<std::int64_t> {
 protected:
  void SetUp() override {
    if (!training_is_installed()) GTEST_SKIP() << "the training plugin is not built";
  }
};

TEST_P(ConvolutionalTraining, ComputesWhatTheEngineDoes) {
  const ConvolutionalSpec spec = spec_of(GetParam());
  const TensorSet first = initial_weights(spec, 3);
  Trainer trainer(plan_for(spec, first), first);
  const std::vector<TrainingBatch> batches{some_batch(spec, 1), some_batch(spec, 2)};
  // At first and after some steps, when no weight is what it was made as.
  for (const int steps : {0, 5}) {
    for (int i = 0; i < steps; ++i) trainer.step(batches, 0.01, 1);
    const Tensor images = images_of(spec, 7, 9);
    const Convolutional engine(spec, trainer.weights(), Precision::Fp32, "test");
    const Tensor expected = engine.run(images).front();
    const Tensor found = trainer.outputs({{"images", images}});
    ASSERT_EQ(found.element_count(), expected.element_count());
    for (std::int64_t i = 0; i < found.element_count(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      EXPECT_NEAR(found.values<const float>()[at], expected.values<const float>()[at], 1e-4);
    }
  }
}

TEST_P(ConvolutionalTraining, LearnsTheSameOnAnyNumberOfThreads) {
  const ConvolutionalSpec spec = spec_of(GetParam());
  const TensorSet first = initial_weights(spec, 3);
  std::vector<TrainingBatch> batches;
  for (std::uint64_t b = 0; b < 5; ++b) batches.push_back(some_batch(spec, b));
  std::vector<TensorSet> learnt;
  for (const unsigned threads : {1U, 3U}) {
    Trainer trainer(plan_for(spec, first), first);
    const double before = trainer.evaluate(batches, threads).mean_loss();
    for (int i = 0; i < 40; ++i) trainer.step(batches, 0.01, threads);
    EXPECT_LT(trainer.evaluate(batches, threads).mean_loss(), before / 2);
    learnt.push_back(trainer.weights());
  }
  for (const auto& [name, tensor] : learnt[0])
    EXPECT_TRUE(
        std::ranges::equal(tensor.values<const float>(), learnt[1].at(name).values<const float>()))
        << name;
}

TEST_P(ConvolutionalTraining, GradientsAreThoseOfFiniteDifferences) {
  const ConvolutionalSpec spec = spec_of(GetParam());
  const TensorSet first = initial_weights(spec, 5);
  const std::vector<TrainingBatch> batches{some_batch(spec, 1)};
  // One weight alone is trained: the norm of the gradient is then its derivative's size.
  for (const char* name : {"a.bias", "slopes.slope", "last.bias"}) {
    TrainingPlan plan = plan_for(spec, first);
    plan.trained = {name};
    const double norm = Trainer(plan, first).step(batches, 0, 1).gradient_norm;
    double squares = 0;
    const std::size_t size = first.at(name).values<const float>().size();
    for (std::size_t i = 0; i < size; ++i) {
      constexpr double kStep = 0.002;
      double losses[2] = {};
      for (const int side : {0, 1}) {
        TensorSet moved = first;
        Tensor copy(DType::F32, first.at(name).shape());
        std::ranges::copy(first.at(name).values<const float>(), copy.values<float>().begin());
        copy.values<float>()[i] += static_cast<float>(side == 0 ? -kStep : kStep);
        moved[name] = copy;
        losses[side] = Trainer(plan, moved).evaluate(batches, 1).mean_loss();
      }
      const double slope = (losses[1] - losses[0]) / (2 * kStep);
      squares += slope * slope;
    }
    EXPECT_NEAR(norm, std::sqrt(squares), 0.03 * norm + 1e-4) << name;
  }
}

TEST_P(ConvolutionalTraining, OffsetsAreAddedToTheOutputs) {
  const ConvolutionalSpec spec = spec_of(GetParam());
  const TensorSet first = initial_weights(spec, 3);
  Trainer trainer(plan_for(spec, first), first);
  const Tensor images = images_of(spec, 4, 9), offsets = random_tensor({4, 2}, 10);
  const Tensor plain = trainer.outputs({{"images", images}});
  const Tensor moved = trainer.outputs({{"images", images}, {"offsets", offsets}});
  for (std::size_t i = 0; i < 8; ++i)
    EXPECT_NEAR(moved.values<const float>()[i],
                plain.values<const float>()[i] + offsets.values<const float>()[i], 1e-6);
  EXPECT_THROW(static_cast<void>(
                   trainer.outputs({{"images", images}, {"offsets", random_tensor({4, 1}, 1)}})),
               Error);
}

INSTANTIATE_TEST_SUITE_P(Axes, ConvolutionalTraining, ::testing::Values(1, 2));

TEST(ConvolutionalTrainingMistakes, NameTheLayer) {
  if (!training_is_installed()) GTEST_SKIP() << "the training plugin is not built";
  ConvolutionalSpec spec = spec_of(1);
  spec.layers.insert(spec.layers.begin() + 1, {.name = "stats", .kind = Kind::BatchNorm});
  const TensorSet first = initial_weights(spec, 1);
  try {
    const Trainer trainer(plan_for(spec, first), first);
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::InvalidArgument);
    EXPECT_NE(std::string(error.what()).find("stats: batch_norm"), std::string::npos)
        << error.what();
  }
}

TEST(InitialWeights, FollowTheSeedAndTheFanIn) {
  const ConvolutionalSpec spec = spec_of(1);
  const TensorSet one = initial_weights(spec, 1), again = initial_weights(spec, 1);
  for (const TensorInfo& info : spec.weights()) {
    ASSERT_EQ(one.at(info.name).shape(), info.shape);
    EXPECT_TRUE(std::ranges::equal(one.at(info.name).values<const float>(),
                                   again.at(info.name).values<const float>()));
  }
  EXPECT_FALSE(std::ranges::equal(one.at("a.weight").values<const float>(),
                                  initial_weights(spec, 2).at("a.weight").values<const float>()));
  const double most = std::sqrt(6.0 / 9);  // three channels of three places
  for (const float v : one.at("a.weight").values<const float>()) EXPECT_LE(std::abs(v), most);
  for (const float v : one.at("norm.weight").values<const float>()) EXPECT_EQ(v, 1);
  for (const float v : one.at("a.bias").values<const float>()) EXPECT_EQ(v, 0);
}

}  // namespace
}  // namespace aceso::nn
