// Trains the net of call_net.hpp, through the training plugin.
#pragma once

#include "call_net.hpp"

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

namespace aceso::genomics {

/// Judged calls with what the trees say of them.
struct NetExamples {
  const CallPileups& pileups;            ///< by row
  std::span<const std::uint8_t> labels;  ///< 1: right
  std::span<const double> log_odds;      ///< of trees that have not learnt from the row
};

struct NetTrainingOptions {
  int epochs = 6;
  double learning_rate = 5e-4;  ///< of the first step; falls to 0 in a straight line
  std::uint64_t seed = 1;
  unsigned threads = 1;
};

/// Weights that correct the trees: the log odds of a row are those of the trees and the net's
/// output together, and their cross-entropy is what is minimised (as boosting fits a new member to
/// what the others leave: Friedman 2001). The net begins with an output of 0. Deterministic for any
/// number of threads. Cost: about 2 million operations a row and epoch.
/// \throws Error InvalidArgument if `rows` is empty; Unsupported without the plugin; Cancelled.
[[nodiscard]] nn::TensorSet train_call_net(const NetExamples& examples,
                                           std::span<const std::uint32_t> rows,
                                           const NetTrainingOptions& options,
                                           const std::stop_token& stop = {});

/// The images of some rows, one behind the other.
[[nodiscard]] std::vector<std::uint8_t> images_of(const CallPileups& pileups,
                                                  std::span<const std::uint32_t> rows);

}  // namespace aceso::genomics
