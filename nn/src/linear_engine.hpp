/// \file
/// What computes a linear layer, behind `Linear`.
#pragma once

#include "kernels/kernels.hpp"
#include "matmul.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace aceso::nn {

/// A linear layer whose weights are laid out. Thread-safe.
class LinearEngine {
 public:
  LinearEngine() = default;
  LinearEngine(const LinearEngine&) = delete;
  LinearEngine& operator=(const LinearEngine&) = delete;
  virtual ~LinearEngine() = default;
  /// As Linear::apply.
  virtual void apply(const void* x, void* y, std::int64_t rows) const = 0;
};

struct LinearWeights {
  const float* weight;  ///< [out, in] row-major
  const float* bias;    ///< [out], or null
  std::int64_t out, in;
};

/// Our own kernels over panels of weights, in any precision. On a table that does not multiply
/// bf16 or int8 numbers themselves, these are widened to f32 row by row.
[[nodiscard]] std::shared_ptr<const LinearEngine> panel_linear(const LinearWeights& weights,
                                                               Precision precision,
                                                               Linear::Result result,
                                                               const kernels::Table& table);

/// Memory for the time of a call; one piece a thread, as large as was ever wanted.
[[nodiscard]] std::byte* thread_scratch(std::size_t bytes);

}  // namespace aceso::nn
