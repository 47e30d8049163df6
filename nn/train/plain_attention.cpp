#include "attention.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>

#include <cmath>
#include <limits>
#include <vector>

namespace aceso::train {
namespace {

/// Turns the halves of [heads, length, size] by the angles of their places.
at::Tensor turned(const at::Tensor& x, const at::Tensor& rotary) {
  if (rotary.numel() == 0) return x;
  const std::int64_t length = x.size(1), half = x.size(2) / 2;
  const at::Tensor angles = rotary.narrow(0, 0, length);
  const at::Tensor cosine = angles.select(1, 0), sine = angles.select(1, 1);
  const at::Tensor one = x.narrow(2, 0, half), two = x.narrow(2, half, half);
  return at::cat({one * cosine - two * sine, two * cosine + one * sine}, 2);
}

/// [length, 3 * hidden] of one sequence to [length, hidden].
at::Tensor attend(const at::Tensor& rows, const at::Tensor& rotary, std::int64_t heads,
                  bool causal) {
  const std::int64_t length = rows.size(0), hidden = rows.size(1) / 3;
  const at::Tensor parts = rows.view({length, 3, heads, hidden / heads}).permute({1, 2, 0, 3});
  const at::Tensor q = turned(parts.select(0, 0), rotary), k = turned(parts.select(0, 1), rotary);
  const double scale = 1 / std::sqrt(static_cast<double>(hidden / heads));
  at::Tensor scores = at::matmul(q, k.transpose(1, 2)) * scale;
  if (causal) {
    const at::Tensor later = at::ones({length, length}, rows.options().dtype(at::kBool)).triu(1);
    scores = scores.masked_fill(later, -std::numeric_limits<float>::infinity());
  }
  const at::Tensor mixed = at::matmul(at::softmax(scores, -1), parts.select(0, 2));
  return mixed.transpose(0, 1).reshape({length, hidden});
}

}  // namespace

at::Tensor plain_attention(const at::Tensor& qkv, const at::Tensor& offsets,
                           const at::Tensor& rotary, std::int64_t heads, bool causal) {
  const at::Tensor given = qkv.to(at::kFloat).contiguous();
  const auto* offset = offsets.data_ptr<std::int32_t>();
  std::vector<at::Tensor> sequences;
  for (std::int64_t s = 0; s + 1 < offsets.numel(); ++s) {
    if (offset[s + 1] > offset[s])
      sequences.push_back(
          attend(given.narrow(0, offset[s], offset[s + 1] - offset[s]), rotary, heads, causal));
  }
  return at::cat(sequences).to(qkv.scalar_type());
}

}  // namespace aceso::train
