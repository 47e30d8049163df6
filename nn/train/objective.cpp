#include "objective.hpp"

#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/isnan.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

namespace aceso::train {
namespace {

Objective classes(const at::Tensor& outputs, const Tensors& batch) {
  const at::Tensor targets = find(batch, "targets").to(at::kLong);
  if (targets.numel() != outputs.size(0)) throw Mistake("there is not one target for each row");
  if (targets.numel() > 0 && (targets.max().item<std::int64_t>() >= outputs.size(1) ||
                              targets.min().item<std::int64_t>() < -1))
    throw Mistake("a target is no class");
  const at::Tensor loss =
      at::cross_entropy_loss(outputs, targets, {}, at::Reduction::Sum, /*ignore_index=*/-1);
  const at::Tensor right = (outputs.detach().argmax(1) == targets).sum();
  return {loss, target_count("cross_entropy", batch), right.item<double>()};
}

Objective values(const std::string& loss, const at::Tensor& outputs, const Tensors& batch) {
  const at::Tensor& targets = find(batch, "values");
  if (targets.sizes() != outputs.sizes()) throw Mistake("there is not one value for each output");
  const at::Tensor missing = at::isnan(targets);
  const at::Tensor wanted = at::where(missing, at::zeros_like(targets), targets);
  const at::Tensor each = loss == "squared" ? (outputs - wanted).square() * 0.5
                                            : at::binary_cross_entropy_with_logits(
                                                  outputs, wanted, {}, {}, at::Reduction::None);
  const at::Tensor right = ((outputs.detach() > 0) == (wanted > 0.5)).logical_and_(~missing).sum();
  return {at::where(missing, at::zeros_like(each), each).sum(), target_count(loss, batch),
          loss == "binary" ? right.item<double>() : 0.0};
}

}  // namespace

Objective compute_objective(const std::string& loss, const at::Tensor& outputs,
                            const Tensors& batch) {
  if (loss == "cross_entropy") return classes(outputs, batch);
  if (loss == "squared" || loss == "binary") return values(loss, outputs, batch);
  throw Mistake("there is no loss " + loss);
}

double target_count(const std::string& loss, const Tensors& batch) {
  if (loss == "cross_entropy") return (find(batch, "targets") >= 0).sum().item<double>();
  return (~at::isnan(find(batch, "values"))).sum().item<double>();
}

}  // namespace aceso::train
