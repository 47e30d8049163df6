/// \file
/// The angles of rotary positions (Su et al. 2021).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace aceso::nn {

/// Cosines and sines of the rotary angles position * 10000^(-2 i / head size), as far as needed.
class RotaryTable {
 public:
  struct Angles {
    std::vector<float> cosine, sine;
  };

  explicit RotaryTable(std::int64_t head_size) : half_(head_size / 2) {}

  /// For positions [0, length) at least. Thread-safe.
  [[nodiscard]] std::shared_ptr<const Angles> angles(std::int64_t length) const {
    const std::scoped_lock lock(mutex_);
    if (length > length_) {
      const std::int64_t wanted = std::max<std::int64_t>(length, 2 * length_);
      auto made = std::make_shared<Angles>();
      made->cosine.reserve(static_cast<std::size_t>(wanted * half_));
      made->sine.reserve(static_cast<std::size_t>(wanted * half_));
      for (std::int64_t p = 0; p < wanted; ++p) {
        for (std::int64_t i = 0; i < half_; ++i) {
          // In float, as the published models were trained with.
          const float frequency =
              1.0F / std::pow(10000.0F, static_cast<float>(i) / static_cast<float>(half_));
          const float angle = static_cast<float>(p) * frequency;
          made->cosine.push_back(std::cos(angle));
          made->sine.push_back(std::sin(angle));
        }
      }
      angles_ = std::move(made);
      length_ = wanted;
    }
    return angles_;
  }

 private:
  std::int64_t half_;
  mutable std::mutex mutex_;
  mutable std::int64_t length_ = 0;
  mutable std::shared_ptr<const Angles> angles_;
};

}  // namespace aceso::nn
