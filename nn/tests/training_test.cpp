#include "aceso/nn/training.hpp"
#include "aceso/core/error.hpp"
#include "aceso/nn/transformer.hpp"
#include "random_weights.hpp"

#include <gtest/gtest.h>
#include <dnnl.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <future>
#include <random>

namespace aceso::nn {
namespace {

TransformerSpec small_spec(bool causal = false) {
  TransformerSpec spec{.vocabulary = 11,
                       .hidden = 16,
                       .layers = 2,
                       .heads = 2,
                       .feed_forward = 32,
                       .head = causal ? "plain" : "masked",
                       .causal = causal,
                       .tied = !causal,
                       .token_dropout = !causal,
                       .mask_token = causal ? -1 : 10};
  if (causal) {
    spec.positions = "learned";
    spec.max_length = 32;
  }
  return spec;
}

TensorSet random_weights(const std::vector<TensorInfo>& infos, unsigned seed = 3) {
  return test::random_weights(infos, {.seed = seed});
}

Tensor integers(const std::vector<std::int32_t>& values, std::vector<std::int64_t> shape = {}) {
  if (shape.empty()) shape = {static_cast<std::int64_t>(values.size())};
  Tensor tensor(DType::I32, shape);
  std::ranges::copy(values, tensor.values<std::int32_t>().begin());
  return tensor;
}

Tensor floats(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  Tensor tensor(DType::F32, std::move(shape));
  std::ranges::copy(values, tensor.values<float>().begin());
  return tensor;
}

/// Two sequences of 7 and 4 tokens, with targets at some places.
TrainingBatch some_batch(unsigned seed = 1) {
  std::mt19937 random(seed);
  std::vector<std::int32_t> tokens, targets;
  for (int i = 0; i < 11; ++i) tokens.push_back(static_cast<std::int32_t>(random() % 10));
  for (int i = 0; i < 4; ++i) targets.push_back(static_cast<std::int32_t>(random() % 10));
  tokens[2] = 10;
  return {{"tokens", integers(tokens)},
          {"offsets", integers({0, 7, 11})},
          {"places", integers({0, 2, 5, 9})},
          {"targets", integers(targets)}};
}

std::vector<std::string> names_of(const TensorSet& weights) {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : weights) names.push_back(name);
  return names;
}

TrainingPlan plan_for(const TransformerSpec& spec, const TensorSet& weights) {
  TrainingPlan plan;
  plan.architecture = "transformer";
  plan.config = spec.to_json();
  plan.trained = names_of(weights);
  return plan;
}

bool same_bytes(const TensorSet& a, const TensorSet& b) {
  return std::ranges::equal(a, b, [](const auto& one, const auto& two) {
    const auto x = one.second.template values<float>(), y = two.second.template values<float>();
    return one.first == two.first && x.size() == y.size() &&
           std::memcmp(x.data(), y.data(), x.size_bytes()) == 0;
  });
}

class Training : public testing::Test {
 protected:
  void SetUp() override {
    if (!training_is_installed()) GTEST_SKIP() << "the training plugin is not built";
  }
};

TEST_F(Training, TheNetInTrainingAnswersAsTheEngineDoes) {
  for (const bool causal : {false, true}) {
    const TransformerSpec spec = small_spec(causal);
    const TensorSet weights = random_weights(spec.weights());
    const TrainingBatch batch = some_batch();
    Trainer trainer(plan_for(spec, weights), weights);
    const Tensor trained = trainer.outputs(batch);

    const Transformer engine(spec, weights, Precision::Fp32, "test");
    PackedTokens packed;
    const auto tokens = batch.at("tokens").values<std::int32_t>();
    packed.add(tokens.subspan(0, 7));
    packed.add(tokens.subspan(7));
    const Tensor logits = engine.logits(engine.hidden(packed));
    const auto places = batch.at("places").values<std::int32_t>();
    ASSERT_EQ(trained.shape(), (std::vector<std::int64_t>{4, 11}));
    for (std::size_t i = 0; i < places.size(); ++i)
      for (std::int64_t v = 0; v < 11; ++v)
        EXPECT_NEAR(trained.values<float>()[i * 11 + v], logits.values<float>()[places[i] * 11 + v],
                    1e-4)
            << "causal " << causal;
  }
}

/// The norm of the gradient for `name` by central differences of the loss.
double difference_norm(const TransformerSpec& spec, TensorSet weights, const std::string& name,
                       const TrainingBatch& batch) {
  const TrainingPlan plan = plan_for(spec, weights);
  const Tensor original = weights.at(name);
  double squares = 0;
  for (std::int64_t i = 0; i < original.element_count(); ++i) {
    double losses[2];
    for (const int side : {0, 1}) {
      Tensor moved(DType::F32, original.shape());
      std::ranges::copy(original.values<float>(), moved.values<float>().begin());
      moved.values<float>()[i] += side == 0 ? -0.01F : 0.01F;
      weights[name] = moved;
      Trainer trainer(plan, weights);
      losses[side] = trainer.evaluate(std::span(&batch, 1), 1).mean_loss();
    }
    const double slope = (losses[1] - losses[0]) / 0.02;
    squares += slope * slope;
  }
  return std::sqrt(squares);
}

TEST_F(Training, GradientsAreThoseOfFiniteDifferences) {
  for (const bool causal : {false, true}) {
    const TransformerSpec spec = small_spec(causal);
    const TensorSet weights = random_weights(spec.weights());
    const TrainingBatch batch = some_batch();
    for (const char* name : {"layers.0.attention.query.bias", "layers.0.attention.key.weight",
                             "layers.1.attention.value.bias", "layers.1.mlp.up.bias",
                             "layers.0.attention.norm.weight", "final_norm.bias"}) {
      TrainingPlan plan = plan_for(spec, weights);
      plan.trained = {name};
      Trainer trainer(plan, weights);
      const double norm = trainer.step(std::span(&batch, 1), 1e-3, 1).gradient_norm;
      const double expected = difference_norm(spec, weights, name, batch);
      EXPECT_NEAR(norm, expected, 0.02 * expected + 1e-4) << name << ", causal " << causal;
    }
  }
}

std::vector<TrainingBatch> five_batches() {
  std::vector<TrainingBatch> batches;
  for (unsigned i = 0; i < 5; ++i) batches.push_back(some_batch(i + 1));
  return batches;
}

TEST_F(Training, StepsLowerTheLossAndDoNotDependOnThreads) {
  const TransformerSpec spec = small_spec();
  const TensorSet weights = random_weights(spec.weights());
  const std::vector<TrainingBatch> batches = five_batches();
  std::vector<TensorSet> results;
  for (const unsigned threads : {1U, 2U, 4U}) {
    Trainer trainer(plan_for(spec, weights), weights);
    const double first = trainer.step(batches, 5e-3, threads).mean_loss();
    double last = first;
    for (int i = 0; i < 30; ++i) last = trainer.step(batches, 5e-3, threads).mean_loss();
    EXPECT_LT(last, 0.7 * first);
    results.push_back(trainer.state());
  }
  EXPECT_TRUE(same_bytes(results[0], results[1]));
  EXPECT_TRUE(same_bytes(results[0], results[2]));
}

TEST_F(Training, ARestoredTrainingGoesOnBitForBit) {
  const TransformerSpec spec = small_spec();
  const TensorSet weights = random_weights(spec.weights());
  const std::vector<TrainingBatch> batches = five_batches();
  Trainer unbroken(plan_for(spec, weights), weights);
  for (int i = 0; i < 3; ++i) (void)unbroken.step(batches, 1e-3, 1);
  const TensorSet state = unbroken.state();
  for (int i = 0; i < 3; ++i) (void)unbroken.step(batches, 1e-3, 1);

  Trainer resumed(plan_for(spec, weights), weights);
  resumed.restore(state, 3);
  for (int i = 0; i < 3; ++i) (void)resumed.step(batches, 1e-3, 1);
  EXPECT_TRUE(same_bytes(unbroken.state(), resumed.state()));
}

/// The states of two ranks after three steps, each with half of `batches`; they begin with
/// `state`, after three steps, if there is one. None if the plugin was built without Gloo.
std::vector<TensorSet> on_two_ranks(TrainingPlan plan, const TensorSet& weights,
                                    const std::vector<TrainingBatch>& batches,
                                    const TensorSet* state = nullptr) {
  std::vector<TensorSet> states;
  std::vector<std::future<TensorSet>> ranks;
  plan.ranks = {.rank = 0, .size = 2, .port = 29617, .timeout_seconds = 60};
  for (std::int64_t rank = 0; rank < 2; ++rank)
    ranks.push_back(std::async(std::launch::async, [&, rank, plan]() mutable {
      plan.ranks.rank = rank;
      Trainer trainer(plan, weights);
      if (state != nullptr) trainer.restore(*state, 3);
      const auto mine = std::span(batches).subspan(static_cast<std::size_t>(2 * rank), 2);
      for (int i = 0; i < 3; ++i) (void)trainer.step(mine, 1e-3, 1);
      return trainer.state();
    }));
  try {
    for (std::future<TensorSet>& rank : ranks) states.push_back(rank.get());
  } catch (const Error& error) {
    if (std::string(error.what()).find("without the headers of Gloo") == std::string::npos) throw;
  }
  return states;
}

/// What two ranks share evenly.
std::vector<TrainingBatch> four_batches() {
  std::vector<TrainingBatch> batches = five_batches();
  batches.pop_back();
  return batches;
}

TEST_F(Training, TwoRanksGiveWhatOneGives) {
  const TransformerSpec spec = small_spec();
  const TensorSet weights = random_weights(spec.weights());
  const std::vector<TrainingBatch> batches = four_batches();
  Trainer alone(plan_for(spec, weights), weights);
  for (int i = 0; i < 3; ++i) (void)alone.step(batches, 1e-3, 1);

  const std::vector<TensorSet> states = on_two_ranks(plan_for(spec, weights), weights, batches);
  if (states.empty()) GTEST_SKIP() << "a plugin without Gloo";
  EXPECT_TRUE(same_bytes(states[0], states[1]));
  EXPECT_TRUE(same_bytes(alone.state(), states[0]));
}

TEST_F(Training, AShardedOptimiserGivesTheSameBytes) {
  const TransformerSpec spec = small_spec();
  const TensorSet weights = random_weights(spec.weights());
  const std::vector<TrainingBatch> batches = four_batches();
  Trainer alone(plan_for(spec, weights), weights);
  for (int i = 0; i < 3; ++i) (void)alone.step(batches, 1e-3, 1);
  const TensorSet whole = alone.state();

  TrainingPlan plan = plan_for(spec, weights);
  plan.optimizer.sharded = true;
  const std::vector<TensorSet> states = on_two_ranks(plan, weights, batches);
  if (states.empty()) GTEST_SKIP() << "a plugin without Gloo";
  EXPECT_TRUE(same_bytes(whole, states[0]));
  // The other rank has the same weights, and about half of the moments.
  std::int64_t moments = 0;
  for (const auto& [name, tensor] : states[1]) {
    EXPECT_TRUE(same_bytes({{name, whole.at(name)}}, {{name, tensor}})) << name;
    if (name.starts_with("first.")) moments += tensor.element_count();
  }
  EXPECT_NEAR(static_cast<double>(moments), static_cast<double>(spec.parameters()) / 2,
              static_cast<double>(spec.parameters()) / 20);
  // One rank goes on from what two had, and two from what one had.
  for (int i = 0; i < 3; ++i) (void)alone.step(batches, 1e-3, 1);
  Trainer one(plan_for(spec, weights), weights);
  one.restore(states[0], 3);
  for (int i = 0; i < 3; ++i) (void)one.step(batches, 1e-3, 1);
  EXPECT_TRUE(same_bytes(alone.state(), one.state()));
  const std::vector<TensorSet> two = on_two_ranks(plan, weights, batches, &whole);
  EXPECT_TRUE(same_bytes(alone.state(), two[0]));
}

TEST_F(Training, OnlyNamedWeightsChange) {
  const TransformerSpec spec = small_spec();
  const TensorSet weights = random_weights(spec.weights());
  TrainingPlan plan = plan_for(spec, weights);
  plan.trained = {"final_norm.bias", "final_norm.weight"};
  Trainer trainer(plan, weights);
  (void)trainer.step(five_batches(), 1e-2, 1);
  EXPECT_EQ(names_of(trainer.weights()), plan.trained);
  EXPECT_FALSE(same_bytes({{"a", trainer.weights().at("final_norm.bias")}},
                          {{"a", weights.at("final_norm.bias")}}));
}

TEST_F(Training, AnAdapterThatHasNotLearntChangesNothingAndThenLearns) {
  const TransformerSpec spec = small_spec();
  TensorSet weights = random_weights(spec.weights());
  const TrainingBatch batch = some_batch();
  Trainer plain(plan_for(spec, weights), weights);
  const Tensor before = plain.outputs(batch);

  TensorSet down = random_weights({{"adapters.layers.0.attention.query.down", DType::F32, {2, 16}},
                                   {"adapters.layers.1.mlp.up.down", DType::F32, {2, 16}}});
  weights.merge(down);
  weights["adapters.layers.0.attention.query.up"] = floats(std::vector<float>(32), {16, 2});
  weights["adapters.layers.1.mlp.up.up"] = floats(std::vector<float>(64), {32, 2});
  TrainingPlan plan = plan_for(spec, weights);
  std::erase_if(plan.trained, [](const std::string& n) { return !n.starts_with("adapters."); });
  plan.adapter_scale = 2;
  Trainer adapted(plan, weights);
  EXPECT_TRUE(same_bytes({{"a", before}}, {{"a", adapted.outputs(batch)}}));
  const double first = adapted.step(std::span(&batch, 1), 1e-2, 1).mean_loss();
  double last = first;
  for (int i = 0; i < 80; ++i) last = adapted.step(std::span(&batch, 1), 3e-2, 1).mean_loss();
  EXPECT_LT(last, 0.85 * first);
}

TEST_F(Training, ATaskHeadLearnsValuesOfWholeSequencesAndSkipsMissingOnes) {
  const TransformerSpec spec = small_spec();
  std::vector<TensorInfo> infos = spec.weights();
  infos.push_back({"task.dense.weight", DType::F32, {16, 16}});
  infos.push_back({"task.dense.bias", DType::F32, {16}});
  infos.push_back({"task.output.weight", DType::F32, {2, 16}});
  infos.push_back({"task.output.bias", DType::F32, {2}});
  const TensorSet weights = random_weights(infos);
  TrainingBatch batch = some_batch();
  batch["spans"] = integers({1, 6, 8, 10}, {2, 2});
  batch["values"] = floats({0.5F, -1.0F, std::nanf(""), 2.0F}, {2, 2});
  TrainingPlan plan = plan_for(spec, weights);
  plan.rows = "spans";
  plan.head = "task";
  plan.loss = "squared";
  Trainer trainer(plan, weights);
  EXPECT_EQ(trainer.evaluate(std::span(&batch, 1), 1).targets, 3);
  for (int i = 0; i < 60; ++i) (void)trainer.step(std::span(&batch, 1), 1e-2, 1);
  const Tensor outputs = trainer.outputs(batch);
  EXPECT_NEAR(outputs.values<float>()[0], 0.5, 0.1);
  EXPECT_NEAR(outputs.values<float>()[1], -1.0, 0.1);
  EXPECT_NEAR(outputs.values<float>()[3], 2.0, 0.1);
}

TEST_F(Training, Bf16TrainsAsFp32DoesUpToRounding) {
  const TransformerSpec spec = small_spec();
  const TensorSet weights = random_weights(spec.weights());
  const std::vector<TrainingBatch> batches = five_batches();
  double losses[2];
  for (const int i : {0, 1}) {
    TrainingPlan plan = plan_for(spec, weights);
    plan.precision = i == 0 ? "fp32" : "bf16";
    Trainer trainer(plan, weights);
    for (int step = 0; step < 10; ++step) losses[i] = trainer.step(batches, 3e-3, 1).mean_loss();
  }
  EXPECT_NEAR(losses[0], losses[1], 0.02 * losses[0]);
}

/// Without a GPU "cuda" must say so and train nothing; with one it must do what the others do.
bool has_gpu(TrainingPlan plan, const TensorSet& weights) {
  plan.device = "cuda";
  try {
    Trainer trainer(plan, weights);
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::InvalidArgument);
    EXPECT_NE(std::string(error.what()).find("no CUDA GPU"), std::string::npos) << error.what();
    return false;
  }
}

