/// \file
/// Training: gradients, AdamW and ranks, behind a plugin over LibTorch that is loaded on demand.
///
/// A program that trains nothing neither loads nor needs the plugin.
#pragma once

#include "aceso/core/json.hpp"
#include "aceso/core/tensor.hpp"
#include "aceso/nn/tensor_file.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace aceso::nn {

/// AdamW (Loshchilov & Hutter 2019); weights of rank two and more decay.
struct OptimizerSettings {
  double beta1 = 0.9, beta2 = 0.98, epsilon = 1e-8, weight_decay = 0.01;
  double clip = 1.0;  ///< largest norm of a step's gradient; 0: no limit
  /// Each rank keeps the moments of a share of the weights, updates these, and gives them to the
  /// others (Rajbhandari et al. 2020, ZeRO stage 1): 8 bytes a weight less but for the share. The
  /// results are the same bytes.
  bool sharded = false;
};

/// Processes that train one model together. Rank 0 listens at address:port.
struct Ranks {
  std::int64_t rank = 0, size = 1;
  std::int64_t local_rank = -1;  ///< among those of its machine; -1: all are on one
  std::string address = "127.0.0.1";
  std::uint16_t port = 29500;
  double timeout_seconds = 300;  ///< for one that does not answer
};

/// What is trained and towards what.
struct TrainingPlan {
  std::string architecture;          ///< "transformer", "dmpnn" or "convolutional"
  Json config;                       ///< the architecture's settings, as in model.yaml; "dmpnn" may
                                     ///< have "dropout" too, the share of states left out;
                                     ///< "convolutional" has one output, and no layers transposed,
                                     ///< nearest, interpolate or batch_norm
  std::vector<std::string> trained;  ///< names of the weights that change; the others are frozen
  /// Which rows a transformer answers for: "places" i32 [rows] of tokens, or the means over "spans"
  /// i32 [rows, 2] (first and last + 1).
  std::string rows = "places";
  std::string head = "tokens";         ///< "tokens": the language model's; "task": task.* weights
  std::string loss = "cross_entropy";  ///< or "squared", "binary"; see TrainingBatch
  std::string precision = "fp32";      ///< of matrix products; "bf16" keeps f32 master weights
  double adapter_scale = 1;            ///< factor of low-rank adapters
  /// Where the net is computed: "cpu"; "cuda", a GPU of a LibTorch for CUDA, the first one or, of
  /// several ranks, that of the local rank; "reference", PyTorch's operators as a GPU would be
  /// given them, on the CPU, to compare with. Ranks on GPUs add gradients up there, by NCCL, if the
  /// plugin was built with it; all others on the host, by Gloo.
  std::string device = "cpu";
  OptimizerSettings optimizer;
  Ranks ranks;
};

/// One micro-batch: arrays i32 or f32 by name. Transformers: tokens [tokens], offsets [sequences +
/// 1], places or spans. Message passing nets, of which one is trained ("members.0.*"): see
/// training_arrays() in message_passing.hpp, and dropout_seed i32 [2] where states are to be left
/// out. Convolutional nets, in fp32 alone: images f32 [images, channels, size...], and perhaps
/// offsets f32 [images, outputs], which are added to the outputs (all places of the last layer).
/// Then targets i32 [rows] for cross_entropy (-1: none), or values f32 [rows, outputs] for squared
/// (half the squared difference) and binary (NaN: none).
using TrainingBatch = TensorSet;

/// Sums over micro-batches.
struct TrainingFigures {
  double loss = 0;           ///< over the targets
  double targets = 0;        ///< how many there were
  double correct = 0;        ///< classes that were the likeliest
  double gradient_norm = 0;  ///< of the mean gradient, before clipping; of step() only
  double computed = 0;       ///< tokens, or molecules

  [[nodiscard]] double mean_loss() const noexcept { return targets > 0 ? loss / targets : 0; }
};

/// A net in training. Not thread-safe.
///
/// A step's result depends on its micro-batches, not on `threads`: each is computed by one thread,
/// and gradients are added in the order of a binary tree over them.
class Trainer {
 public:
  /// Loads the plugin, copies `weights`, and with several ranks waits for the others.
  /// Low-rank adapters (Hu et al. 2021) of a layer NAME are weights "adapters.NAME.down"
  /// [rank, in] and "adapters.NAME.up" [out, rank]; a task head is "task.dense" and "task.output".
  /// \throws Error Unsupported if the plugin is not installed or is another version's; Io if
  /// another rank cannot be reached; InvalidArgument if weights are missing.
  Trainer(const TrainingPlan& plan, const TensorSet& weights);
  ~Trainer();
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;

  /// One update from the mean gradient over all targets of all ranks' micro-batches. Figures are
  /// those of all ranks. \throws Error Cancelled (then nothing was updated), Io, OutOfResources.
  TrainingFigures step(std::span<const TrainingBatch> batches, double learning_rate,
                       unsigned threads, const std::stop_token& stop = {});
  /// The loss of this rank's batches, without an update.
  [[nodiscard]] TrainingFigures evaluate(std::span<const TrainingBatch> batches, unsigned threads,
                                         const std::stop_token& stop = {});
  /// f32 [rows, outputs] of one batch.
  [[nodiscard]] Tensor outputs(const TrainingBatch& batch);
  /// The trained weights by name.
  [[nodiscard]] TensorSet weights();
  /// Weights and the optimiser's moments: what restore() needs to go on as if nothing had happened.
  /// With a sharded optimiser all ranks must call it; rank 0 gets all moments, others their own.
  [[nodiscard]] TensorSet state();
  void restore(const TensorSet& state, std::int64_t steps);
  void barrier();

  /// Where this rank computes and how ranks exchange gradients, for a log; empty for one alone.
  [[nodiscard]] std::string placement() const;
  /// What computes, e.g. "PyTorch 1.13.0".
  [[nodiscard]] std::string about() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Whether the plugin is installed beside the program.
[[nodiscard]] bool training_is_installed();

/// Loads the plugin, for callers with long work before a Trainer.
/// \throws Error Unsupported if it is not installed or is another version's.
void require_training();

}  // namespace aceso::nn
