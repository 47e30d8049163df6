/// \file
/// What a transformer is made of, for several instruction sets: products, attention, norms. Every
/// variant is compiled from the same sources (*.inl) and compared in tests with the formula.
#pragma once

#include <cstdint>
#include <span>

namespace aceso::nn::kernels {

using Bf16 = std::uint16_t;

/// What the factors of a product are.
enum class Factors {
  Float32,
  BFloat16,  ///< exact products, sums in f32
  Int8       ///< unsigned rows, signed weights; exact sums in int32
};

/// y = x W^T + b. Factors stand in groups of four bytes along the inner dimension: one f32, two
/// bf16 or four int8. A row's result depends on that row alone, to the last bit.
struct Product {
  Factors factors;
  const void* x;        ///< [rows][groups] groups
  std::int64_t rows;    ///< any number
  std::int64_t groups;  ///< the inner dimension
  std::int64_t out;
  const void* weight;  ///< as Table::panel and Table::vector say
  const float* bias;   ///< [out up to a multiple of vector]
  /// Of rows and columns, for quantised factors; null: 1. The first product is
  /// row_scale * column_scale * (sum - row_zero * column_sum).
  const float* row_scale = nullptr;
  const std::int32_t* row_zero = nullptr;
  const float* column_scale = nullptr;
  const std::int32_t* column_sum = nullptr;
  bool gelu = false;
  enum class Into { Float32, BFloat16, AddedToFloat32 } into = Into::Float32;
  void* y = nullptr;  ///< [rows][out]
};

/// Rows for a product of Factors::Int8: x = scale * (q - zero) with q from 0 to 255, the range
/// being that of the row and 0 (dynamic quantisation per token).
struct Quantised {
  const void* x;  ///< [rows][width], f32 or bf16
  bool bf16;
  std::int64_t rows, width;
  std::int64_t padded;  ///< numbers in a row of q, the last ones 0
  std::uint8_t* q;      ///< null where `centred` is wanted
  float* centred;       ///< q - zero, for sets that multiply no int8
  float* scale;         ///< [rows]
  std::int32_t* zero;   ///< [rows]
};

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
  /// Weights of a product lie in panels of `panel` columns, the last one cut to a multiple of
  /// `vector`; a panel is [groups][columns] groups, missing columns hold 0.
  std::int64_t panel, vector;
  /// Products of bf16 and int8 want a multiple of so many groups, the last ones being 0.
  std::int64_t groups;
  std::int64_t
      rows;         ///< a multiple of the rows of all tiles; fewer are not worth reading all panels
  bool bf16, int8;  ///< whether product() takes these factors too
  void (*product)(const Product& product);
  void (*quantise)(const Quantised& rows);
  void (*widen)(const Bf16* x, std::int64_t count, float* y);
  /// y = (x - mean) / sqrt(variance + epsilon) * gain + bias for each row (Ba et al. 2016),
  /// into f32 or bf16: one of the two pointers is null.
  void (*norm)(const float* x, const float* gain, const float* bias, float epsilon,
               std::int64_t rows, std::int64_t width, float* y, Bf16* y_bf16);
  /// x <- x * Phi(x), the erf form of GELU (Hendrycks and Gimpel 2016); absolute error of
  /// Phi below 1e-7 (Abramowitz and Stegun 7.1.26), for bf16 below 2e-5.
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
[[nodiscard]] const Table& avx_vnni() noexcept;
[[nodiscard]] const Table& avx512() noexcept;
[[nodiscard]] const Table& avx512_vnni() noexcept;
[[nodiscard]] const Table& avx512_bf16() noexcept;
[[nodiscard]] const Table& amx() noexcept;

}  // namespace aceso::nn::kernels
