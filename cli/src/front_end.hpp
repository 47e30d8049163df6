/// \file
/// What a command shows and minds: signals, progress, warnings, errors.
#pragma once

#include "aceso/app/runner.hpp"
#include "aceso/core/error.hpp"

#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace aceso::cli {

/// Blocks SIGINT and SIGTERM in this thread and those it starts, and ignores SIGPIPE.
/// Call it first in main().
void prepare_signals();

/// Fills the places of standard streams that are closed, so that no file of ours gets their numbers
/// and messages end up in it. What is written to such a standard output fails; what is told on
/// such a standard error is lost.
void keep_standard_streams();

/// Prints to standard error, for a person. Whether anyone reads it does not matter.
void tell(std::string_view text);

/// Turns the first SIGINT or SIGTERM into a stop request; the second ends the process with exit
/// code 5.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
  std::jthread waiter_;
};

/// A bar with rate and remaining time on standard error, redrawn in place.
[[nodiscard]] Progress::Sink terminal_progress();
/// One JSON line an event on standard error.
[[nodiscard]] Progress::Sink json_progress();
[[nodiscard]] bool stderr_is_terminal();

/// This process's place among those that torchrun (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR,
/// MASTER_PORT), srun (SLURM_*) or mpirun (OMPI_*) started together, as their environment variables
/// tell.
/// \throws Error InvalidArgument if they make no sense.
[[nodiscard]] app::Launch launch_from_environment();

/// Prints warnings and, if the run failed, its error, to standard error.
void print_outcome(const app::RunResult& result);
/// Prints what a person wants to know of a run that succeeded.
void print_summary(const app::RunResult& result);

/// Prints `error` to standard error, and as the one object on standard output with `json`.
/// \returns its exit code.
int report_error(const Error& error, bool json);

}  // namespace aceso::cli
