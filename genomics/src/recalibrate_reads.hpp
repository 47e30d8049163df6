// Learning the errors of a run's reads from their records, before these are written or called.
#pragma once

#include "align_job.hpp"
#include "recalibration.hpp"
#include "sorted_reads.hpp"

#include "aceso/app/app.hpp"
#include "aceso/genomics/reference.hpp"

#include <filesystem>
#include <optional>

namespace aceso::genomics {

/// Counts the errors of all records of good mapping quality that are no duplicates, outside
/// variable sites. The records stay where they are. The counts are the same for any number of
/// threads and any amount of memory. \throws Error Io, Cancelled.
[[nodiscard]] ErrorTable count_base_errors(SortedReads& reads, const Reference& reference,
                                           app::RunContext& context);

/// Has the qualities of `reads` changed on their way out, if `job` asks for it. `kept` is where the
/// counts are kept among the steps of a run: taken from there if they are there, else put there.
/// \throws Error as count_base_errors; CorruptData if the file kept is none.
void recalibrate_reads(const AlignJob& job, SortedReads& reads, const Reference& reference,
                       const std::optional<std::filesystem::path>& kept, app::RunContext& context);

/// Tells of the qualities before and after; nothing if they were not changed.
void report_recalibration(const SortedReads& reads, app::RunContext& context);

}  // namespace aceso::genomics
