/// \file
/// Linear layers: what transformers and others multiply with.
#pragma once

#include "aceso/core/tensor.hpp"
#include "aceso/nn/transformer.hpp"

#include <cstdint>
#include <memory>

namespace aceso::nn {

class LinearEngine;

/// y = x W^T + b for rows of x, with W laid out once for this CPU. Thread-safe; runs on the
/// caller's thread alone.
///
/// fp32 reads and writes f32. bf16 reads bf16 and writes bf16 or f32, summing in f32. int8 does
/// so too, but multiplies whole numbers: weights from -127 to 127 with a scale for each output,
/// rows from 0 to 255 with a scale and a zero for each row, found when it comes (Dettmers et al.
/// 2022, vector-wise quantisation; Jacob et al. 2018, zero points).
/// A row's result does not depend on the rows beside it or on how many there are.
class Linear {
 public:
  enum class Result {
    Same,   ///< x's type
    Gelu,   ///< the same after GELU
    Added,  ///< added to f32 values
  };

  Linear() = default;
  /// `weight` f32 [out, in] row-major; `bias` f32 [out] or null.
  Linear(const float* weight, const float* bias, std::int64_t out, std::int64_t in,
         Precision precision, Result result);

  /// `x` [rows, in], `y` [rows, out]; y must not be x.
  void apply(const void* x, void* y, std::int64_t rows) const;

 private:
  std::shared_ptr<const LinearEngine> engine_;
};

}  // namespace aceso::nn
