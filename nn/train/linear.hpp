/// \file
/// Linear layers in the precision of their weights, with gradients.
#pragma once

#include <ATen/core/Tensor.h>

namespace aceso::train {

/// x W^T + b, in f32 or, where the weight is bf16, by products of bf16 whose sums are kept in f32.
/// Safe on several threads at once, and the same bytes whichever of them computes.
///
/// \param x [rows, in]: f32.
/// \param weight [out, in]: f32 or bf16.
/// \param bias [out], in the weight's type, or an undefined tensor.
/// \return f32 [rows, out].
/// \throws std::bad_alloc or another exception of oneDNN or PyTorch.
///
/// at::linear is not used for bf16: docs/design/0005-training.md says why.
at::Tensor linear_with(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});

/// The same by PyTorch's operators, on the device where x and the weight lie.
at::Tensor plain_linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});

}  // namespace aceso::train
