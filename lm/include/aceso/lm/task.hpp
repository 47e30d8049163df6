/// \file
/// Tasks on top of a language model: a value or a class for each sequence or each residue.
#pragma once

#include "aceso/core/json.hpp"
#include "aceso/core/progress.hpp"
#include "aceso/lm/language_model.hpp"
#include "aceso/nn/model_folder.hpp"
#include "aceso/nn/tensor_file.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::lm {

/// What a fine-tuned model predicts: `config.task` of model.yaml. Weights: perhaps
/// task.dense.{weight [H,H], bias [H]} with a GELU behind it, and task.output.{weight [O,H], bias
/// [O]} over the mean of a sequence's residues, or over each residue.
struct TaskSpec {
  bool classes = false;             ///< else a value
  bool per_residue = false;         ///< else of the whole sequence
  std::vector<std::string> labels;  ///< names of classes; of a value its one name
  double mean = 0, deviation = 1;   ///< a value is mean + deviation * output

  [[nodiscard]] std::int64_t outputs() const noexcept {
    return classes ? static_cast<std::int64_t>(labels.size()) : 1;
  }
  [[nodiscard]] Json to_json() const;
  /// \throws Error CorruptData naming `source`.
  [[nodiscard]] static TaskSpec from_json(const Json& config, std::string_view source);
  /// The head's weights for a model of `hidden` numbers.
  [[nodiscard]] std::vector<nn::TensorInfo> weights(std::int64_t hidden, bool dense) const;
};

/// A fine-tuned model at work.
class TaskModel {
 public:
  /// `model`: one with a task, or with `adapter` its base.
  /// \throws Error CorruptData, Unsupported naming the model if it has no task; as LanguageModel.
  TaskModel(const std::filesystem::path& model, const std::optional<std::filesystem::path>& adapter,
            nn::Precision precision, nn::Device device = nn::Device::Cpu);
  /// From weights at hand, the base's and the head's.
  TaskModel(const LanguageModel& base, const nn::TensorSet& weights, TaskSpec task);

  [[nodiscard]] const TaskSpec& task() const noexcept { return task_; }
  [[nodiscard]] const LanguageModel& model() const noexcept { return model_; }

  /// For each item its outputs, [outputs] or [residues, outputs]: a value in its unit, or
  /// log-probabilities of the classes. In no order, from several threads.
  void predict(std::span<const Item> items, unsigned threads, Progress& progress,
               const std::stop_token& stop,
               const std::function<void(const Item&, std::span<const float>)>& body) const;

 private:
  [[nodiscard]] std::vector<float> answers(const Tensor& rows) const;

  LanguageModel model_;
  TaskSpec task_;
  Tensor dense_weight_, dense_bias_, output_weight_, output_bias_;
};

}  // namespace aceso::lm
