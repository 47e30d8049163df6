/// \file
/// What models that write sequences token by token do beside matrix products, for several
/// instruction sets. Made from the one source decode.inl and compared with the formulas in tests.
#pragma once

#include <cstdint>
#include <span>

namespace aceso::nn::kernels {

/// Floats that lie together in a cache; a multiple of every variant's vector.
inline constexpr std::int64_t kCacheStep = 16;

[[nodiscard]] constexpr std::int64_t cache_size(std::int64_t count) noexcept {
  return (count + kCacheStep - 1) / kCacheStep * kCacheStep;
}

/// The attention of one token to those before it and itself. With D the head size, C the
/// capacity (a multiple of kCacheStep), every pointer f32 and the caches holding numbers
/// everywhere:
struct CachedAttention {
  const float* query;   ///< [heads][D], turned by its position
  const float* keys;    ///< [heads][D][C], turned by theirs
  const float* values;  ///< [heads][C][cache_size(D)]
  float* out;           ///< [heads][D]
  std::int64_t length;  ///< positions that are there, its own among them
  std::int64_t capacity;
  std::int64_t heads;
  std::int64_t head_size;
  float* workspace;  ///< of C + cache_size(D) floats
};

struct DecodeTable {
  const char* name;
  /// softmax(q k^T / sqrt(D)) v for each head.
  void (*attend)(const CachedAttention& attention);
  /// One step of an LSTM (Hochreiter and Schmidhuber 1997, with forget gates): from the sums
  /// `gates` of `width` input, forget, cell and output gates each,
  ///   cell <- sigmoid(f) cell + sigmoid(i) tanh(g),  state <- sigmoid(o) tanh(cell).
  /// Absolute error below 1e-6.
  void (*lstm_cell)(const float* gates, float* cell, float* state, std::int64_t width);
};

/// All variants that this CPU can run, the portable one first, the fastest last.
[[nodiscard]] std::span<const DecodeTable* const> available_decoders() noexcept;
[[nodiscard]] const DecodeTable& best_decoder() noexcept;

[[nodiscard]] const DecodeTable& decode_portable() noexcept;
[[nodiscard]] const DecodeTable& decode_avx2() noexcept;
[[nodiscard]] const DecodeTable& decode_avx512() noexcept;

}  // namespace aceso::nn::kernels
