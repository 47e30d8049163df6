#include "histogram.hpp"

#include <algorithm>
#include <cmath>

namespace aceso::genomics {
namespace {

/// The median of sorted (value, count) pairs.
template <typename Value>
double median_of(const std::vector<std::pair<Value, std::uint64_t>>& bins) {
  std::uint64_t count = 0;
  for (const auto& [value, times] : bins) count += times;
  if (count == 0) return 0;
  const std::uint64_t low = (count + 1) / 2, high = count / 2 + 1;
  double found = 0;
  std::uint64_t before = 0;
  for (const auto& [value, times] : bins) {
    const std::uint64_t behind = before + times;
    if (before < low && low <= behind) found += static_cast<double>(value) / 2;
    if (before < high && high <= behind) return found + static_cast<double>(value) / 2;
    before = behind;
  }
  return found;
}

}  // namespace

void Histogram::add(std::uint64_t value, std::uint64_t times) {
  if (times == 0) return;
  if (value >= kDense) {
    sparse_[value] += times;
    return;
  }
  if (value >= dense_.size()) dense_.resize(value + 1);
  dense_[value] += times;
}

void Histogram::merge(const Histogram& other) {
  for (const auto& [value, times] : other.bins()) add(value, times);
}

void Histogram::trim(std::uint64_t largest) {
  if (dense_.size() > largest + 1) dense_.resize(largest + 1);
  sparse_.erase(sparse_.upper_bound(largest), sparse_.end());
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> Histogram::bins() const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
  for (std::size_t i = 0; i < dense_.size(); ++i) {
    if (dense_[i] > 0) out.emplace_back(i, dense_[i]);
  }
  out.insert(out.end(), sparse_.begin(), sparse_.end());
  return out;
}

std::uint64_t Histogram::count() const {
  std::uint64_t out = 0;
  for (const auto& [value, times] : bins()) out += times;
  return out;
}

double Histogram::sum() const {
  double out = 0;
  for (const auto& [value, times] : bins())
    out += static_cast<double>(value) * static_cast<double>(times);
  return out;
}

std::uint64_t Histogram::count_of(std::uint64_t value) const {
  if (value < kDense) return value < dense_.size() ? dense_[value] : 0;
  const auto found = sparse_.find(value);
  return found == sparse_.end() ? 0 : found->second;
}

std::uint64_t Histogram::count_from(std::uint64_t value) const {
  std::uint64_t out = 0;
  for (const auto& [found, times] : bins()) out += found >= value ? times : 0;
  return out;
}

double Histogram::mean() const {
  const std::uint64_t n = count();
  return n == 0 ? 0 : sum() / static_cast<double>(n);
}

double Histogram::standard_deviation() const {
  const std::uint64_t n = count();
  if (n < 2) return 0;
  const double middle = mean();
  double squares = 0;
  for (const auto& [value, times] : bins()) {
    const double off = static_cast<double>(value) - middle;
    squares += static_cast<double>(times) * off * off;
  }
  return std::sqrt(squares / static_cast<double>(n - 1));
}

double Histogram::median() const { return median_of(bins()); }

double Histogram::median_absolute_deviation() const {
  const double middle = median();
  std::map<double, std::uint64_t> off;
  for (const auto& [value, times] : bins())
    off[std::abs(static_cast<double>(value) - middle)] += times;
  return median_of(std::vector<std::pair<double, std::uint64_t>>(off.begin(), off.end()));
}

std::uint64_t Histogram::mode() const {
  std::uint64_t best = 0, most = 0;
  for (const auto& [value, times] : bins()) {
    if (times > most) {
      most = times;
      best = value;
    }
  }
  return best;
}

std::uint64_t Histogram::minimum() const {
  const auto all = bins();
  return all.empty() ? 0 : all.front().first;
}

std::uint64_t Histogram::maximum() const {
  const auto all = bins();
  return all.empty() ? 0 : all.back().first;
}

std::uint64_t Histogram::percentile(double share) const {
  const double wanted = share * static_cast<double>(count());
  std::uint64_t before = 0;
  for (const auto& [value, times] : bins()) {
    before += times;
    if (static_cast<double>(before) >= wanted) return value;
  }
  return 0;
}

}  // namespace aceso::genomics
