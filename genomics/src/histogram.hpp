// Counts of whole numbers, and what is told of them; in the terms and rounding of htsjdk's
// Histogram, so that figures agree.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace aceso::genomics {

class Histogram {
 public:
  void add(std::uint64_t value, std::uint64_t times = 1);
  void merge(const Histogram& other);
  /// Values above `largest` are forgotten.
  void trim(std::uint64_t largest);

  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] double sum() const;
  [[nodiscard]] std::uint64_t count_of(std::uint64_t value) const;
  /// How many are `value` or more.
  [[nodiscard]] std::uint64_t count_from(std::uint64_t value) const;
  /// All of the following are 0 for an empty histogram.
  [[nodiscard]] double mean() const;
  /// Of a sample: divided by count - 1.
  [[nodiscard]] double standard_deviation() const;
  /// The mean of the two middle values if there is an even number.
  [[nodiscard]] double median() const;
  [[nodiscard]] double median_absolute_deviation() const;
  /// The commonest value; the smallest of several.
  [[nodiscard]] std::uint64_t mode() const;
  [[nodiscard]] std::uint64_t minimum() const;
  [[nodiscard]] std::uint64_t maximum() const;
  /// The smallest value that `share` of all do not exceed.
  [[nodiscard]] std::uint64_t percentile(double share) const;
  /// (value, count) of all values that came, rising.
  [[nodiscard]] std::vector<std::pair<std::uint64_t, std::uint64_t>> bins() const;

 private:
  static constexpr std::uint64_t kDense = 1 << 14;
  std::vector<std::uint64_t> dense_;
  std::map<std::uint64_t, std::uint64_t> sparse_;  // what is beyond
};

}  // namespace aceso::genomics
