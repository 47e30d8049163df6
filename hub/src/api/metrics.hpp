/// \file
/// Figures about the hub in the Prometheus text format.
#pragma once

#include "store/store.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace aceso::hub {

/// Counts requests and bytes. Thread-safe.
class Metrics {
 public:
  /// `route` is "METHOD PATTERN", or "other" for what has none, so that foreign paths do not add
  /// series.
  void count_request(std::string_view route, int status, double seconds);
  void count_uploaded(std::uint64_t bytes) noexcept { uploaded_bytes_ += bytes; }

  /// The page of GET /metrics.
  [[nodiscard]] std::string text(Store& store) const;

 private:
  static constexpr std::array<double, 8> kBuckets{0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60};

  struct RouteFigures {
    std::map<int, std::uint64_t> by_status_class;
    std::array<std::uint64_t, kBuckets.size()> buckets{};
    std::uint64_t count = 0;
    double seconds = 0;
  };

  void write_requests(std::string& page) const;
  void write_durations(std::string& page) const;

  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::atomic<std::uint64_t> uploaded_bytes_{0};
  mutable std::mutex mutex_;
  std::map<std::string, RouteFigures, std::less<>> routes_;
};

}  // namespace aceso::hub
