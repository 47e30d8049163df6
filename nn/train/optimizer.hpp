/// \file
/// AdamW with decoupled weight decay (Loshchilov & Hutter 2019) over f32 master weights.
#pragma once

#include "tensors.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace aceso::train {

struct AdamWSettings {
  double beta1 = 0.9, beta2 = 0.98, epsilon = 1e-8, weight_decay = 0.01;
  double clip = 1.0;  ///< largest norm of the gradient; 0: no limit

  static AdamWSettings from_json(const nlohmann::json& settings);
};

/// Updates weights in place, where they lie: by loops of ours with one pass over memory for each
/// tensor, in a fixed order; or, `own_loops` being false, by PyTorch's operators on many tensors at
/// once, which any device has.
class AdamW {
 public:
  /// Trains `names` of `weights`, whose storage it shares. Of those whose entry in `owned` is false
  /// it has no moments, and leaves them as they are; empty: all are its own.
  AdamW(const Tensors& weights, const std::vector<std::string>& names, AdamWSettings settings,
        const std::vector<bool>& owned = {}, bool own_loops = true);

  /// `gradients` of all names(), in their order. Returns the norm of the gradient before clipping.
  double step(const std::vector<at::Tensor>& gradients, double learning_rate);

  const std::vector<std::string>& names() const { return names_; }
  /// "first.NAME" and "second.NAME" of its own.
  Tensors moments() const;
  /// Takes its own of `moments`. \throws Mistake if one is missing or has another size.
  void restore(const Tensors& moments, std::int64_t steps);

 private:
  struct Parameter {
    at::Tensor weight, first, second;  ///< moments are undefined if another rank has them
    bool decays;
  };
  /// Factors of one step.
  struct Rates {
    double rate, root, kept;  ///< kept: of a weight that decays
  };

  double norm_of(const std::vector<at::Tensor>& gradients) const;
  void step_by_loops(const std::vector<at::Tensor>& gradients, double factor, const Rates& rates);
  void step_by_operators(const std::vector<at::Tensor>& gradients, double factor,
                         const Rates& rates);

  std::vector<std::string> names_;
  std::vector<Parameter> parameters_;
  AdamWSettings settings_;
  bool own_loops_;
  std::int64_t steps_ = 0;
};

}  // namespace aceso::train
