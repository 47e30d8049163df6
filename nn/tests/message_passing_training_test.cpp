#include "aceso/core/error.hpp"
#include "aceso/nn/message_passing.hpp"
#include "aceso/nn/training.hpp"
#include "small_graphs.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace aceso::nn {
namespace {

using namespace test;

/// As nets have it that are trained: one member.
MessagePassingSpec one_member() {
  MessagePassingSpec spec = small_spec();
  spec.members = 1;
  return spec;
}

/// Three chains, one of them a single atom.
BondGraphs some_graphs(unsigned seed = 1) {
  BondGraphs graphs;
  add_chain(graphs, 6, seed);
  add_chain(graphs, 1, seed + 1);
  add_chain(graphs, 4, seed + 2);
  return graphs;
}

Tensor floats(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  Tensor tensor(DType::F32, std::move(shape));
  std::ranges::copy(values, tensor.values<float>().begin());
  return tensor;
}

/// With one value missing.
TrainingBatch some_batch(const MessagePassingSpec& spec, unsigned seed = 1) {
  TrainingBatch batch = training_arrays(some_graphs(seed), spec);
  const auto x = static_cast<float>(seed);
  batch["values"] = floats({0.5F * x, -1, std::nanf(""), 2, 0, x}, {3, 2});
  return batch;
}

TrainingPlan plan_for(const MessagePassingSpec& spec, const TensorSet& weights) {
  TrainingPlan plan;
  plan.architecture = "dmpnn";
  plan.config = spec.to_json();
  plan.loss = "squared";
  for (const auto& [name, tensor] : weights)
    if (!name.starts_with("members.0.scale.")) plan.trained.push_back(name);
  return plan;
}

bool same_bytes(const Tensor& a, const Tensor& b) {
  const auto x = a.values<const float>(), y = b.values<const float>();
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size_bytes()) == 0;
}

bool same_bytes(const TensorSet& a, const TensorSet& b) {
  return std::ranges::equal(a, b, [](const auto& one, const auto& two) {
    return one.first == two.first && same_bytes(one.second, two.second);
  });
}

class MessagePassingTraining : public testing::Test {
 protected:
  void SetUp() override {
    if (!training_is_installed()) GTEST_SKIP() << "the training plugin is not built";
  }
};

TEST_F(MessagePassingTraining, OperatorsOfOtherDevicesAnswerAsOursDo) {
  const MessagePassingSpec spec = one_member();
  const TensorSet weights = random_weights(spec);
  TrainingPlan plan = plan_for(spec, weights);
  const Tensor expected = Trainer(plan, weights).outputs(some_batch(spec));
  plan.device = "reference";
  const Tensor found = Trainer(plan, weights).outputs(some_batch(spec));
  ASSERT_EQ(found.shape(), expected.shape());
  for (std::size_t i = 0; i < found.values<const float>().size(); ++i)
    EXPECT_NEAR(found.values<const float>()[i], expected.values<const float>()[i], 1e-5);
}

TEST_F(MessagePassingTraining, TheNetInTrainingAnswersAsTheEngineDoes) {
  for (const char* aggregation : {"mean", "sum", "norm"})
    for (const std::int64_t depth : {1, 3}) {
      MessagePassingSpec spec = one_member();
      spec.aggregation = aggregation;
      spec.depth = depth;
      spec.bias = depth == 1;
      spec.molecule_features = 2;
      spec.molecule_featuriser = "rdkit-2d-normalised";
      TensorSet weights = random_weights(spec);
      // The net in training speaks in units of the deviation.
      weights["members.0.scale.mean"] = floats({0, 0}, {2});
      weights["members.0.scale.deviation"] = floats({1, 1}, {2});
      BondGraphs graphs = some_graphs();
      graphs.features = {0.1F, 0.9F, 0.3F, 0.2F, 0.7F, 0.5F};
      Trainer trainer(plan_for(spec, weights), weights);
      const Tensor trained = trainer.outputs(training_arrays(graphs, spec));
      const Tensor engine = MessagePassing(spec, weights, "test").predict(graphs);
      ASSERT_EQ(trained.shape(), (std::vector<std::int64_t>{3, 2}));
      for (std::size_t i = 0; i < 6; ++i)
        EXPECT_NEAR(trained.values<const float>()[i], engine.values<const float>()[i], 1e-4)
            << aggregation << ", depth " << depth;
    }
}

