#include "merge_alignments.hpp"

#include "alignment_merge.hpp"
#include "alignment_writer.hpp"
#include "report_figures.hpp"
#include "text_source.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/process.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace aceso::genomics {
namespace {

std::string program_fields() {
  return fmt::format("PN:aceso\tVN:{}\tDS:genomics merge", version());
}

struct RecordCounts {
  std::uint64_t records = 0, placed = 0;
};

RecordCounts copy_records(AlignmentMerge& merge, AlignmentWriter* writer,
                          app::RunContext& context) {
  RecordCounts counts;
  while (const bam1_t* record = merge.next()) {
    if (writer != nullptr) writer->write(*record);
    if (record->core.tid >= 0) ++counts.placed;
    if (++counts.records % 4096 != 0) continue;
    context.progress.advance(merge.take_source_bytes());
    if (context.stop.stop_requested()) fail(Errc::Cancelled, "the merge was stopped");
  }
  return counts;
}

void report_merge(const MergeAlignmentsJob& job, const AlignmentMerge& merge,
                  const RecordCounts& counts, app::RunContext& context) {
  const MergedHeader& header = merge.header();
  context.metric("files", job.aligned.size());
  context.metric("records", counts.records);
  context.metric("records_without_place", counts.records - counts.placed);
  context.metric("read_groups", header.group_count());
  context.metric("read_groups_renamed", header.renamed_groups());
  context.report.section("Merged");
  context.report.figure("files", whole(job.aligned.size()));
  context.report.figure("records", whole(counts.records));
  context.report.figure("records without a place", whole(counts.records - counts.placed));
  context.report.figure("read groups", whole(header.group_count()));
  context.report.figure("read groups renamed", whole(header.renamed_groups()));
}

}  // namespace

void merge_alignments(const MergeAlignmentsJob& job, app::RunContext& context) {
  if (job.alignments) (void)alignment_format(*job.alignments);
  std::optional<OwnedReference> owned;
  std::optional<LentReference> lent;
  if (job.reference) {
    context.progress.stage("reference", 0, "bases");
    owned.emplace(read_reference(*job.reference, context.stop));
    lent.emplace(owned->reference, context.scratch);
  }
  context.progress.stage("merge", total_size(job.aligned), "bytes");
  const HtsThreads threads(context.threads);
  AlignmentMerge merge(job.aligned, context.warnings,
                       {.reference = owned ? &owned->reference : nullptr,
                        .lent = lent ? &*lent : nullptr,
                        .threads = &threads});
  std::optional<AlignmentWriter> writer;
  if (job.alignments)
    writer.emplace(*job.alignments, merge.header().text(program_fields()),
                   AlignmentWriterOptions{.compression_level = job.compression_level,
                                          .reference = lent ? &*lent : nullptr,
                                          .threads = &threads,
                                          .scratch = context.scratch});
  const RecordCounts counts = copy_records(merge, writer ? &*writer : nullptr, context);
  if (writer) writer->commit();
  context.progress.finish();
  report_merge(job, merge, counts, context);
}

}  // namespace aceso::genomics
