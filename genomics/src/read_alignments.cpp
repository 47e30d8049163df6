#include "read_alignments.hpp"

#include "collect_records.hpp"
#include "text_source.hpp"

#include <utility>

namespace aceso::genomics {
namespace {

struct ReadRecords {
  graph::Out<AlignedPacket> out{"records"};
  AlignmentFile* file = nullptr;
  std::uint64_t offset = 0;

  auto ports() { return std::tie(out); }
  graph::Flow compute(const graph::Tick&) {
    AlignedPacket packet;
    if (!file->next(packet.batch)) return graph::Flow::Done;
    const std::uint64_t before = std::exchange(offset, std::max(offset, file->offset()));
    packet.source_bytes = offset - before;
    out.send(std::move(packet));
    return graph::Flow::Continue;
  }
};

}  // namespace

ReadAlignments read_alignments(const std::filesystem::path& path, const Reference& reference,
                               const AlignmentFileOptions& options, std::uint64_t memory,
                               app::RunContext& context) {
  AlignmentFile file(path, reference, context.warnings, options);
  BucketStore records = record_store(reference, memory, context);
  BucketStore no_keys(1, 0, context.scratch);
  AlignFigures figures;
  context.progress.stage("read", options.only ? 0 : total_size({path}), "bytes");
  graph::Graph g;
  auto read = g.add("read", ReadRecords{.file = &file});
  auto collect = g.add("collect", CollectRecords{.records = &records,
                                                 .keys = &no_keys,
                                                 .counts = &figures.counts,
                                                 .progress = &context.progress});
  g.connect(read, &ReadRecords::out, collect, &CollectRecords::in);
  g.run({.threads = context.threads, .stop = context.stop});
  figures.model = InsertModel::learn(file.fragment_lengths());
  figures.spilled_bytes = records.spilled_bytes();
  return {{std::move(records), std::nullopt, figures}, file.sample()};
}

}  // namespace aceso::genomics
