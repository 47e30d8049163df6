/// \file
/// Random choices that are the same on every platform and for any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace aceso {

class Random {
 public:
  /// One stream for each pair of seed and number.
  Random(std::uint64_t seed, std::uint64_t number) {
    std::seed_seq sequence{
        static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U),
        static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32U)};
    engine_.seed(sequence);
  }

  /// In [0, 1).
  double uniform() { return static_cast<double>(engine_() >> 11U) * 0x1p-53; }
  /// In [0, size), size > 0.
  std::size_t below(std::size_t size) {
    return static_cast<std::size_t>(uniform() * static_cast<double>(size));
  }
  bool chance(double probability) { return uniform() < probability; }
  /// An index, drawn by weight; the weights are not negative and not all zero.
  std::size_t weighted(std::span<const double> weights) {
    double sum = 0;
    for (const double weight : weights) sum += weight;
    double left = uniform() * sum;
    std::size_t last = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] <= 0) continue;
      last = i;
      left -= weights[i];
      if (left < 0) break;
    }
    return last;
  }
  template <typename T>
  const T& pick(const std::vector<T>& items) {
    return items[below(items.size())];
  }

 private:
  std::mt19937_64 engine_;
};

/// The items in another order, by Fisher & Yates: the standard library's shuffle differs between
/// libraries.
template <typename T>
void shuffle_in_place(std::vector<T>& items, Random random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

}  // namespace aceso
