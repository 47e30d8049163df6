// From FASTQ to records in buckets: reads are aligned by all threads.
#pragma once

#include "align_job.hpp"
#include "collect_records.hpp"
#include "sorted_reads.hpp"

#include "aceso/app/app.hpp"
#include "aceso/genomics/seed_index.hpp"

#include <functional>
#include <string>

namespace aceso::genomics {

/// Where aligned reads go.
struct AlignSink {
  /// Whether the chunk with this number is aligned; empty: all are.
  std::function<bool(std::uint64_t)> wants;
  /// Told of all chunks in order; those not wanted have no records. One thread.
  std::function<void(const AlignedPacket&)> take;
};

/// Aligns the reads of `job` chunk by chunk. The chunks of a job are the same in every run.
/// \throws Error CorruptData naming file and record, Io, OutOfResources, Cancelled.
InsertModel align_chunks(const AlignJob& job, const SeedIndex& index, bool complete,
                         const AlignSink& sink, app::RunContext& context);

/// Aligns all reads of `job` and finds the duplicates. `complete` keeps names and tags.
/// \throws Error CorruptData naming file and record, Io, OutOfResources, Cancelled.
[[nodiscard]] SortedReads align_reads(const AlignJob& job, const SeedIndex& index, bool complete,
                                      app::RunContext& context);

/// \throws Error InvalidArgument if the inputs of a job do not fit each other.
void check_align_job(const AlignJob& job);

/// The @RG line of a job, ending in a newline, and its ID.
struct ReadGroup {
  std::string id, line;
};
/// \throws Error InvalidArgument if it is no @RG line or has no ID.
[[nodiscard]] ReadGroup read_group_of(const AlignJob& job);

}  // namespace aceso::genomics
