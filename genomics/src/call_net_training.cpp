#include "call_net_training.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/random.hpp"
#include "aceso/nn/training.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace aceso::genomics {
namespace {

// A step's gradient is that of two micro-batches: as many threads have work.
constexpr std::size_t kMicroBatch = 32, kBatch = 2 * kMicroBatch;

/// The images of some rows, each of either strand by chance: errors know no strand of the genome.
std::vector<std::uint8_t> turned_images(const CallPileups& pileups,
                                        std::span<const std::uint32_t> rows, Random& random) {
  std::vector<std::uint8_t> out;
  for (const std::uint32_t row : rows) {
    const auto image = pileups.at(row);
    const CallPileup turned =
        random.chance(0.5) ? reversed(image) : CallPileup(image.begin(), image.end());
    out.insert(out.end(), turned.begin(), turned.end());
  }
  return out;
}

nn::TrainingBatch batch_of(const NetExamples& examples, std::span<const std::uint32_t> rows,
                           Random& random) {
  const auto count = static_cast<std::int64_t>(rows.size());
  Tensor values(DType::F32, {count, 1}), offsets(DType::F32, {count, 1});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    values.values<float>()[i] = examples.labels[rows[i]];
    offsets.values<float>()[i] = static_cast<float>(examples.log_odds[rows[i]]);
  }
  return {{"images", net_images(turned_images(examples.pileups, rows, random))},
          {"values", values},
          {"offsets", offsets}};
}

nn::TrainingPlan plan_of(const nn::TensorSet& weights) {
  nn::TrainingPlan plan;
  plan.architecture = "convolutional";
  plan.config = call_net_spec().to_json();
  plan.loss = "binary";
  plan.optimizer.beta2 = 0.999;
  plan.optimizer.weight_decay = 0.05;
  for (const auto& [name, tensor] : weights) plan.trained.push_back(name);
  return plan;
}

}  // namespace

std::vector<std::uint8_t> images_of(const CallPileups& pileups,
                                    std::span<const std::uint32_t> rows) {
  std::vector<std::uint8_t> out;
  for (const std::uint32_t row : rows) {
    const auto image = pileups.at(row);
    out.insert(out.end(), image.begin(), image.end());
  }
  return out;
}

nn::TensorSet train_call_net(const NetExamples& examples, std::span<const std::uint32_t> rows,
                             const NetTrainingOptions& options, const std::stop_token& stop) {
  if (rows.empty())
    fail(Errc::InvalidArgument,
         "the trees are sure of all calls; there is nothing for a net to learn");
  nn::TensorSet weights = nn::initial_weights(call_net_spec(), options.seed);
  std::ranges::fill(weights.at("odds.weight").values<float>(), 0.0F);
  nn::Trainer trainer(plan_of(weights), weights);
  const std::size_t steps = (rows.size() + kBatch - 1) / kBatch;
  const double all = static_cast<double>(steps) * options.epochs;
  double done = 0;
  for (int epoch = 0; epoch < options.epochs; ++epoch) {
    std::vector<std::uint32_t> order(rows.begin(), rows.end());
    const auto stream = static_cast<std::uint64_t>(2 * epoch);
    shuffle_in_place(order, Random(options.seed, stream));
    Random turns(options.seed, stream + 1);
    for (std::size_t begin = 0; begin < order.size(); begin += kBatch) {
      std::vector<nn::TrainingBatch> batches;
      const std::size_t end = std::min(begin + kBatch, order.size());
      for (std::size_t at = begin; at < end; at += kMicroBatch)
        batches.push_back(batch_of(
            examples, std::span(order).subspan(at, std::min(kMicroBatch, end - at)), turns));
      trainer.step(batches, options.learning_rate * (1 - done / all), options.threads, stop);
      ++done;
    }
  }
  return trainer.weights();
}

}  // namespace aceso::genomics