// What a GPU is given is checked on the CPU, and on a GPU where there is one.
TEST_F(Training, OtherDevicesTrainAsTheCpuDoes) {
  for (const bool causal : {false, true}) {
    const TransformerSpec spec = small_spec(causal);
    const TensorSet weights = random_weights(spec.weights());
    const std::vector<TrainingBatch> batches = five_batches();
    TrainingPlan plan = plan_for(spec, weights);
    std::vector<std::string> devices{"cpu", "reference"};
    if (has_gpu(plan, weights)) devices.emplace_back("cuda");
    std::vector<double> expected;
    for (const std::string& device : devices) {
      plan.device = device;
      Trainer trainer(plan, weights);
      std::vector<double> figures;
      for (int step = 0; step < 5; ++step) {
        const TrainingFigures of_step = trainer.step(batches, 1e-2, 2);
        figures.push_back(of_step.mean_loss());
        figures.push_back(of_step.gradient_norm);
      }
      if (device == "cpu") expected = figures;
      for (std::size_t i = 0; i < figures.size(); ++i)
        EXPECT_NEAR(figures[i], expected[i], 1e-3 * expected[i]) << device << ' ' << i;
      EXPECT_LT(figures[figures.size() - 2], 0.95 * figures[0]);
    }
  }
}

