#include "write_alignments.hpp"

namespace aceso::genomics {
namespace {

/// Writes the buckets as they come.
struct WriteAlignments {
  graph::In<SortedBucket> in{"records"};
  SamWriter* writer = nullptr;       ///< null: they are only counted
  RecordFigures* figures = nullptr;  ///< null: not asked for
  Progress* progress = nullptr;

  auto ports() { return std::tie(in); }
  graph::Flow compute(const graph::Tick&) {
    const SortedBucket bucket = in.take();
    if (writer != nullptr) writer->write(bucket);
    if (figures != nullptr) figures->add(bucket);
    progress->advance(bucket.records.size());
    return graph::Flow::Continue;
  }
};

}  // namespace

void write_alignments(SortedReads& reads, SamWriter* writer, RecordFigures* figures,
                      app::RunContext& context) {
  graph::Graph g;
  auto sorting = reads.add_sorting(g, context.threads);
  auto write =
      g.add("write",
            WriteAlignments{.writer = writer, .figures = figures, .progress = &context.progress});
  // Few buckets at a time: each may be large.
  g.connect(sorting, &SortBuckets::out, write, &WriteAlignments::in, graph::block(2));
  g.run({.threads = context.threads, .stop = context.stop});
  reads.note_duplicates(sorting);
}

}  // namespace aceso::genomics
