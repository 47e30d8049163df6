/// \file
/// What is minimised: the sum of a loss over the targets of a batch.
#pragma once

#include "tensors.hpp"

#include <string>

namespace aceso::train {

struct Objective {
  at::Tensor loss;  ///< the sum over targets
  double targets = 0, correct = 0;
};

/// \param loss "cross_entropy": targets i32 [rows] are classes, -1 for none;
/// "squared": values f32 [rows, outputs], NaN for none, half the squared difference;
/// "binary": values f32 [rows, outputs], 0 or 1 or NaN for none, of logits.
/// \throws Mistake if targets do not fit the outputs.
Objective compute_objective(const std::string& loss, const at::Tensor& outputs,
                            const Tensors& batch);

/// How many targets a batch has.
double target_count(const std::string& loss, const Tensors& batch);

}  // namespace aceso::train
