/// \file
/// Arrays of micro-batches.
#pragma once

#include "aceso/core/random.hpp"
#include "aceso/core/tensor.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>
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

/// The numbers in `items` in another order, by Fisher & Yates: the standard library's shuffle
/// differs between libraries.
inline void shuffle_in_place(std::vector<std::uint32_t>& items, Random random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

}  // namespace aceso::lm