/// One sequence of `length` tokens, whose every fourth place is a target.
TrainingBatch one_sequence(std::int32_t length) {
  std::vector<std::int32_t> tokens, places, targets;
  for (std::int32_t i = 0; i < length; ++i) {
    tokens.push_back((7 * i + length) % 10);
    if (i % 4 != 0) continue;
    places.push_back(i);
    targets.push_back(tokens.back());
    tokens.back() = i % 8 == 0 ? 10 : tokens.back();
  }
  return {{"tokens", integers(tokens)},
          {"offsets", integers({0, length})},
          {"places", integers(places)},
          {"targets", integers(targets)}};
}

/// Four micro-batches of other lengths than those of any other step.
std::vector<TrainingBatch> batches_of_new_lengths(std::int32_t step) {
  std::vector<TrainingBatch> batches;
  for (std::int32_t i = 0; i < 4; ++i) batches.push_back(one_sequence(600 - 4 * step - i));
  return batches;
}

TEST_F(Training, Bf16DoesNotDependOnThreads) {
  const TransformerSpec spec = small_spec();
  const TensorSet weights = random_weights(spec.weights());
  TrainingPlan plan = plan_for(spec, weights);
  plan.precision = "bf16";
  std::vector<TensorSet> results;
  for (const unsigned threads : {1U, 2U, 4U}) {
    Trainer trainer(plan, weights);
    for (std::int32_t step = 0; step < 10; ++step)
      (void)trainer.step(batches_of_new_lengths(10 * step), 1e-3, threads);
    results.push_back(trainer.state());
  }
  EXPECT_TRUE(same_bytes(results[0], results[1]));
  EXPECT_TRUE(same_bytes(results[0], results[2]));
}

