#include "metrics_pipeline.hpp"

#include "metrics_window.hpp"
#include "sorted_alignments.hpp"

#include "aceso/graph/graph.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace aceso::genomics {
namespace {

/// What one copy of the workers has summed up.
struct WorkerSums {
  WorkerSums(const Reference& reference, const Targets* targets) : coverage(reference, targets) {}
  ReadMetrics reads;
  CoverageCounter coverage;
};

struct CountWindows {
  graph::In<std::shared_ptr<const MetricsWindow>> in{"windows"};
  const Reference* reference = nullptr;
  const Targets* targets = nullptr;
  std::shared_ptr<WorkerSums> sums;  // made at the first tick: each copy has its own

  auto ports() { return std::tie(in); }
  graph::Flow compute(const graph::Tick&) {
    if (!sums) sums = std::make_shared<WorkerSums>(*reference, targets);
    const std::shared_ptr<const MetricsWindow> window = in.take();
    const auto codes = window->contig < 0
                           ? std::span<const std::uint8_t>{}
                           : reference->codes(static_cast<std::uint32_t>(window->contig));
    for (const AlignmentPointer& record : window->own) sums->reads.add(*record, codes);
    sums->coverage.add(*window);
    return graph::Flow::Continue;
  }
};

std::string library_of(const SortedAlignments& file) {
  const std::vector<std::string>& names = file.libraries();
  return names.empty() ? "Unknown Library" : names.size() == 1 ? names.front() : "All Libraries";
}

/// What the contigs of the file hold.
void measure_genome(const SortedAlignments& file, const Reference& reference,
                    MetricsResult& result) {
  for (const std::uint32_t contig : file.contigs()) {
    const auto codes = reference.codes(contig);
    result.genome_size += codes.size();
    result.territory += static_cast<std::uint64_t>(
        std::ranges::count_if(codes, [](std::uint8_t code) { return code < kCodeN; }));
    count_gc_windows(codes, result.gc_windows);
  }
}

void take_sums(const WorkerSums& sums, MetricsResult& result) {
  result.reads.merge(sums.reads);
  result.coverage.merge(sums.coverage.sums());
  if (result.has_targets) result.targets.merge(sums.coverage.target_sums());
}

void measure_targets(const Targets& targets, MetricsResult& result) {
  result.target_territory = targets.base_count();
  result.target_count = targets.count();
  result.covered_targets =
      static_cast<std::uint64_t>(std::ranges::count(result.targets.covered, true));
  result.uncovered_bases = targets.bases_uncovered(result.targets.covered);
}

}  // namespace

MetricsResult run_metrics(const MetricsJob& job, app::RunContext& context) {
  context.progress.stage("reference", 0, "bases");
  const OwnedReference owned = read_reference(job.reference, context.stop);
  const Reference& reference = owned.reference;
  std::optional<Targets> targets;
  if (job.regions) targets.emplace(reference, read_bed(*job.regions, reference, context.warnings));
  SortedAlignments file(job.alignments, reference, context.warnings,
                        {.threads = context.threads, .scratch = context.scratch});
  MetricsResult result;
  result.input = job.alignments.filename().string();
  result.library = library_of(file);
  result.has_targets = targets.has_value();
  measure_genome(file, reference, result);
  if (targets) {
    result.target_name = job.regions->stem().string();
    result.targets.covered.resize(targets->count());
  }
  context.progress.stage("reads", 0, "records");
  graph::Graph g;
  auto windows = g.add(
      "windows",
      MakeWindows{.file = &file, .warnings = &context.warnings, .progress = &context.progress});
  auto count =
      g.add("count",
            CountWindows{
                .reference = &reference, .targets = targets ? &*targets : nullptr, .sums = nullptr},
            {.copies = context.threads, .keep_order = false});
  // Few at a time: each may be large.
  g.connect(windows, &MakeWindows::out, count, &CountWindows::in, graph::block(2));
  g.run({.threads = context.threads, .stop = context.stop});
  for (const CountWindows& copy : count.copies()) {
    if (copy.sums) take_sums(*copy.sums, result);
  }
  if (targets) measure_targets(*targets, result);
  context.progress.finish();
  if (result.reads.records() == 0)
    context.warnings.add("alignments.empty",
                         fmt::format("{}: no records", job.alignments.string()));
  if (result.reads.without_qualities() > 0)
    context.warnings.add("alignments.no_qualities",
                         fmt::format("{}: {} records have no base qualities, and give no depth",
                                     job.alignments.string(), result.reads.without_qualities()));
  return result;
}

}  // namespace aceso::genomics
