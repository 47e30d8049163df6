/// \file
/// Training, done by a plugin over LibTorch that is loaded on demand: nothing else in the process
/// needs torch. This is the plugin's narrow face.
#pragma once

#include "aceso/core/json.hpp"
#include "aceso/nn/tensor_file.hpp"
#include "aceso/nn/transformer.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::nn {

/// Settings of the optimiser (AdamW: Loshchilov and Hutter 2019) and of the step.
struct TrainingSettings {
  double learning_rate = 4e-4;
  double beta1 = 0.9, beta2 = 0.98, epsilon = 1e-8, weight_decay = 0.01;
  double clip_norm = 1.0;           ///< 0: no clipping
  std::string schedule = "cosine";  ///< "constant", "linear" or "cosine", after warm-up
  std::int64_t warmup_steps = 100;
  std::int64_t total_steps = 1000;
  double final_fraction = 0.1;  ///< learning rate at total_steps, of the peak
  bool bf16 = false;            ///< autocast with fp32 master weights
  std::uint64_t seed = 1;
  unsigned threads = 1;
  std::int64_t lora_rank = 0;  ///< 0: train all weights
  double lora_alpha = 16;
  double lora_dropout = 0;
  std::string device = "cpu";  ///< "cpu" or "cuda"
};

/// One packed batch and what the model should say of it.
struct TrainingBatch {
  PackedTokens inputs;
  std::vector<std::int32_t> targets;  ///< per token, -1: not counted (language models)
  std::vector<float> values;  ///< regression: sequences x outputs, or tokens x outputs; NaN: none
  std::vector<std::int32_t> classes;  ///< classification: per sequence or token, -1: none
};

/// What is learnt beside the language model's own head.
struct TaskHead {
  std::string type = "language";  ///< "language", "regression" or "classification"
  bool per_residue = false;
  std::int64_t outputs = 1;  ///< values or classes
};

struct StepResult {
  double loss = 0;           ///< mean over what was counted, before the step
  double gradient_norm = 0;  ///< before clipping
  double learning_rate = 0;
  std::int64_t counted = 0;
};

/// A net in training. Not thread-safe.
class Trainer {
 public:
  virtual ~Trainer() = default;
  /// One optimiser step over the micro-batches, whose gradients are summed and divided by what
  /// they count together (and over all ranks).
  virtual StepResult step(std::span<const TrainingBatch> batches) = 0;
  /// Mean loss without learning.
  virtual double evaluate(std::span<const TrainingBatch> batches, std::int64_t* counted) = 0;
  /// Outputs of the task head: sequences (or tokens) x outputs.
  virtual std::vector<float> predict(const PackedTokens& batch) = 0;
  /// The weights under the names of TransformerSpec; task head under "task.*"; f32.
  [[nodiscard]] virtual TensorSet weights() = 0;
  /// Only the adapter's weights ("lora.*") and the task head.
  [[nodiscard]] virtual TensorSet adapter() = 0;
  /// Everything that makes a resumed run bit-equal: weights, moments, step.
  virtual void save(const std::filesystem::path& file) = 0;
  virtual void load(const std::filesystem::path& file) = 0;
  [[nodiscard]] virtual std::int64_t steps_done() const = 0;
};

/// How ranks of a data-parallel run find each other. world 1: alone.
struct Ranks {
  int rank = 0, world = 1;
  std::string master_address = "127.0.0.1";
  int master_port = 29500;
};

/// The loaded plugin. Loading it costs about half a second and 170 MB.
class TrainingPlugin {
 public:
  virtual ~TrainingPlugin() = default;
  /// Starts from `initial` (all weights, or none: random from the seed).
  [[nodiscard]] virtual std::unique_ptr<Trainer> language_model(const TransformerSpec& spec,
                                                                const TaskHead& task,
                                                                const TensorSet& initial,
                                                                const TrainingSettings& settings,
                                                                const Ranks& ranks) = 0;
  /// E.g. "LibTorch 1.13.0, OpenBLAS SkylakeX".
  [[nodiscard]] virtual std::string version() const = 0;
};

/// Loads the plugin from beside the program (or `folder`), once.
/// \throws Error Unsupported, saying what to install, if it is not there.
[[nodiscard]] TrainingPlugin& training_plugin(const std::filesystem::path& folder = {});

}  // namespace aceso::nn