// Micro-batches seldom hold the same number of tokens. oneDNN 2.6 breaks when threads make
// primitives while its cache is full, so a training must not make one for each number.
TEST_F(Training, Bf16MakesNoNewPrimitivesForNewLengths) {
  const TransformerSpec spec = small_spec();
  const TensorSet weights = random_weights(spec.weights());
  TrainingPlan plan = plan_for(spec, weights);
  plan.precision = "bf16";
  Trainer trainer(plan, weights);
  (void)trainer.step(batches_of_new_lengths(0), 1e-3, 2);
  dnnl::set_verbose(2);
  testing::internal::CaptureStdout();
  for (std::int32_t step = 1; step < 20; ++step)
    (void)trainer.step(batches_of_new_lengths(7 * step), 1e-3, 2);
  const std::string told = testing::internal::GetCapturedStdout();
  dnnl::set_verbose(0);
  EXPECT_EQ(told.find(",create"), std::string::npos);
}

TEST_F(Training, WhatDoesNotFitIsRefusedByName) {
  const TransformerSpec spec = small_spec();
  TensorSet weights = random_weights(spec.weights());
  const TrainingPlan plan = plan_for(spec, weights);
  const auto message = [](const auto& body) -> std::string {
    try {
      body();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::InvalidArgument);
      return error.what();
    }
    return "nothing was refused";
  };
  TrainingBatch batch = some_batch();
  batch["targets"] = integers({0, 1, 2, 11});
  EXPECT_NE(message([&] {
              Trainer(plan, weights).step(std::span(&batch, 1), 1e-3, 1);
            }).find("a target is no class"),
            std::string::npos);
  weights.erase("final_norm.bias");
  EXPECT_NE(message([&] { Trainer(plan, weights); }).find("final_norm.bias is missing"),
            std::string::npos);
}

}  // namespace
}  // namespace aceso::nn
