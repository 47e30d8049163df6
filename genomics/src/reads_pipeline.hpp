// The graph of `genomics reads`: read, inflate, cut into chunks, work on them, write in order.
#pragma once

#include "reads_job.hpp"
#include "reads_worker.hpp"

#include "aceso/app/app.hpp"

namespace aceso::genomics {

struct ReadsResult {
  Rules rules;  ///< with what was found out from the reads
  bool two_colour = false;
  bool adapter_guessed = false;
  Tally tally;
  std::string plan;  ///< of the graph, with counters, for the log
};

/// Runs `job`. Output files appear only when all of it went well.
/// \throws Error InvalidArgument, CorruptData, Io, OutOfResources, Cancelled.
[[nodiscard]] ReadsResult run_reads(const ReadsJob& job, app::RunContext& context);

}  // namespace aceso::genomics
