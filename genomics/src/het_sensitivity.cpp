#include "het_sensitivity.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace aceso::genomics {
namespace {

constexpr double kLogOdds = 3;

double threshold(std::size_t depth) {
  return 10 * (static_cast<double>(depth) * std::log10(2.0) + kLogOdds);
}

double binomial_half(std::size_t n, std::size_t m) {
  const auto log_factorial = [](std::size_t k) { return std::lgamma(static_cast<double>(k) + 1); };
  return std::exp(log_factorial(n) - log_factorial(m) - log_factorial(n - m) -
                  static_cast<double>(n) * std::log(2.0));
}

/// The distribution of a sum with one more quality; the last entry is "this or more".
std::vector<double> one_more(const std::vector<double>& sums, std::span<const double> quality) {
  std::vector<double> out(sums.size(), 0.0);
  for (std::size_t q = 0; q < quality.size(); ++q) {
    if (quality[q] == 0) continue;
    for (std::size_t s = 0; s < sums.size(); ++s)
      out[std::min(s + q, sums.size() - 1)] += sums[s] * quality[q];
  }
  return out;
}

}  // namespace

double het_snp_sensitivity(const Histogram& depths, std::span<const std::uint64_t> qualities) {
  const auto total = static_cast<double>(std::accumulate(qualities.begin(), qualities.end(), 0ULL));
  const auto places = static_cast<double>(depths.count());
  if (total == 0 || places == 0) return 0;
  std::vector<double> quality;
  for (const std::uint64_t n : qualities) quality.push_back(static_cast<double>(n) / total);
  const std::size_t deepest = depths.maximum();
  std::vector<double> sums(static_cast<std::size_t>(std::ceil(threshold(deepest))) + 1, 0.0);
  sums[0] = 1;
  std::vector<double> seen(deepest + 1, 0.0);  // by depth
  for (std::size_t m = 0; m <= deepest; ++m) {
    // tail[s]: the sum of m qualities is s or more.
    std::vector<double> tail = sums;
    for (std::size_t s = tail.size() - 1; s-- > 0;) tail[s] += tail[s + 1];
    for (std::size_t n = std::max<std::size_t>(m, 1); n <= deepest; ++n)
      seen[n] += binomial_half(n, m) * tail[static_cast<std::size_t>(std::ceil(threshold(n)))];
    if (m < deepest) sums = one_more(sums, quality);
  }
  double out = 0;
  for (const auto& [depth, count] : depths.bins())
    out += seen[depth] * static_cast<double>(count) / places;
  return std::min(out, 1.0);
}

}  // namespace aceso::genomics
