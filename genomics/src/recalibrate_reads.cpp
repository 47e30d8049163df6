#include "recalibrate_reads.hpp"

#include "kept_table.hpp"
#include "report_figures.hpp"
#include "variable_sites.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace aceso::genomics {
namespace {

// Reads that may stand elsewhere bring the differences between the copies with them.
constexpr std::uint8_t kLeastMappingQuality = 20;
// With fewer bases counted there is little to learn.
constexpr std::uint64_t kFewBases = 1'000'000;

/// The records that stand on one bucket's places: its own, and those of the one in front.
struct BucketPair {
  std::shared_ptr<const SortedBucket> before, own;
};

struct PairBuckets {
  graph::In<SortedBucket> in{"records"};
  graph::Out<BucketPair> out{"pairs"};
  Progress* progress = nullptr;
  std::shared_ptr<const SortedBucket> before = nullptr;

  auto ports() { return std::tie(in, out); }
  graph::Flow compute(const graph::Tick&) {
    auto own = std::make_shared<const SortedBucket>(in.take());
    progress->advance(own->records.size());
    out.send({before, own});
    before = std::move(own);
    return graph::Flow::Continue;
  }
};

/// Counts the errors at the places of one bucket after the other.
struct CountErrors {
  graph::In<BucketPair> in{"pairs"};
  const Reference* reference = nullptr;
  std::shared_ptr<VariableSites> sites;  ///< made at the first tick: each copy has its own
  ErrorTable table;

  auto ports() { return std::tie(in); }

  graph::Flow compute(const graph::Tick&) {
    if (!sites) sites = std::make_shared<VariableSites>(*reference);
    const BucketPair pair = in.take();
    const std::uint64_t begin = pair.own->bucket << kBucketBits;
    const std::uint64_t end =
        std::min<std::uint64_t>(begin + (1ULL << kBucketBits), reference->codes().size());
    if (begin >= end) return graph::Flow::Continue;  // those without a place
    const auto first = static_cast<std::uint32_t>(begin), last = static_cast<std::uint32_t>(end);
    sites->begin(first, last);
    for_each_record(pair, [&](const PackedRecord& record) { sites->add(record); });
    sites->finish();
    for_each_record(pair, [&](const PackedRecord& record) { count(record, first, last); });
    return graph::Flow::Continue;
  }

  template <typename Use>
  static void for_each_record(const BucketPair& pair, const Use& use) {
    constexpr std::uint16_t kNever = kUnmapped | kSecondary | kFailed | kSupplementary;
    for (const auto& bucket : {pair.before, pair.own}) {
      if (!bucket) continue;
      for (std::size_t i = 0; i < bucket->records.size(); ++i) {
        const PackedRecord& record = *bucket->records[i];
        if ((record.flags & kNever) == 0 && !bucket->duplicate[i] &&
            record.mapping_quality >= kLeastMappingQuality)
          use(record);
      }
    }
  }

  void count(const PackedRecord& record, std::uint32_t begin, std::uint32_t end) {
    const RecordBases bases(record);
    for_each_aligned_base(record, [&](std::uint32_t in_read, std::uint32_t position) {
      if (position < begin || position >= end || !sites->tells_errors(position) ||
          !bases.has_estimate(in_read))
        return;
      table.add(bases.covariates(in_read), bases.code(in_read) != reference->codes()[position]);
    });
  }
};

app::Plot quality_plot(const QualityCounts& before, const QualityCounts& after) {
  constexpr std::uint64_t kLeastBases = 1000;  // fewer say little
  app::Plot plot{.title = "Empirical quality of bases by the quality reported",
                 .x_label = "quality reported (phred)",
                 .y_label = "quality by errors seen (phred)",
                 .x = {},
                 .series = {{"before", {}}, {"after", {}}, {"ideal", {}}},
                 .note =
                     "Errors are differences from the reference outside variable sites. The "
                     "nearer to the ideal, the truer the qualities."};
  std::size_t last = 0;
  for (std::size_t q = 0; q < kPhreds; ++q) {
    if (std::max(before[q].bases, after[q].bases) >= kLeastBases) last = q;
  }
  const auto value = [](const ErrorCount& count) {
    return count.bases >= kLeastBases ? empirical_quality(count)
                                      : std::numeric_limits<double>::quiet_NaN();
  };
  for (std::size_t q = kLeastRecalibrated; q <= last; ++q) {
    plot.x.push_back(static_cast<double>(q));
    plot.series[0].values.push_back(value(before[q]));
    plot.series[1].values.push_back(value(after[q]));
    plot.series[2].values.push_back(static_cast<double>(q));
  }
  return plot;
}

}  // namespace

