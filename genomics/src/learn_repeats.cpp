#include "learn_repeats.hpp"

#include "report_figures.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <tuple>

namespace aceso::genomics {
namespace {

// Six megabases have thousands of repeats, and are soon looked at.
constexpr std::size_t kBuckets = 24;

struct CountRepeats {
  graph::In<SortedBucket> in{"records"};
  const Reference* reference = nullptr;
  const ReadFilter* filter = nullptr;
  Progress* progress = nullptr;
  RepeatTable table;

  auto ports() { return std::tie(in); }

  graph::Flow compute(const graph::Tick&) {
    const SortedBucket bucket = in.take();
    progress->advance(1);
    const std::uint64_t begin = bucket.bucket << kBucketBits;
    const std::uint64_t end =
        std::min<std::uint64_t>(begin + (1ULL << kBucketBits), reference->codes().size());
    RepeatSites sites(*reference, static_cast<std::uint32_t>(begin),
                      static_cast<std::uint32_t>(end));
    for (std::size_t i = 0; i < bucket.records.size(); ++i) {
      if (filter->takes(*bucket.records[i], bucket.duplicate[i])) sites.add(*bucket.records[i]);
    }
    sites.add_to(table);
    return graph::Flow::Continue;
  }
};

app::Plot repeat_plot(const RepeatTable& table, const RepeatRates& learnt) {
  constexpr std::uint64_t kLeastReads = 100;  // fewer say little
  app::Plot plot{.title = "Reads with another length, by the length of a repeat",
                 .x_label = "copies of the unit",
                 .y_label = "errors in 100 reads",
                 .x = {},
                 .series = {{"1 base", {}}, {"2 bases", {}}, {"3 bases", {}}},
                 .note =
                     "Learnt from the reads outside what the sample seems to have. Units of one "
                     "base are runs. The calls weigh gaps in repeats by these rates."};
  const auto seen = [&](std::uint32_t unit, std::uint32_t copies) {
    return table.reads(unit, copies) >= kLeastReads;
  };
  std::uint32_t last = GapCosts::kMostCopies;
  while (last > 3 && !seen(1, last) && !seen(2, last) && !seen(3, last)) --last;
  for (std::uint32_t copies = 3; copies <= last; ++copies) {
    plot.x.push_back(copies);
    for (std::uint32_t unit = 1; unit <= GapCosts::kMostUnit; ++unit)
      plot.series[unit - 1].values.push_back(seen(unit, copies)
                                                 ? 100 * learnt[unit - 1][copies]
                                                 : std::numeric_limits<double>::quiet_NaN());
  }
  return plot;
}

}  // namespace

std::vector<std::size_t> buckets_to_learn_from(const Reference& reference) {
  // The last one has the reads without a place.
  const std::size_t all = bucket_count(reference.codes().size()) - 1;
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < std::min(all, kBuckets); ++i)
    out.push_back(all <= kBuckets ? i : (2 * i + 1) * all / (2 * kBuckets));
  return out;
}

std::vector<GlobalInterval> intervals_to_learn_from(const Reference& reference) {
  std::vector<GlobalInterval> out;
  for (const std::size_t bucket : buckets_to_learn_from(reference)) {
    const std::uint64_t begin = std::uint64_t{bucket} << kBucketBits;
    const std::uint64_t end = begin + (1ULL << kBucketBits);
    for (const Contig& contig : reference.contigs()) {
      const std::uint64_t from = std::max(begin, contig.begin);
      const std::uint64_t to = std::min(end, contig.begin + contig.length);
      if (from >= to) continue;
      if (!out.empty() && out.back().end == from)
        out.back().end = to;
      else
        out.push_back({from, to});
    }
  }
  return out;
}

RepeatTable count_repeats(SortedReads& reads, const Reference& reference, const ReadFilter& filter,
                          app::RunContext& context) {
  std::vector<std::size_t> buckets = buckets_to_learn_from(reference);
  context.progress.stage("repeats", buckets.size(), "pieces");
  graph::Graph g;
  auto looking = reads.add_looking(g, context.threads, std::move(buckets));
  auto count = g.add(
      "count",
      CountRepeats{
          .reference = &reference, .filter = &filter, .progress = &context.progress, .table = {}},
      {.copies = context.threads});
  // Few buckets at a time: each may be large.
  g.connect(looking, &SortBuckets::out, count, &CountRepeats::in, graph::block(2));
  g.run({.threads = context.threads, .stop = context.stop});
  RepeatTable out;
  for (const CountRepeats& copy : count.copies()) out.merge(copy.table);
  return out;
}

void report_repeats(const RepeatTable& table, int ploidy, app::RunContext& context) {
  context.metric("repeats.seen", table.repeats());
  app::Report& report = context.report;
  report.section("Repeats", "How often reads have another length than the sample.");
  report.figure("repeats looked at", whole(table.repeats()));
  if (table.repeats() > 0) report.plot(repeat_plot(table, table.model(ploidy).errors));
}

}  // namespace aceso::genomics
