#include "metrics_report.hpp"

#include "report_figures.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace aceso::genomics {
namespace {

using app::Plot;

const MetricTable& table_of(const std::vector<MetricTable>& tables, std::string_view group) {
  return *std::ranges::find(tables, group, &MetricTable::group);
}

void coverage_section(const MetricsResult& r, const MetricTable& t, app::Report& report) {
  report.section("Coverage",
                 "Bases of quality 20 in reads of mapping quality 20, each fragment once, without "
                 "duplicates.");
  report.figure("mean coverage", t.number("MEAN_COVERAGE"), "x");
  report.figure("read 10 times or more", 100 * t.number("PCT_10X"), "%");
  report.figure("read 30 times or more", 100 * t.number("PCT_30X"), "%");
  const Histogram depth = depths_of(r);
  const auto all = static_cast<double>(std::max<std::uint64_t>(depth.count(), 1));
  const std::uint64_t last = std::min<std::uint64_t>(
      kCoverageCap, std::max<std::uint64_t>(depth.percentile(0.999) + 5, 10));
  Plot places{.title = "Places by coverage",
              .type = Plot::Type::Area,
              .x_label = "coverage",
              .y_label = "share of the genome (%)",
              .x = {},
              .series = {{"places", {}}},
              .note =
                  "One hill around the mean is good; a second hill or much at 0 means uneven "
                  "coverage."};
  Plot more = places;
  more.title = "Places with so much coverage or more";
  more.type = Plot::Type::Line;
  more.note = "A steep fall is even coverage.";
  for (std::uint64_t d = 0; d <= last; ++d) {
    places.x.push_back(static_cast<double>(d));
    places.series[0].values.push_back(100 * static_cast<double>(depth.count_of(d)) / all);
    more.x.push_back(static_cast<double>(d));
    more.series[0].values.push_back(100 * static_cast<double>(depth.count_from(d)) / all);
  }
  report.plot(std::move(places));
  report.plot(std::move(more));
  static constexpr std::pair<const char*, const char*> kReasons[] = {
      {"PCT_EXC_MAPQ", "mapping quality below 20"},
      {"PCT_EXC_DUPE", "duplicates"},
      {"PCT_EXC_UNPAIRED", "mate not mapped"},
      {"PCT_EXC_BASEQ", "base quality below 20"},
      {"PCT_EXC_OVERLAP", "mates overlap"},
      {"PCT_EXC_ADAPTER", "adapter"},
      {"PCT_EXC_CAPPED", "beyond 250x"},
      {"PCT_EXC_TOTAL", "all"}};
  std::vector<std::vector<app::Cell>> rows;
  for (const auto& [field, label] : kReasons) rows.push_back({label, 100 * t.number(field)});
  report.table("Bases that gave no coverage", {{""}, {"of aligned bases", "%"}}, std::move(rows));
}

void target_section(const MetricTable& t, app::Report& report) {
  report.section("Targets", "What the regions given were covered with.");
  report.figure("mean coverage of targets", t.number("MEAN_TARGET_COVERAGE"), "x");
  report.figure("bases on targets", 100 * t.number("PCT_USABLE_BASES_ON_TARGET"), "%");
  std::vector<std::vector<app::Cell>> rows;
  for (const char* x : {"1", "10", "20", "30", "50", "100"})
    rows.push_back(
        {fmt::format("{}x or more", x), 100 * t.number(fmt::format("PCT_TARGET_BASES_{}X", x))});
  rows.push_back({"targets never read", 100 * t.number("ZERO_CVG_TARGETS_PCT")});
  rows.push_back({"bases near targets or on them", 100 * t.number("PCT_SELECTED_BASES")});
  report.table("Targets", {{""}, {"share", "%"}}, std::move(rows));
}

void insert_section(const MetricsResult& r, const MetricTable& t, app::Report& report) {
  if (t.rows.empty()) return;
  report.section("Fragments", "Pairs by the length of their fragment, without duplicates.");
  report.figure("median fragment", std::get<double>(t.rows.front()[0].second), "bases");
  Plot plot{.title = "Pairs by fragment length",
            .x_label = "fragment (bases)",
            .y_label = "pairs",
            .x = {},
            .series = {},
            .note = "One smooth hill is good."};
  static constexpr std::pair<PairOrientation, const char*> kNames[] = {
      {PairOrientation::FR, "towards each other"},
      {PairOrientation::RF, "away from each other"},
      {PairOrientation::Tandem, "same direction"}};
  std::uint64_t last = 0;
  for (const auto& line : t.histogram) last = std::max(last, std::get<std::uint64_t>(line[0]));
  const std::uint64_t step = last / 400 + 1;
  for (std::uint64_t size = 0; size <= last; size += step)
    plot.x.push_back(static_cast<double>(size) + static_cast<double>(step - 1) / 2);
  for (const auto& [orientation, name] : kNames) {
    app::Series series{name, std::vector<double>(plot.x.size())};
    for (const auto& [size, n] : r.reads.inserts(orientation).bins()) {
      if (size <= last) series.values[size / step] += static_cast<double>(n);
    }
    if (r.reads.inserts(orientation).count() > 0) plot.series.push_back(std::move(series));
  }
  report.plot(std::move(plot));
}

void gc_section(const MetricsResult& r, const MetricTable& t, app::Report& report) {
  report.section("G and C", "Reads that begin at windows of 100 bases, by the windows' G and C.");
  report.figure("AT dropout", t.number("AT_DROPOUT"), "%");
  report.figure("GC dropout", t.number("GC_DROPOUT"), "%");
  std::uint64_t most = 1;
  for (const std::uint64_t windows : r.gc_windows) most = std::max(most, windows);
  Plot plot{.title = "Coverage by G and C",
            .x_label = "G and C in the window (%)",
            .y_label = "coverage, 1 is the mean",
            .x = {},
            .series = {{"coverage", {}}, {"windows (scaled)", {}}},
            .note =
                "A level line at 1 is good where there are windows at all; where there are few, "
                "the line is noise."};
  for (std::size_t i = 0; i < kGcBins; ++i) {
    plot.x.push_back(static_cast<double>(i));
    // A handful of windows says nothing.
    const bool enough = r.gc_windows[i] * 100'000 >= most;
    plot.series[0].values.push_back(enough ? normalized_coverage(r, i)
                                           : std::numeric_limits<double>::quiet_NaN());
    plot.series[1].values.push_back(static_cast<double>(r.gc_windows[i]) /
                                    static_cast<double>(most));
  }
  report.plot(std::move(plot));
}

void quality_section(const MetricsResult& r, app::Report& report) {
  report.section("Qualities", "Of bases by their place in the read, and of the reads' places.");
  const QualitySums& q = r.reads.qualities();
  const std::size_t cycles = std::max(q.sum_by_cycle[0].size(), q.sum_by_cycle[1].size());
  if (cycles > 0) {
    const std::size_t step = cycles / 400 + 1;
    Plot plot{.title = "Mean quality by place in the read",
              .x_label = "place in the read (1-based)",
              .y_label = "mean quality (phred)",
              .x = {},
              .series = {},
              .note =
                  "Falling towards the end is usual; a sudden dip at one place points to the "
                  "instrument."};
    for (std::size_t c = 0; c < cycles; c += step) plot.x.push_back(static_cast<double>(c + 1));
    for (std::size_t m = 0; m < 2; ++m) {
      if (q.sum_by_cycle[m].empty()) continue;
      app::Series series{m == 0 ? "first mates or single reads" : "second mates", {}};
      for (std::size_t c = 0; c < cycles; c += step)
        series.values.push_back(c < q.sum_by_cycle[m].size()
                                    ? ratio(q.sum_by_cycle[m][c], q.count_by_cycle[m][c])
                                    : std::numeric_limits<double>::quiet_NaN());
      plot.series.push_back(std::move(series));
    }
    report.plot(std::move(plot));
  }
  Plot mapping{.title = "Reads by mapping quality",
               .type = Plot::Type::Bar,
               .x_label = "mapping quality (phred)",
               .y_label = "reads",
               .x = {},
               .series = {{"reads", {}}},
               .log_y = true,
               .note = "Reads of quality 0 fit as well elsewhere."};
  for (std::uint64_t value = 0; value <= r.reads.mapping_qualities().maximum(); ++value) {
    mapping.x.push_back(static_cast<double>(value));
    mapping.series[0].values.push_back(
        static_cast<double>(r.reads.mapping_qualities().count_of(value)));
  }
  report.plot(std::move(mapping));
}

void alignment_section(const MetricTable& alignment, const MetricTable& duplicates,
                       app::Report& report) {
  report.section("Alignment", "The reads, and how they fit the reference.");
  report.figure("reads aligned", 100 * alignment.number("PCT_PF_READS_ALIGNED"), "%");
  report.figure("duplicates", 100 * duplicates.number("PERCENT_DUPLICATION"), "%");
  report.figure("mismatches", 100 * alignment.number("PF_MISMATCH_RATE"), "%");
  std::vector<app::Column> columns{{""}};
  std::vector<std::vector<app::Cell>> rows;
  for (const MetricRow& row : alignment.rows)
    columns.push_back({std::get<std::string>(row.front().second)});
  for (std::size_t f = 1; f < alignment.rows.front().size(); ++f) {
    std::vector<app::Cell> cells{alignment.rows.front()[f].first};
    for (const MetricRow& row : alignment.rows) {
      const MetricValue& value = row[f].second;
      if (const auto* n = std::get_if<std::uint64_t>(&value)) cells.push_back(whole(*n));
      if (const auto* x = std::get_if<double>(&value)) cells.emplace_back(*x);
    }
    if (cells.size() == columns.size()) rows.push_back(std::move(cells));
  }
  report.table("Alignment summary", std::move(columns), std::move(rows));
}

/// What a glance needs; all the rest is in the files and in report.json.
void set_metrics(const std::vector<MetricTable>& tables, app::RunContext& context) {
  static constexpr std::pair<const char*, const char*> kShown[] = {
      {"coverage", "MEAN_COVERAGE"},
      {"coverage", "MEDIAN_COVERAGE"},
      {"coverage", "PCT_10X"},
      {"coverage", "PCT_20X"},
      {"coverage", "PCT_30X"},
      {"coverage", "PCT_EXC_TOTAL"},
      {"alignment", "TOTAL_READS"},
      {"alignment", "PCT_PF_READS_ALIGNED"},
      {"alignment", "PF_MISMATCH_RATE"},
      {"alignment", "PCT_CHIMERAS"},
      {"insert_size", "MEDIAN_INSERT_SIZE"},
      {"insert_size", "STANDARD_DEVIATION"},
      {"gc_bias", "AT_DROPOUT"},
      {"gc_bias", "GC_DROPOUT"},
      {"duplicates", "PERCENT_DUPLICATION"},
      {"targets", "MEAN_TARGET_COVERAGE"},
      {"targets", "PCT_TARGET_BASES_20X"},
      {"targets", "PCT_USABLE_BASES_ON_TARGET"},
      {"targets", "ZERO_CVG_TARGETS_PCT"},
      {"targets", "FOLD_80_BASE_PENALTY"}};
  for (const auto& [group, field] : kShown) {
    const auto table = std::ranges::find(tables, group, &MetricTable::group);
    if (table == tables.end() || table->rows.empty()) continue;
    const double value = table->number(field);
    if (std::isfinite(value)) context.metric(fmt::format("{}.{}", group, field), value);
  }
}

}  // namespace

void report_metrics(const MetricsResult& result, const std::vector<MetricTable>& tables,
                    app::RunContext& context) {
  set_metrics(tables, context);
  context.report.details(metrics_json(tables));
  context.metric("records", result.reads.records());
  app::Report& report = context.report;
  coverage_section(result, table_of(tables, "coverage"), report);
  if (result.has_targets) target_section(table_of(tables, "targets"), report);
  alignment_section(table_of(tables, "alignment"), table_of(tables, "duplicates"), report);
  insert_section(result, table_of(tables, "insert_size"), report);
  gc_section(result, table_of(tables, "gc_bias"), report);
  quality_section(result, report);
}

}  // namespace aceso::genomics
