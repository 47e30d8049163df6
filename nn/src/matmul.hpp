/// \file
/// Linear layers over oneDNN: the one place that knows it.
#pragma once

#include "aceso/core/tensor.hpp"
#include "aceso/nn/transformer.hpp"

#include <cstdint>
#include <memory>

namespace aceso::nn {

/// y = x W^T + b for rows of x, with W laid out once for this CPU. Thread-safe; runs on the
/// caller's thread alone.
///
/// fp32 reads and writes f32. bf16 reads bf16 and writes bf16 or f32, summing in f32.
/// Rows are computed in blocks of fixed sizes, so that a row's result does not depend on how many
/// others there are.
class Linear {
 public:
  enum class Result {
    Same,  ///< x's type
    Added  ///< added to f32 values
  };

  Linear() = default;
  /// `weight` f32 [out, in] row-major; `bias` f32 [out] or null.
  Linear(const float* weight, const float* bias, std::int64_t out, std::int64_t in,
         Precision precision, Result result);

  /// `x` [rows, in], `y` [rows, out]; both must have room for rows_with_padding(rows) rows, whose
  /// last ones are read and overwritten without meaning.
  void apply(const void* x, void* y, std::int64_t rows) const;

  [[nodiscard]] static std::int64_t rows_with_padding(std::int64_t rows) noexcept {
    return (rows + kSmallBlock - 1) / kSmallBlock * kSmallBlock;
  }

 private:
  static constexpr std::int64_t kSmallBlock = 64;
  static constexpr std::int64_t kLargeBlock = 512;
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace aceso::nn
