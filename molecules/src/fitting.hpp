/// \file
/// Fitting ensembles of message passing nets to a table of measured values.
#pragma once

#include "aceso/app/app.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace aceso::molecules {

/// Options of `molecules fit`; the defaults of the net are chemprop's.
struct FitOptions {
  std::filesystem::path molecules;
  std::optional<std::filesystem::path> output, predictions;
  std::string smiles_column = "smiles", targets = "target", task = "automatic";
  std::string split = "scaffold", split_column = "set";
  double validation = 0.1, test = 0.1;
  std::int64_t ensemble = 1;
  std::int64_t hidden = 300, depth = 3, head_layers = 2;
  double dropout = 0;
  std::string molecule_features = "none";
  double coverage = 0.9;
  std::int64_t epochs = 30, batch_size = 50, patience = 0;
  double learning_rate = 1e-3, warmup_epochs = 2, weight_decay = 0;
  std::int64_t seed = 1;
  std::string device = "cpu";
  std::string checkpoint;
  std::int64_t checkpoint_every = 100;
  bool resume = false;
  std::string name;
};

/// Trains, tests, reports, and writes the model. The result does not depend on the number of
/// threads.
/// \throws Error CorruptData naming file, row and column of what does not fit; as lm::train() does.
void fit(const FitOptions& options, app::RunContext& context);

}  // namespace aceso::molecules
