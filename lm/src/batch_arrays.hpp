/// \file
/// Arrays of micro-batches.
#pragma once

#include "aceso/core/tensor.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace aceso::lm {

/// `values` as i32 [values], or [rows, values / rows].
inline Tensor integers(const std::vector<std::int32_t>& values, std::int64_t columns = 1) {
  const auto count = static_cast<std::int64_t>(values.size());
  Tensor tensor(DType::I32, columns == 1 ? std::vector<std::int64_t>{count}
                                         : std::vector<std::int64_t>{count / columns, columns});
  std::ranges::copy(values, tensor.values<std::int32_t>().begin());
  return tensor;
}

}  // namespace aceso::lm
