/// \file
/// One training run: weights, net, optimiser and ranks.
#pragma once

#include "collective.hpp"
#include "gradient_sum.hpp"
#include "optimizer.hpp"
#include "tensors.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace aceso::train {

struct Figures {
  double loss = 0, targets = 0, correct = 0, gradient_norm = 0, computed = 0;
};

using IsStopped = std::function<bool()>;

class Trainer {
 public:
  /// `plan`: see TrainingPlan in nn/src/training.cpp. Copies the weights.
  Trainer(const nlohmann::json& plan, const Tensors& weights);

  Figures step(const std::vector<Tensors>& batches, double learning_rate, int threads,
               const IsStopped& stopped);
  Figures evaluate(const std::vector<Tensors>& batches, int threads, const IsStopped& stopped);
  at::Tensor outputs(const Tensors& batch);
  Tensors state(bool moments) const;
  void restore(const Tensors& state, std::int64_t steps);
  void barrier() { collective_->barrier(); }
  const Placement& placement() const { return placement_; }

 private:
  struct Result {
    Figures figures;
    std::vector<at::Tensor> gradients;
  };

  Weights compute_weights(bool with_gradients) const;
  /// Gives each rank the weights that others have updated.
  void share_weights();
  /// Adds what other ranks have to their moments in `all`, on rank 0.
  void gather_moments(Tensors& all) const;
  Result compute(const Weights& weights, const Tensors& batch, double all_targets,
                 bool with_gradients) const;
  double count_targets(const std::vector<Tensors>& batches) const;
  void for_each_batch(const std::vector<Tensors>& batches, int threads, const IsStopped& stopped,
                      const std::function<void(std::size_t)>& body) const;

  Tensors master_;
  std::vector<std::string> trained_;
  std::unique_ptr<Net> net_;
  std::string loss_;
  bool bf16_ = false;
  Placement placement_;
  at::Device device_ = at::kCPU;
  bool own_kernels_ = true;
  double adapter_scale_ = 1;
  std::unique_ptr<AdamW> optimizer_;
  std::vector<std::int64_t> owners_;  ///< ranks, of trained_; empty: each has all moments
  std::unique_ptr<Collective> collective_;
};

}  // namespace aceso::train
