/// \file
/// Where runs are executed. This machine is one place; a cluster's queue would be another.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aceso::hub {

/// What an executor needs to know to start a run whose folder is prepared.
struct Launch {
  std::string run;               ///< id, for messages
  std::filesystem::path folder;  ///< holds job.json; becomes the working folder
  std::filesystem::path program;
  unsigned threads = 1;
  std::uint64_t memory_bytes = 0;  ///< 0: no limit
  std::vector<std::pair<std::string, std::string>> environment = {};
};

/// How a run ended, as far as the executor knows; result.json knows the rest.
struct Ending {
  std::string reason;  ///< "killed by signal 9 (SIGKILL)", "exit code 3"; "" if unknown
};

/// One started run. Belongs to the scheduler's thread. Destroying it leaves the run alone.
class Execution {
 public:
  virtual ~Execution() = default;
  /// Returns how it ended once it has, at once in any case.
  [[nodiscard]] virtual std::optional<Ending> poll() = 0;
  /// Asks all processes of the run to stop.
  virtual void ask_to_stop() noexcept = 0;
  /// Stops them without asking.
  virtual void kill() noexcept = 0;
  /// A descriptor that becomes readable when the run ends, or -1: then poll() is called now and
  /// again.
  [[nodiscard]] virtual int descriptor() const noexcept { return -1; }
  /// What adopt() of a later hub needs beside the folder; stored with the run.
  [[nodiscard]] virtual std::string handle() const = 0;
};

class Executor {
 public:
  virtual ~Executor() = default;
  /// Starts the run. \throws Error if it could not be started; then nothing runs.
  [[nodiscard]] virtual std::unique_ptr<Execution> start(const Launch& launch) = 0;
  /// Follows a run that another hub process started. Null if it lives no more.
  [[nodiscard]] virtual std::unique_ptr<Execution> adopt(const Launch& launch,
                                                         const std::string& handle) = 0;
};

/// Runs on this machine, each as a process in a session of its own that outlives the hub.
///
/// A run holds a lock on the file `lock` in its folder, inherited through an open descriptor,
/// so whether it lives needs no process id, which might meanwhile be another's.
[[nodiscard]] std::unique_ptr<Executor> local_executor();

}  // namespace aceso::hub
