/// \file
/// Fine-tuning a language model on labelled sequences: all weights, low-rank adapters, or the head
/// alone.
#pragma once

#include "aceso/lm/labelled.hpp"
#include "aceso/lm/task.hpp"
#include "aceso/lm/training.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace aceso::lm {

struct FineTuningOptions : TrainingOptions {
  FineTuningOptions() {
    steps = 300;
    learning_rate = 1e-3;
    warmup_steps = 20;
    evaluate_every = 20;
    patience = 5;
  }
  std::filesystem::path base;
  std::optional<std::filesystem::path> output;
  std::optional<std::filesystem::path> predictions;
  std::string method = "lora";
  std::int64_t rank = 8;
  double alpha = 16;
  std::string kind = "automatic";  ///< "regression" or "classification"
  std::int64_t max_length = 1024;
  std::string target_name = "target";
  std::string name;
};

/// Trains, then writes the model (an adapter with "lora") and reports how well it predicts what it
/// was not trained on, beside the untrained head.
/// \throws Error CorruptData naming the record whose target does not fit; as train() does.
void finetune(std::vector<Labelled> data, bool per_residue, const FineTuningOptions& options,
              app::RunContext& context);

}  // namespace aceso::lm