ErrorTable count_base_errors(SortedReads& reads, const Reference& reference,
                             app::RunContext& context) {
  context.progress.stage("recalibrate", reads.record_count(), "reads");
  graph::Graph g;
  auto looking = reads.add_looking(g, context.threads);
  auto pair = g.add("pair", PairBuckets{.progress = &context.progress});
  auto count = g.add("count", CountErrors{.reference = &reference, .sites = nullptr, .table = {}},
                     {.copies = context.threads});
  // Few buckets at a time: each may be large.
  g.connect(looking, &SortBuckets::out, pair, &PairBuckets::in, graph::block(2));
  g.connect(pair, &PairBuckets::out, count, &CountErrors::in, graph::block(2));
  g.run({.threads = context.threads, .stop = context.stop});
  ErrorTable out;
  for (const CountErrors& copy : count.copies()) out.merge(copy.table);
  return out;
}

std::shared_ptr<const Recalibration> learn_recalibration(
    const AlignJob& job, const std::function<ErrorTable()>& count,
    const std::optional<std::filesystem::path>& kept, app::RunContext& context) {
  if (!job.recalibrate) return nullptr;
  auto out = std::make_shared<const Recalibration>(kept_or_counted<ErrorTable>(kept, count));
  if (const std::uint64_t bases = out->table().total().bases; bases < kFewBases)
    context.warnings.add(
        "recalibrate.few_bases",
        fmt::format("only {} bases stand where errors can be told (at least {} reads, no variant), "
                    "so qualities stay about as they are",
                    bases, VariableSites::kLeastDepth));
  return out;
}

void apply_recalibration(const AlignJob& job, std::shared_ptr<const Recalibration> recalibration,
                         SortedReads& reads) {
  if (!recalibration) return;
  Finishing finishing = reads.finishing();
  finishing.recalibration = std::move(recalibration);
  finishing.original_qualities = job.original_qualities;
  reads.set_finishing(std::move(finishing));
}

void recalibrate_reads(const AlignJob& job, SortedReads& reads, const Reference& reference,
                       const std::optional<std::filesystem::path>& kept, app::RunContext& context) {
  const auto count = [&] { return count_base_errors(reads, reference, context); };
  apply_recalibration(job, learn_recalibration(job, count, kept, context), reads);
}

void report_recalibration(const Recalibration* recalibration, app::RunContext& context) {
  if (recalibration == nullptr) return;
  const ErrorCount total = recalibration->table().total();
  const QualityCounts before = recalibration->before(), after = recalibration->after();
  context.metric("recalibration.bases", total.bases);
  context.metric("recalibration.errors", total.errors);
  context.metric("recalibration.distance_before", quality_error(before));
  context.metric("recalibration.distance_after", quality_error(after));
  app::Report& report = context.report;
  report.section("Base qualities", "Recalibrated by what the reads show outside variable sites.");
  report.figure("bases counted", whole(total.bases));
  report.figure("errors among them", percent(total.errors, total.bases), "%");
  report.figure("mean distance of reported from empirical quality before", quality_error(before),
                "phred");
  report.figure("and after", quality_error(after), "phred");
  if (total.bases == 0) return;
  report.plot(quality_plot(before, after));
}

}  // namespace aceso::genomics
