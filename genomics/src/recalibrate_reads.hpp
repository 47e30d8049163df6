// Learning the errors of a run's reads from their records, before these are written or called.
#pragma once

#include "align_job.hpp"
#include "recalibration.hpp"
#include "sorted_reads.hpp"

#include "aceso/app/app.hpp"
#include "aceso/genomics/reference.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

namespace aceso::genomics {

/// Counts the errors of all records of good mapping quality that are no duplicates, outside
/// variable sites. The records stay where they are. The counts are the same for any number of
/// threads and any amount of memory. \throws Error Io, Cancelled.
[[nodiscard]] ErrorTable count_base_errors(SortedReads& reads, const Reference& reference,
                                           app::RunContext& context);

/// What the counts that `count` makes say, if `job` asks for recalibration; else null. `kept` is
/// where they are kept among the steps of a run: taken from there if they are there, else put
/// there. Warns if they are few.
/// \throws Error what `count` throws; CorruptData if the file kept is none.
[[nodiscard]] std::shared_ptr<const Recalibration> learn_recalibration(
    const AlignJob& job, const std::function<ErrorTable()>& count,
    const std::optional<std::filesystem::path>& kept, app::RunContext& context);

/// Has the qualities of `reads` changed on their way out, unless `recalibration` is null.
void apply_recalibration(const AlignJob& job, std::shared_ptr<const Recalibration> recalibration,
                         SortedReads& reads);

/// Both, by the errors of all of `reads`. \throws Error as count_base_errors too.
void recalibrate_reads(const AlignJob& job, SortedReads& reads, const Reference& reference,
                       const std::optional<std::filesystem::path>& kept, app::RunContext& context);

/// Tells of the qualities before and after; nothing if they were not changed (null).
void report_recalibration(const Recalibration* recalibration, app::RunContext& context);

}  // namespace aceso::genomics
