/// \file
/// The training loop that all apps share: schedule, evaluation, early stopping, checkpoints that
/// resume exactly, live figures, plots.
#pragma once

#include "aceso/app/app.hpp"
#include "aceso/nn/training.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace aceso::lm {

/// Options of every app that trains. A job inherits them; see describe_training().
struct TrainingOptions {
  std::int64_t steps = 1000;
  double learning_rate = 4e-4;
  std::int64_t warmup_steps = 100;
  std::string schedule = "cosine";
  double weight_decay = 0.01;
  double clip = 1.0;
  std::int64_t micro_batch_tokens = 2048;
  std::int64_t micro_batches = 4;
  std::string precision = "fp32";
  std::string device = "cpu";
  bool shard_optimizer = false;
  std::int64_t evaluate_every = 100;
  std::int64_t patience = 0;
  std::int64_t seed = 1;
  std::string checkpoint;  ///< a folder; empty: none
  std::int64_t checkpoint_every = 100;
  bool resume = false;
  /// Not an option of apps: whether the report gets the training's plots.
  bool plots = true;
};

/// Where batches come from. Deterministic: after seek(position()) the same batches follow, in this
/// process or another.
class BatchSource {
 public:
  virtual ~BatchSource() = default;
  /// This rank's micro-batches of the next step.
  [[nodiscard]] virtual std::vector<nn::TrainingBatch> next() = 0;
  [[nodiscard]] virtual Json position() const = 0;
  virtual void seek(const Json& position) = 0;
  /// Batches that are never trained on; may be empty.
  [[nodiscard]] virtual std::span<const nn::TrainingBatch> held_out() const = 0;
  /// Changes with the data and with how batches are made of them.
  [[nodiscard]] virtual std::string fingerprint() const = 0;
};

/// A figure at some steps.
struct Curve {
  std::vector<double> steps, values;
};

struct TrainingOutcome {
  nn::TensorSet weights;                ///< the best by held-out loss with patience, else the last
  std::int64_t steps = 0;               ///< updates made in all, before a resume too
  std::int64_t resumed_from = 0;        ///< steps that a checkpoint had; 0: none
  double loss = 0;                      ///< of the last step
  std::optional<double> held_out_loss;  ///< of `weights`
  double tokens_per_second = 0;
  bool stopped_early = false;
  std::string placement;  ///< nn::Trainer::placement(): of several ranks, where and how
  Curve training_losses, held_out_losses;
};

/// The learning rate of update `step` (from 1): a rise over the warm-up, then constant, a straight
/// line to zero, or half a cosine to a tenth.
[[nodiscard]] double learning_rate_at(const TrainingOptions& options, std::int64_t step);

/// Trains, with plots in the report and an event "training.step" in the log now and then.
///
/// With a checkpoint folder the state is written there every so often, whole or not at all; a run
/// that was killed and goes on with `resume` gives the same bytes as one that was not.
/// \throws Error InvalidArgument if the folder holds a checkpoint and `resume` is not set, or of
/// another training; Cancelled after a stop, with the last state written.
[[nodiscard]] TrainingOutcome train(const nn::TrainingPlan& plan, const nn::TensorSet& weights,
                                    BatchSource& source, const TrainingOptions& options,
                                    app::RunContext& context);

/// What `options` say to the plan: optimiser and precision, and the context's ranks.
void configure(nn::TrainingPlan& plan, const TrainingOptions& options,
               const app::RunContext& context);

/// Figures of the outcome as metrics.
void report_training(const TrainingOutcome& outcome, const nn::TrainingPlan& plan,
                     app::RunContext& context);

/// Adds the option that says where a net is trained.
template <typename Job>
void describe_training_device(app::Describe<Job>& d, std::string Job::* device) {
  d.option("device", device,
           {.help = "where the net is computed; cuda: the first GPU, with a training plugin built "
                    "on a LibTorch for CUDA",
            .choices = {"cpu", "cuda"},
            .group = "Training",
            .advanced = true});
}

/// Adds the options to an app whose Job inherits TrainingOptions.
template <typename Job>
void describe_training(app::Describe<Job>& d) {
  const auto number = [](std::int64_t TrainingOptions::* m) {
    return static_cast<std::int64_t Job::*>(m);
  };
  const auto real = [](double TrainingOptions::* m) { return static_cast<double Job::*>(m); };
  const auto text = [](std::string TrainingOptions::* m) {
    return static_cast<std::string Job::*>(m);
  };
  using T = TrainingOptions;
  d.option("steps", number(&T::steps),
           {.help = "updates of the weights", .minimum = 1, .group = "Training"});
  d.option("learning_rate", real(&T::learning_rate),
           {.help = "highest learning rate", .minimum = 0, .maximum = 1, .group = "Training"});
  d.option("warmup_steps", number(&T::warmup_steps),
           {.help = "updates over which the learning rate rises from zero",
            .minimum = 0,
            .group = "Training"});
  d.option("schedule", text(&T::schedule),
           {.help = "of the learning rate after that: half a cosine to a tenth, a line to zero, or "
                    "constant",
            .choices = {"cosine", "linear", "constant"},
            .group = "Training",
            .advanced = true});
  d.option("weight_decay", real(&T::weight_decay),
           {.help = "decoupled weight decay of AdamW; biases and norms do not decay",
            .minimum = 0,
            .maximum = 1,
            .group = "Training",
            .advanced = true});
  d.option("clip", real(&T::clip),
           {.help = "largest norm of a gradient; 0: no limit",
            .minimum = 0,
            .group = "Training",
            .advanced = true});
  d.option("micro_batch_tokens", number(&T::micro_batch_tokens),
           {.help = "tokens that are computed at once",
            .unit = "tokens",
            .minimum = 16,
            .group = "Training",
            .advanced = true});
  d.option("micro_batches", number(&T::micro_batches),
           {.help = "how many of these make one update, over all ranks; threads work on them side "
                    "by side",
            .minimum = 1,
            .maximum = 65536,
            .group = "Training"});
  d.option(
      "precision", text(&T::precision),
      {.help = "of matrix products; bf16 keeps fp32 master weights and is faster where the CPU "
               "multiplies it",
       .choices = {"fp32", "bf16"},
       .group = "Training"});
  describe_training_device(d, text(&T::device));
  d.option(
      "shard_optimizer", static_cast<bool Job::*>(&T::shard_optimizer),
      {.help = "with several ranks: each keeps the optimiser's state of a share of the weights "
               "only, which takes less memory; when stopped, the last checkpoint is what to "
               "go on from",
       .group = "Training",
       .advanced = true});
  d.option("evaluate_every", number(&T::evaluate_every),
           {.help = "updates between two looks at the held-out data",
            .minimum = 1,
            .group = "Training"});
  d.option("patience", number(&T::patience),
           {.help = "stop after so many looks without a better held-out loss and keep the best "
                    "weights; 0: never",
            .minimum = 0,
            .group = "Training"});
  d.option("seed", number(&T::seed),
           {.help = "of the first weights, the order of the data and what is masked",
            .minimum = 0,
            .group = "Training"});
  d.option("checkpoint", text(&T::checkpoint),
           {.help = "folder for the state, to go on from after an interruption",
            .group = "Checkpoints"});
  d.option("checkpoint_every", number(&T::checkpoint_every),
           {.help = "updates between two checkpoints", .minimum = 1, .group = "Checkpoints"});
  d.option("resume", static_cast<bool Job::*>(&T::resume),
           {.help = "go on from the checkpoint if there is one", .group = "Checkpoints"});
}

}  // namespace aceso::lm
