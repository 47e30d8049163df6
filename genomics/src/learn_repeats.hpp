// Learning the errors of repeats from a run's records, before these are called.
#pragma once

#include "alignment_file.hpp"
#include "call_reads.hpp"
#include "repeat_errors.hpp"
#include "sorted_reads.hpp"

#include "aceso/app/app.hpp"
#include "aceso/genomics/reference.hpp"

#include <vector>

namespace aceso::genomics {

/// The buckets whose reads are looked at: all of a small genome, else some that lie at the same
/// distance from each other. They do not depend on the regions that are called.
[[nodiscard]] std::vector<std::size_t> buckets_to_learn_from(const Reference& reference);

/// Likewise as intervals.
[[nodiscard]] std::vector<GlobalInterval> intervals_to_learn_from(const Reference& reference);

/// What the records of those buckets show, by the records that the caller takes. They stay where
/// they are. The same for any number of threads and any amount of memory.
/// \throws Error Io, Cancelled.
[[nodiscard]] RepeatTable count_repeats(SortedReads& reads, const Reference& reference,
                                        const ReadFilter& filter, app::RunContext& context);

/// Tells of the rates learnt, with a plot.
void report_repeats(const RepeatTable& table, int ploidy, app::RunContext& context);

}  // namespace aceso::genomics