/// The norm of the gradient for `name` by central differences of the loss.
double difference_norm(const TrainingPlan& plan, TensorSet weights, const std::string& name,
                       const TrainingBatch& batch) {
  constexpr float kMove = 3e-3F;
  const Tensor original = weights.at(name);
  double squares = 0;
  for (std::int64_t i = 0; i < original.element_count(); ++i) {
    double losses[2];
    for (const int side : {0, 1}) {
      Tensor moved(DType::F32, original.shape());
      std::ranges::copy(original.values<const float>(), moved.values<float>().begin());
      moved.values<float>()[static_cast<std::size_t>(i)] += side == 0 ? -kMove : kMove;
      weights[name] = moved;
      Trainer trainer(plan, weights);
      losses[side] = trainer.evaluate(std::span(&batch, 1), 1).mean_loss();
    }
    const double slope = (losses[1] - losses[0]) / (2.0 * kMove);
    squares += slope * slope;
  }
  return std::sqrt(squares);
}

TEST_F(MessagePassingTraining, GradientsAreThoseOfFiniteDifferences) {
  for (const bool dropout : {false, true}) {
    MessagePassingSpec spec = one_member();
    spec.bias = true;
    const TensorSet weights = random_weights(spec);
    TrainingBatch batch = some_batch(spec);
    TrainingPlan plan = plan_for(spec, weights);
    if (dropout) {
      // The seed says what is left out, so that a loss with dropout is a function as well.
      plan.config["dropout"] = 0.3;
      Tensor seed(DType::I32, {2});
      std::ranges::fill(seed.values<std::int32_t>(), 7);
      batch["dropout_seed"] = seed;
    }
    for (const char* layer : {"input.weight", "input.bias", "message.weight", "readout.weight",
                              "head.0.weight", "head.1.bias"}) {
      const std::string name = std::string("members.0.") + layer;
      plan.trained = {name};
      Trainer trainer(plan, weights);
      const double norm = trainer.step(std::span(&batch, 1), 1e-3, 1).gradient_norm;
      const double expected = difference_norm(plan, weights, name, batch);
      EXPECT_GT(expected, 0) << name;
      EXPECT_NEAR(norm, expected, 0.03 * expected + 1e-4) << name << ", dropout " << dropout;
    }
  }
}

TEST_F(MessagePassingTraining, StepsLowerTheLossAndDoNotDependOnThreads) {
  const MessagePassingSpec spec = one_member();
  const TensorSet weights = random_weights(spec);
  std::vector<TrainingBatch> batches;
  for (unsigned i = 1; i <= 5; ++i) batches.push_back(some_batch(spec, i));
  std::vector<TensorSet> results;
  for (const unsigned threads : {1U, 2U, 4U}) {
    Trainer trainer(plan_for(spec, weights), weights);
    const double first = trainer.step(batches, 1e-2, threads).mean_loss();
    double last = first;
    for (int i = 0; i < 40; ++i) last = trainer.step(batches, 1e-2, threads).mean_loss();
    EXPECT_LT(last, 0.7 * first);
    results.push_back(trainer.state());
  }
  EXPECT_TRUE(same_bytes(results[0], results[1]));
  EXPECT_TRUE(same_bytes(results[0], results[2]));
}

TEST_F(MessagePassingTraining, DropoutFollowsItsSeedAndIsOnlyForSteps) {
  const MessagePassingSpec spec = one_member();
  const TensorSet weights = random_weights(spec);
  TrainingPlan plan = plan_for(spec, weights);
  Trainer plain(plan, weights);
  plan.config["dropout"] = 0.5;
  Trainer trainer(plan, weights);
  TrainingBatch batch = some_batch(spec);
  EXPECT_TRUE(same_bytes(plain.outputs(batch), trainer.outputs(batch)));
  const auto outputs = [&](std::int32_t seed) {
    Tensor numbers(DType::I32, {2});
    std::ranges::fill(numbers.values<std::int32_t>(), seed);
    batch["dropout_seed"] = numbers;
    return trainer.outputs(batch);
  };
  const Tensor one = outputs(1), two = outputs(2), again = outputs(1);
  EXPECT_TRUE(same_bytes(one, again));
  EXPECT_FALSE(same_bytes(one, two));
}

TEST_F(MessagePassingTraining, GraphsThatDoNotFitAreRefused) {
  const MessagePassingSpec spec = one_member();
  const TensorSet weights = random_weights(spec);
  Trainer trainer(plan_for(spec, weights), weights);
  TrainingBatch batch = some_batch(spec);
  batch["atom_offsets"].values<std::int32_t>()[1] = 40;
  EXPECT_THROW((void)trainer.outputs(batch), Error);
  BondGraphs graphs = some_graphs();
  graphs.bonds.pop_back();
  EXPECT_THROW((void)training_arrays(graphs, spec), Error);
}

}  // namespace
}  // namespace aceso::nn
