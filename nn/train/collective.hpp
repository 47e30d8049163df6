/// \file
/// Ranks of one training run that add up their gradients: c10d over Gloo.
#pragma once

#include "tensors.hpp"

#include <nlohmann/json.hpp>

#include <memory>
#include <vector>

namespace aceso::train {

class Collective {
 public:
  virtual ~Collective() = default;
  virtual std::int64_t rank() const = 0;
  virtual std::int64_t size() const = 0;
  /// Adds `tensors` over all ranks, in place. \throws Unreachable.
  virtual void sum(std::vector<at::Tensor>& tensors) = 0;
  /// Gives all ranks what `tensors` hold on rank `root`. \throws Unreachable.
  virtual void share(std::vector<at::Tensor>& tensors, std::int64_t root) = 0;
  virtual void barrier() = 0;
};

/// \param settings null for one rank alone, else {"rank", "size", "address", "port",
/// "timeout_seconds"}; rank 0 listens at the address.
std::unique_ptr<Collective> open_collective(const nlohmann::json& settings);

}  // namespace aceso::train
