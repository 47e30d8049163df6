#include "aceso/core/threads.hpp"

#include "aceso/core/cancel.hpp"
#include "aceso/core/error.hpp"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <fstream>
#include <limits>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace aceso {
namespace {

/// CPUs that the cgroup grants, rounded up; infinity when it sets no limit.
double cgroup_cpus() {
  std::ifstream v2{"/sys/fs/cgroup/cpu.max"};
  std::string quota;
  double period = 0;
  if (v2 >> quota >> period && quota != "max" && period > 0)
    return std::ceil(std::stod(quota) / period);
  std::ifstream v1_quota{"/sys/fs/cgroup/cpu/cpu.cfs_quota_us"};
  std::ifstream v1_period{"/sys/fs/cgroup/cpu/cpu.cfs_period_us"};
  double granted = -1;
  if (v1_quota >> granted && v1_period >> period && granted > 0 && period > 0)
    return std::ceil(granted / period);
  return std::numeric_limits<double>::infinity();
}

unsigned affinity_cpus() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0)
    return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  return std::max(1U, std::thread::hardware_concurrency());
}

/// Blocks handed out in rising order; remembers the error of the lowest block.
class BlockQueue {
 public:
  BlockQueue(std::size_t size, std::size_t grain,
             const std::function<void(std::size_t, std::size_t)>& body, const std::stop_token& stop)
      : size_(size), grain_(grain), body_(body), stop_(stop) {}

  void work() noexcept {
    while (!failed_ && !stop_.stop_requested()) {
      const std::size_t begin = next_.fetch_add(grain_);
      if (begin >= size_) return;
      try {
        body_(begin, std::min(size_, begin + grain_));
      } catch (...) {
        record(begin, std::current_exception());
      }
    }
  }

  void finish() const {
    if (error_) std::rethrow_exception(error_);
    if (next_ < size_) throw_if_stopped(stop_);
  }

 private:
  void record(std::size_t begin, std::exception_ptr error) {
    const std::scoped_lock lock{mutex_};
    failed_ = true;
    if (begin >= error_begin_) return;
    error_begin_ = begin;
    error_ = std::move(error);
  }

  std::size_t size_, grain_;
  const std::function<void(std::size_t, std::size_t)>& body_;
  const std::stop_token& stop_;
  std::atomic<std::size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::size_t error_begin_ = std::numeric_limits<std::size_t>::max();
  std::exception_ptr error_;
};

}  // namespace

unsigned available_cpus() noexcept {
  double granted = std::numeric_limits<double>::infinity();
  try {
    granted = cgroup_cpus();
  } catch (...) {
    // An unreadable quota is no quota.
  }
  return static_cast<unsigned>(std::max(1.0, std::min<double>(affinity_cpus(), granted)));
}

unsigned thread_budget(unsigned requested) noexcept {
  return std::clamp(requested == 0 ? available_cpus() : requested, 1U, 1024U);
}

void parallel_for(std::size_t size, std::size_t grain, unsigned threads,
                  const std::function<void(std::size_t, std::size_t)>& body,
                  const std::stop_token& stop) {
  if (grain == 0) fail(Errc::InvalidArgument, "parallel_for: the grain is 0");
  BlockQueue queue{size, grain, body, stop};
  const std::size_t blocks = (size + grain - 1) / grain;
  {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < std::min<std::size_t>(threads, blocks); ++i)
      helpers.emplace_back([&] { queue.work(); });
    queue.work();
  }
  queue.finish();
}

}  // namespace aceso
