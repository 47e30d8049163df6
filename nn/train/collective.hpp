/// \file
/// Ranks of one training run that add up their gradients: c10d over Gloo, or NCCL between GPUs.
#pragma once

#include "rank_placement.hpp"
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
  /// Adds `tensors` over all ranks, in place. They may lie on any device. \throws Unreachable.
  virtual void sum(std::vector<at::Tensor>& tensors) = 0;
  /// Gives all ranks what `tensors` hold on rank `root`. \throws Unreachable.
  virtual void share(std::vector<at::Tensor>& tensors, std::int64_t root) = 0;
  virtual void barrier() = 0;
};

/// Whether this build can exchange by Gloo, and by NCCL.
bool has_gloo();
bool has_nccl();

/// \param settings null for one rank alone, else {"rank", "size", "address", "port",
/// "timeout_seconds"}; rank 0 listens at the address.
/// \param device where NCCL's messages lie; of Gloo they lie on the host.
std::unique_ptr<Collective> open_collective(const nlohmann::json& settings, Exchange exchange,
                                            at::Device device);

}  // namespace aceso::train
