/// \file
/// The queue: starts runs, follows them, and writes down what came of them.
#pragma once

#include "jobs/executor.hpp"
#include "jobs/run_folder.hpp"
#include "store/library.hpp"
#include "store/store.hpp"

#include "aceso/app/app.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/log.hpp"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace aceso::hub {

struct SchedulerSettings {
  std::filesystem::path runs;  ///< attempts are at runs/ID/ATTEMPT
  std::filesystem::path program;
  unsigned parallel_runs = 1;
  unsigned threads_per_run = 1;
  std::uint64_t run_memory_bytes = 0;
  std::chrono::milliseconds kill_after{10'000};
  std::vector<std::pair<std::string, std::string>> environment = {};
};

[[nodiscard]] std::filesystem::path attempt_folder(const std::filesystem::path& runs,
                                                   const RunRecord& run);

/// One thread does all of it. What it does next is in the store before it does it, so that a hub
/// that dies at any moment is followed by one that knows where to go on, and nothing runs twice.
class Scheduler {
 public:
  /// Takes up the runs of an earlier hub: those that live are followed, the others ended.
  Scheduler(Store& store, Library& library, const app::AppTable& apps,
            std::unique_ptr<Executor> executor, SchedulerSettings settings, Log log);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Looks at the queue again. Thread-safe.
  void wake() noexcept;
  /// Stops a running run whose cancelling is in the store already. Thread-safe.
  void cancel(const std::string& run);
  /// Leaves the runs alone; returns how many go on. Thread-safe; the first call counts.
  unsigned stop();

 private:
  struct Active {
    RunRecord run;
    std::unique_ptr<Execution> execution;  ///< null if it ended before, or never began
    std::optional<Error> start_error = {};
    std::optional<std::chrono::steady_clock::time_point> kill_at = {};
    bool cancel_asked = false;
  };

  void take_up_running();
  void work();
  void wait() const;
  void follow_active();
  bool follow(Active& active);
  void stop_cancelled(Active& active);
  bool end(const Active& active, const Ending& ending);
  void start_queued();
  void start(const RunRecord& run);
  void prepare(const RunRecord& run) const;
  [[nodiscard]] Launch launch_of(const RunRecord& run) const;
  [[nodiscard]] Outcome outcome_of(const Active& active, const Ending& ending) const;

  Store& store_;
  Library& library_;
  const app::AppTable& apps_;
  std::unique_ptr<Executor> executor_;
  SchedulerSettings settings_;
  Log log_;

  std::vector<Active> active_;
  FileHandle alarm_;  ///< an eventfd: makes wait() return
  std::mutex cancelled_mutex_;
  std::set<std::string> cancelled_;
  std::atomic<bool> stopping_{false};
  std::atomic<unsigned> left_running_{0};
  bool trouble_ = false;  ///< the store refused something: try again soon
  std::jthread thread_;
};

}  // namespace aceso::hub
