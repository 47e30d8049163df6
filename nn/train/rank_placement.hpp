/// \file
/// Where a rank computes, and how it exchanges gradients with the others. Knows no PyTorch, so that
/// it is tested without GPUs.
#pragma once

#include "errors.hpp"

#include <cstdint>
#include <string>

namespace aceso::train {

/// c10d's backend that adds tensors up over ranks.
enum class Exchange { None, Gloo, Nccl };

/// A rank among those of one training.
struct RankOf {
  std::int64_t rank = 0, size = 1;
  std::int64_t local_rank = -1;  ///< among those of its machine; -1: nobody said, all are on one
};

/// What the plugin was built with, and how many GPUs this process sees.
struct Means {
  bool gloo = false, nccl = false;
  std::int64_t gpus = 0;
};

struct Placement {
  Exchange exchange = Exchange::None;
  std::int64_t gpu = 0;  ///< of this machine's, for the device "cuda"
  std::string told;      ///< for the run's log; empty for one rank alone
};

/// With NCCL each rank has a GPU to itself, and gradients stay there; with Gloo they go through the
/// host, and ranks share GPUs if there are too few.
/// \param device "cpu", "cuda" or "reference"; for "cuda" there is a GPU.
/// \throws Mistake if there is no GPU for this rank, or no way to exchange.
Placement place_rank(const std::string& device, const RankOf& rank, const Means& means);

}  // namespace aceso::train
