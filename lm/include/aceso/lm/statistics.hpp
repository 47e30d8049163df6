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

/// The coefficient of determination, 1 - squared errors / squared deviations from the mean of
/// `measured`; NaN for a constant `measured`.
[[nodiscard]] double r_squared(std::span<const double> measured, std::span<const double> predicted);

/// The area under the receiver operating characteristic: how often a positive has a higher score
/// than a negative, ties counting half. NaN without positives or negatives.
/// \param positive 1 for positives, 0 for negatives.
[[nodiscard]] double auroc(std::span<const double> positive, std::span<const double> scores);

/// The area under the steps of precision over recall (average precision); scores that are equal
/// are one step. NaN without positives.
[[nodiscard]] double average_precision(std::span<const double> positive,
                                       std::span<const double> scores);

}  // namespace aceso::lm
