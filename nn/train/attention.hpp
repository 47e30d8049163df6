/// \file
/// Attention over packed sequences, with its gradient.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace aceso::train {

/// softmax(Q K^T / sqrt(d)) V for each sequence and head.
///
/// \param qkv [tokens, 3 * hidden]: query, key and value of each token, heads side by side.
/// \param offsets i32 [sequences + 1] on the host.
/// \param rotary f32 [longest, 2, d / 2], cosines then sines of each position; empty: none.
/// \returns [tokens, hidden], of qkv's type.
///
/// Work and memory grow with the square of each sequence's length, not with the batch's; the
/// probabilities are computed again for the gradient instead of being kept.
at::Tensor packed_attention(const at::Tensor& qkv, const at::Tensor& offsets,
                            const at::Tensor& rotary, std::int64_t heads, bool causal);

/// The same by PyTorch's operators, on the device where qkv and rotary lie; keeps the
/// probabilities, so memory grows with the square of the lengths too.
at::Tensor plain_attention(const at::Tensor& qkv, const at::Tensor& offsets,
                           const at::Tensor& rotary, std::int64_t heads, bool causal);

/// Cosines and sines for packed_attention(), as nn's engine computes them.
at::Tensor rotary_table(std::int64_t positions, std::int64_t head_size);

}  // namespace aceso::train
