/// \file
/// How well predictions agree with measurements.
#pragma once

#include <span>

namespace aceso::lm {

/// Spearman's rank correlation, ties by their mean rank; NaN for fewer than two values or a
/// constant side. Both spans have the same length and no NaN.
[[nodiscard]] double spearman(std::span<const double> a, std::span<const double> b);

/// Pearson's correlation; NaN as above.
[[nodiscard]] double pearson(std::span<const double> a, std::span<const double> b);

}  // namespace aceso::lm
