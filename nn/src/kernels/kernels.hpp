/// \file
/// What a transformer does beside matrix products, for several instruction sets. Every variant
/// is made from the one source kernels.inl and compared with the portable one in tests.
#pragma once

#include <cstdint>
#include <span>

namespace aceso::nn::kernels {

using Bf16 = std::uint16_t;

/// One sequence's attention. Rows of qkv hold query, key and value of all heads, 3 * hidden wide.
struct Attention {
  const void* qkv;  ///< f32 or bf16
  void* out;        ///< rows of `hidden`, of qkv's type
  bool bf16;
  bool causal;
  std::int64_t length;  ///< tokens
  std::int64_t hidden;
  std::int64_t heads;
  /// cos and sin of the rotary angles, [length][head size / 2] each; null: no rotation.
  const float* cosine;
  const float* sine;
  float* workspace;  ///< of attention_workspace() floats, 64-byte aligned
};

struct Table {
  const char* name;
  /// y = (x - mean) / sqrt(variance + epsilon) * gain + bias for each row (Ba et al. 2016),
  /// into f32 or bf16: one of the two pointers is null.
  void (*norm)(const float* x, const float* gain, const float* bias, float epsilon,
               std::int64_t rows, std::int64_t width, float* y, Bf16* y_bf16);
  /// x <- x * Phi(x), the erf form of GELU (Hendrycks and Gimpel 2016); absolute error of
  /// erf below 2e-7 (Abramowitz and Stegun 7.1.26).
  void (*gelu)(float* x, std::int64_t count);
  void (*gelu_bf16)(Bf16* x, std::int64_t count);
  /// softmax(q k^T / sqrt(head size)) v for each head.
  void (*attention)(const Attention& attention);
};

/// Floats of workspace that any variant needs for sequences up to `length`.
[[nodiscard]] std::int64_t attention_workspace(std::int64_t length, std::int64_t head_size);

/// All variants that this CPU can run, the portable one first, the fastest last.
[[nodiscard]] std::span<const Table* const> available() noexcept;
[[nodiscard]] const Table& best() noexcept;

[[nodiscard]] const Table& portable() noexcept;
[[nodiscard]] const Table& avx2() noexcept;
[[nodiscard]] const Table& avx512() noexcept;

}  // namespace aceso::nn::kernels
