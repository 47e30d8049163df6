#include "aceso/core/progress.hpp"

namespace aceso {
namespace {

constexpr std::int64_t kReportEveryNs = 100'000'000;

std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds{1};
}

}  // namespace

void Progress::stage(std::string_view name, std::uint64_t total, std::string_view unit) {
  if (!sink_) return;
  finish();
  const std::scoped_lock lock{mutex_};
  stage_ = name;
  unit_ = unit;
  total_ = total;
  done_ = 0;
  begin_ = std::chrono::steady_clock::now();
  next_report_ns_ = now_ns() + kReportEveryNs;
  sink_(event());
}

void Progress::advance(std::uint64_t amount) {
  if (!sink_) return;
  done_ += amount;
  const std::int64_t now = now_ns();
  std::int64_t due = next_report_ns_;
  // Whoever moves the due time forward reports; the others go on with their work.
  if (now < due || !next_report_ns_.compare_exchange_strong(due, now + kReportEveryNs)) return;
  const std::scoped_lock lock{mutex_};
  sink_(event());
}

void Progress::finish() {
  if (!sink_) return;
  const std::scoped_lock lock{mutex_};
  if (stage_.empty()) return;
  sink_(event());
  stage_.clear();
}

ProgressEvent Progress::event() const {
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin_;
  return {stage_, unit_, done_, total_, elapsed.count()};
}

}  // namespace aceso
