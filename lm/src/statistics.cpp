#include "aceso/lm/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

namespace aceso::lm {
namespace {

std::vector<double> ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double rank = static_cast<double>(begin + end - 1) / 2;
    for (std::size_t i = begin; i < end; ++i) result[order[i]] = rank;
  }
  return result;
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

double pearson(std::span<const double> a, std::span<const double> b) {
  const double mean_a = a.empty() ? 0 : mean(a), mean_b = b.empty() ? 0 : mean(b);
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean_a) * (b[i] - mean_b);
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return aa > 0 && bb > 0 ? ab / std::sqrt(aa * bb) : std::nan("");
}

double spearman(std::span<const double> a, std::span<const double> b) {
  return pearson(ranks(a), ranks(b));
}

double r_squared(std::span<const double> measured, std::span<const double> predicted) {
  const double middle = measured.empty() ? 0 : mean(measured);
  double errors = 0, deviations = 0;
  for (std::size_t i = 0; i < measured.size(); ++i) {
    errors += (measured[i] - predicted[i]) * (measured[i] - predicted[i]);
    deviations += (measured[i] - middle) * (measured[i] - middle);
  }
  return deviations > 0 ? 1 - errors / deviations : std::nan("");
}

double auroc(std::span<const double> positive, std::span<const double> scores) {
  const std::vector<double> rank = ranks(scores);
  double positives = 0, sum = 0;
  for (std::size_t i = 0; i < positive.size(); ++i) {
    positives += positive[i];
    sum += positive[i] * rank[i];
  }
  const double negatives = static_cast<double>(positive.size()) - positives;
  if (positives == 0 || negatives == 0) return std::nan("");
  // Mann and Whitney's U (1947) from ranks that begin at 0.
  return (sum - positives * (positives - 1) / 2) / (positives * negatives);
}

double average_precision(std::span<const double> positive, std::span<const double> scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  const double positives = std::accumulate(positive.begin(), positive.end(), 0.0);
  if (positives == 0) return std::nan("");
  double area = 0, found = 0;
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    const double before = found;
    while (end < order.size() && scores[order[end]] == scores[order[begin]])
      found += positive[order[end++]];
    area += (found - before) / positives * found / static_cast<double>(end);
  }
  return area;
}

}  // namespace aceso::lm
