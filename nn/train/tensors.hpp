/// \file
/// Tensors by name in the training plugin, and what a net is to the trainer.
#pragma once

#include "errors.hpp"
#include "training_abi.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <map>
#include <string>
#include <vector>

namespace aceso::train {

/// Tensors by name, in an order that every rank and every run shares.
using Tensors = std::map<std::string, at::Tensor>;

/// Looks a tensor up. \throws Mistake naming it.
inline const at::Tensor& find(const Tensors& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) throw Mistake("the tensor " + name + " is missing");
  return found->second;
}

/// Views of borrowed arrays, good as long as these are.
Tensors borrow(const aceso_arrays& arrays);

/// The weights as the net computes with them, and how.
struct Weights {
  Tensors tensors;  ///< in the precision of the matrix products, where it matters
  double adapter_scale = 1;
  at::Device device = at::kCPU;  ///< where they lie, and products are computed
  bool own_kernels = true;       ///< ours, of the CPU; else PyTorch's operators

  const at::Tensor& operator()(const std::string& name) const { return find(tensors, name); }
  bool has(const std::string& name) const { return tensors.count(name) != 0; }
};

/// x W^T + b by the layer `name`, in the weights' precision, with its low-rank adapter if there is
/// one (Hu et al. 2021): "adapters.NAME.down" [rank, in] and "adapters.NAME.up" [out, rank].
at::Tensor linear(const Weights& weights, const std::string& name, const at::Tensor& x);
/// The adapter's share of the above alone; an undefined tensor if there is none.
at::Tensor adapter(const Weights& weights, const std::string& name, const at::Tensor& x);
/// Layer norm in f32.
at::Tensor norm(const Weights& weights, const std::string& name, const at::Tensor& x,
                double epsilon);

/// An architecture. Stateless: weights come with each call, so threads share it. Batches lie on the
/// host, outputs where the weights do.
class Net {
 public:
  virtual ~Net() = default;
  /// f32 [rows, outputs]: what the objective compares with the targets.
  virtual at::Tensor outputs(const Weights& weights, const Tensors& batch) const = 0;
  /// Tokens or atoms in a batch.
  virtual std::int64_t size(const Tensors& batch) const = 0;
};

}  // namespace aceso::train
