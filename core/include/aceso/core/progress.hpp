/// \file
/// How far long work has come. Libraries report; front ends draw.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace aceso {

/// One report of progress.
struct ProgressEvent {
  std::string stage;  ///< what is being done, e.g. "reads"
  std::string unit;   ///< of done and total, e.g. "bytes"
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< 0: unknown
  double seconds = 0;       ///< since the stage began
};

/// Collects progress from any number of threads and hands it on at most ten times a second,
/// at the start and at the end of each stage. A default-made Progress drops everything.
class Progress {
 public:
  using Sink = std::function<void(const ProgressEvent&)>;

  Progress() = default;
  explicit Progress(Sink sink) : sink_(std::move(sink)) {}

  /// Begins a stage; ends the one before. `total` 0 means unknown.
  void stage(std::string_view name, std::uint64_t total, std::string_view unit);
  /// Adds to what is done in this stage. Cheap enough to call for each batch.
  void advance(std::uint64_t amount);
  /// Ends the stage and reports its last state.
  void finish();

 private:
  [[nodiscard]] ProgressEvent event() const;

  Sink sink_;
  std::mutex mutex_;
  std::string stage_, unit_;
  std::uint64_t total_ = 0;
  std::atomic<std::uint64_t> done_{0};
  std::chrono::steady_clock::time_point begin_;
  std::atomic<std::int64_t> next_report_ns_{0};
};

}  // namespace aceso
