#include "metric_tables.hpp"

#include "het_sensitivity.hpp"
#include "report_figures.hpp"

#include "aceso/core/process.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace aceso::genomics {
namespace {

double quotient(double part, double all) { return all == 0 ? 0.0 : part / all; }

std::string text_of(double value) {
  if (!std::isfinite(value)) return "?";
  std::string text = fmt::format("{:.6f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string text_of(const MetricValue& value) {
  if (const auto* whole = std::get_if<std::uint64_t>(&value)) return std::to_string(*whole);
  if (const auto* number = std::get_if<double>(&value)) return text_of(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return {};
}

/// What ends every row: no sample, library and read group, for rows are of all reads.
void add_levels(MetricRow& row) {
  for (const char* name : {"SAMPLE", "LIBRARY", "READ_GROUP"})
    row.emplace_back(name, std::monostate{});
}

/// -10 log10 of an error's probability, whole as Picard rounds it.
std::uint64_t phred(double error) {
  return static_cast<std::uint64_t>(
      std::lround(std::min(-10 * std::log10(std::max(error, 1e-10)), 100.0)));
}

double share_of(std::uint64_t part, std::uint64_t all) { return ratio(part, all); }

// Coverage.

MetricTable coverage_table(const MetricsResult& r) {
  const CoverageSums& c = r.coverage;
  const Histogram depth = depths_of(r);
  const double mean = depth.mean(), territory = static_cast<double>(r.territory);
  const std::uint64_t excluded = c.adapter + c.mapping_quality + c.duplicate + c.unpaired +
                                 c.base_quality + c.overlap + c.capped;
  const double all = depth.sum() + static_cast<double>(excluded);
  const auto part = [all](std::uint64_t n) { return quotient(static_cast<double>(n), all); };
  MetricRow row{{"GENOME_TERRITORY", r.territory},
                {"MEAN_COVERAGE", mean},
                {"SD_COVERAGE", depth.standard_deviation()},
                {"MEDIAN_COVERAGE", depth.median()},
                {"MAD_COVERAGE", depth.median_absolute_deviation()},
                {"PCT_EXC_ADAPTER", part(c.adapter)},
                {"PCT_EXC_MAPQ", part(c.mapping_quality)},
                {"PCT_EXC_DUPE", part(c.duplicate)},
                {"PCT_EXC_UNPAIRED", part(c.unpaired)},
                {"PCT_EXC_BASEQ", part(c.base_quality)},
                {"PCT_EXC_OVERLAP", part(c.overlap)},
                {"PCT_EXC_CAPPED", part(c.capped)},
                {"PCT_EXC_TOTAL", part(excluded)}};
  for (const std::uint64_t x : {1, 5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100})
    row.emplace_back(fmt::format("PCT_{}X", x),
                     quotient(static_cast<double>(depth.count_from(x)), territory));
  for (const int fold : {80, 90, 95})
    row.emplace_back(
        fmt::format("FOLD_{}_BASE_PENALTY", fold),
        mean / static_cast<double>(depth.percentile(static_cast<double>(100 - fold) / 100)));
  Histogram raw = c.raw_depth;
  raw.add(0, r.territory - std::min(r.territory, raw.count()));
  const double seen = het_snp_sensitivity(raw, c.raw_qualities);
  row.emplace_back("HET_SNP_SENSITIVITY", seen);
  row.emplace_back("HET_SNP_Q", phred(1 - seen));
  MetricTable table{.file_name = "wgs_metrics.txt",
                    .group = "coverage",
                    .program = "CollectWgsMetrics",
                    .metrics_class = "picard.analysis.WgsMetrics",
                    .rows = {std::move(row)},
                    .histogram_columns = {"coverage", "high_quality_coverage_count"},
                    .histogram = {}};
  for (std::uint64_t d = 0; d <= kCoverageCap; ++d)
    table.histogram.push_back({d, depth.count_of(d)});
  return table;
}

// Alignment.

std::uint64_t bad_cycles(const AlignmentSums& s) {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      s.bad_by_cycle, [&s](std::uint64_t bad) { return share_of(bad, s.reads) >= 0.8; }));
}

MetricRow alignment_row(const std::string& category, const AlignmentSums& s, std::uint64_t bad) {
  const auto bases = static_cast<std::uint64_t>(s.lengths.sum());
  MetricRow row{
      {"CATEGORY", category},
      {"TOTAL_READS", s.reads},
      {"PF_READS", s.passed},
      {"PCT_PF_READS", share_of(s.passed, s.reads)},
      {"PF_NOISE_READS", s.noise},
      {"PF_READS_ALIGNED", s.aligned},
      {"PCT_PF_READS_ALIGNED", share_of(s.aligned, s.passed)},
      {"PF_ALIGNED_BASES", s.aligned_bases},
      {"PF_HQ_ALIGNED_READS", s.good_reads},
      {"PF_HQ_ALIGNED_BASES", s.good_bases},
      {"PF_HQ_ALIGNED_Q20_BASES", s.good_q20_bases},
      {"PF_HQ_MEDIAN_MISMATCHES", s.good_mismatches_a_read.median()},
      {"PF_MISMATCH_RATE", share_of(s.mismatches, s.aligned_bases)},
      {"PF_HQ_ERROR_RATE", share_of(s.good_mismatches, s.good_bases)},
      {"PF_INDEL_RATE", share_of(s.indels, s.aligned_bases)},
      {"MEAN_READ_LENGTH", s.lengths.mean()},
      {"SD_READ_LENGTH", s.lengths.standard_deviation()},
      {"MEDIAN_READ_LENGTH", s.lengths.median()},
      {"MAD_READ_LENGTH", s.lengths.median_absolute_deviation()},
      {"MIN_READ_LENGTH", s.lengths.minimum()},
      {"MAX_READ_LENGTH", s.lengths.maximum()},
      {"MEAN_ALIGNED_READ_LENGTH", s.aligned_lengths.mean()},
      {"READS_ALIGNED_IN_PAIRS", s.in_pairs},
      {"PCT_READS_ALIGNED_IN_PAIRS", share_of(s.in_pairs, s.aligned)},
      {"PF_READS_IMPROPER_PAIRS", s.improper},
      {"PCT_PF_READS_IMPROPER_PAIRS", share_of(s.improper, s.aligned)},
      {"BAD_CYCLES", bad},
      {"STRAND_BALANCE", share_of(s.forward, s.aligned)},
      {"PCT_CHIMERAS", share_of(s.chimeras, s.chimera_reads)},
      {"PCT_ADAPTER", share_of(s.adapters, s.passed)},
      {"PCT_SOFTCLIP", share_of(s.soft_clipped, bases)},
      {"PCT_HARDCLIP", share_of(s.hard_clipped, bases)},
      {"AVG_POS_3PRIME_SOFTCLIP_LENGTH", share_of(s.end_clipped_bases, s.end_clipped_reads)}};
  add_levels(row);
  return row;
}

void add_lengths(MetricTable& table, const AlignmentSums& sums, const std::string& prefix) {
  table.histogram_columns = {"READ_LENGTH", prefix + "_TOTAL_LENGTH_COUNT",
                             prefix + "_ALIGNED_LENGTH_COUNT"};
  Histogram both = sums.lengths;
  both.merge(sums.aligned_lengths);
  for (const auto& [length, n] : both.bins())
    table.histogram.push_back(
        {length, sums.lengths.count_of(length), sums.aligned_lengths.count_of(length)});
}

MetricTable alignment_table(const MetricsResult& r) {
  MetricTable table{.file_name = "alignment_summary_metrics.txt",
                    .group = "alignment",
                    .program = "CollectAlignmentSummaryMetrics",
                    .metrics_class = "picard.analysis.AlignmentSummaryMetrics",
                    .rows = {},
                    .histogram_columns = {},
                    .histogram = {}};
  const AlignmentSums &first = r.reads.alignment(ReadMetrics::First),
                      &second = r.reads.alignment(ReadMetrics::Second),
                      &unpaired = r.reads.alignment(ReadMetrics::Unpaired);
  const bool paired = first.reads + second.reads > 0;
  if (paired) {
    const AlignmentSums pairs = r.reads.pairs();
    table.rows.push_back(alignment_row("FIRST_OF_PAIR", first, bad_cycles(first)));
    table.rows.push_back(alignment_row("SECOND_OF_PAIR", second, bad_cycles(second)));
    table.rows.push_back(alignment_row("PAIR", pairs, bad_cycles(first) + bad_cycles(second)));
    add_lengths(table, pairs, "PAIRED");
  }
  if (unpaired.reads > 0 || !paired) {
    table.rows.push_back(alignment_row("UNPAIRED", unpaired, bad_cycles(unpaired)));
    if (!paired) add_lengths(table, unpaired, "UNPAIRED");
  }
  return table;
}

// Fragments.

/// Orientations with fewer of all pairs are left out.
constexpr double kLeastShare = 0.05;
/// Mean and deviation are of fragments up to the median and so many absolute deviations.
constexpr double kDeviations = 10;

constexpr std::pair<PairOrientation, const char*> kOrientations[] = {
    {PairOrientation::FR, "FR"}, {PairOrientation::RF, "RF"}, {PairOrientation::Tandem, "TANDEM"}};

/// The width around the median that holds each share of the pairs, growing by one base to each
/// side.
void add_widths(const Histogram& sizes, MetricRow& row) {
  constexpr int kPercents[] = {10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 99};
  const auto total = static_cast<double>(sizes.count());
  const auto middle = static_cast<std::int64_t>(sizes.median());
  std::vector<std::pair<std::int64_t, std::uint64_t>> by_distance;
  for (const auto& [size, n] : sizes.bins())
    by_distance.emplace_back(std::abs(static_cast<std::int64_t>(size) - middle), n);
  std::ranges::stable_sort(by_distance, {}, &std::pair<std::int64_t, std::uint64_t>::first);
  auto next = by_distance.begin();
  std::uint64_t covered = 0;
  std::int64_t distance = 0;
  for (const int percent : kPercents) {
    while (static_cast<double>(covered) < total * percent / 100 && next != by_distance.end()) {
      distance = next->first;
      for (; next != by_distance.end() && next->first == distance; ++next) covered += next->second;
    }
    row.emplace_back(fmt::format("WIDTH_OF_{}_PERCENT", percent),
                     static_cast<std::uint64_t>(2 * distance + 1));
  }
}

MetricRow insert_row(const Histogram& sizes, const Histogram& trimmed, const char* orientation) {
  MetricRow row{{"MEDIAN_INSERT_SIZE", sizes.median()},
                {"MODE_INSERT_SIZE", sizes.mode()},
                {"MEDIAN_ABSOLUTE_DEVIATION", sizes.median_absolute_deviation()},
                {"MIN_INSERT_SIZE", sizes.minimum()},
                {"MAX_INSERT_SIZE", sizes.maximum()},
                {"MEAN_INSERT_SIZE", trimmed.mean()},
                {"STANDARD_DEVIATION", trimmed.standard_deviation()},
                {"READ_PAIRS", sizes.count()},
                {"PAIR_ORIENTATION", std::string(orientation)}};
  add_widths(sizes, row);
  add_levels(row);
  return row;
}

MetricTable insert_table(const MetricsResult& r) {
  MetricTable table{.file_name = "insert_size_metrics.txt",
                    .group = "insert_size",
                    .program = "CollectInsertSizeMetrics",
                    .metrics_class = "picard.analysis.InsertSizeMetrics",
                    .rows = {},
                    .histogram_columns = {"insert_size"},
                    .histogram = {}};
  std::uint64_t all = 0;
  for (const auto& [orientation, name] : kOrientations) all += r.reads.inserts(orientation).count();
  std::vector<Histogram> shown;
  Histogram sizes_shown;
  for (const auto& [orientation, name] : kOrientations) {
    const Histogram& sizes = r.reads.inserts(orientation);
    if (sizes.count() == 0 || share_of(sizes.count(), all) < kLeastShare) continue;
    Histogram trimmed = sizes;
    trimmed.trim(static_cast<std::uint64_t>(sizes.median() +
                                            kDeviations * sizes.median_absolute_deviation()));
    table.rows.push_back(insert_row(sizes, trimmed, name));
    std::string lower(name);
    std::ranges::transform(lower, lower.begin(),
                           [](char c) { return static_cast<char>(c | 0x20); });
    table.histogram_columns.push_back("All_Reads." + lower + "_count");
    sizes_shown.merge(trimmed);
    shown.push_back(std::move(trimmed));
  }
  for (const auto& [size, n] : sizes_shown.bins()) {
    std::vector<MetricValue> line{size};
    for (const Histogram& one : shown) line.emplace_back(one.count_of(size));
    table.histogram.push_back(std::move(line));
  }
  if (table.rows.empty()) table.histogram_columns.clear();
  return table;
}

// G and C.

std::uint64_t sum_of(std::span<const std::uint64_t> counts) {
  std::uint64_t out = 0;
  for (const std::uint64_t n : counts) out += n;
  return out;
}

double reads_a_window(const MetricsResult& r) {
  return share_of(sum_of(r.reads.gc().reads), sum_of(r.gc_windows));
}

/// The phred value of errors among bases, as Picard truncates it.
MetricValue observed_quality(std::uint64_t bases, std::uint64_t errors) {
  if (errors == 0) return std::uint64_t{0};
  return phred(share_of(errors, bases));
}

MetricTable gc_detail_table(const MetricsResult& r) {
  const GcSums& gc = r.reads.gc();
  MetricTable table{.file_name = "gc_bias_detail_metrics.txt",
                    .group = "gc_bias_detail",
                    .program = "CollectGcBiasMetrics",
                    .metrics_class = "picard.analysis.GcBiasDetailMetrics",
                    .rows = {},
                    .histogram_columns = {},
                    .histogram = {}};
  const double even = reads_a_window(r);
  for (std::size_t i = 0; i < kGcBins; ++i) {
    const double windows = static_cast<double>(r.gc_windows[i]);
    MetricRow row{
        {"ACCUMULATION_LEVEL", std::string("All Reads")},
        {"READS_USED", std::string("ALL")},
        {"GC", std::uint64_t{i}},
        {"WINDOWS", r.gc_windows[i]},
        {"READ_STARTS", gc.reads[i]},
        {"MEAN_BASE_QUALITY", observed_quality(gc.bases[i], gc.errors[i])},
        {"NORMALIZED_COVERAGE", normalized_coverage(r, i)},
        {"ERROR_BAR_WIDTH", quotient(std::sqrt(static_cast<double>(gc.reads[i])), windows * even)}};
    add_levels(row);
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// Windows that should have had more reads, in percent of all reads, in [first, last] percent GC.
double dropout(const MetricsResult& r, std::size_t first, std::size_t last) {
  const std::uint64_t reads = sum_of(r.reads.gc().reads), windows = sum_of(r.gc_windows);
  double out = 0;
  for (std::size_t i = first; i <= last; ++i)
    out +=
        std::max(0.0, share_of(r.gc_windows[i], windows) - share_of(r.reads.gc().reads[i], reads));
  return 100 * out;
}

MetricTable gc_table(const MetricsResult& r) {
  const GcSums& gc = r.reads.gc();
  MetricRow row{{"ACCUMULATION_LEVEL", std::string("All Reads")},
                {"READS_USED", std::string("ALL")},
                {"WINDOW_SIZE", std::uint64_t{kGcWindow}},
                {"TOTAL_CLUSTERS", gc.clusters},
                {"ALIGNED_READS", gc.aligned},
                {"AT_DROPOUT", dropout(r, 0, 50)},
                {"GC_DROPOUT", dropout(r, 51, 100)}};
  constexpr std::pair<std::size_t, std::size_t> kRanges[] = {
      {0, 19}, {20, 39}, {40, 59}, {60, 79}, {80, 100}};
  for (const auto& [first, last] : kRanges) {
    const std::span reads(gc.reads), windows(r.gc_windows);
    // Bins without a window have no reads of their own.
    std::uint64_t found = 0;
    for (std::size_t i = first; i <= last; ++i) found += windows[i] > 0 ? reads[i] : 0;
    row.emplace_back(fmt::format("GC_NC_{}_{}", first, last),
                     quotient(share_of(found, sum_of(windows.subspan(first, last - first + 1))),
                              reads_a_window(r)));
  }
  add_levels(row);
  return {.file_name = "gc_bias_summary_metrics.txt",
          .group = "gc_bias",
          .program = "CollectGcBiasMetrics",
          .metrics_class = "picard.analysis.GcBiasSummaryMetrics",
          .rows = {std::move(row)},
          .histogram_columns = {},
          .histogram = {}};
}

// Qualities and duplicates.

MetricTable cycle_table(const MetricsResult& r) {
  MetricTable table{.file_name = "quality_by_cycle_metrics.txt",
                    .group = "",
                    .program = "MeanQualityByCycle",
                    .metrics_class = "",
                    .rows = {},
                    .histogram_columns = {"CYCLE", "MEAN_QUALITY"},
                    .histogram = {}};
  for (const auto& [cycle, quality] : quality_by_cycle(r.reads.qualities()))
    table.histogram.push_back({cycle, quality});
  return table;
}

MetricTable quality_table(const MetricsResult& r) {
  MetricTable table{.file_name = "quality_distribution_metrics.txt",
                    .group = "",
                    .program = "QualityScoreDistribution",
                    .metrics_class = "",
                    .rows = {},
                    .bin_type = "java.lang.Byte",
                    .histogram_columns = {"QUALITY", "COUNT_OF_Q"},
                    .histogram = {}};
  const auto& bases = r.reads.qualities().bases;
  for (std::size_t q = 0; q < bases.size(); ++q) {
    if (bases[q] > 0) table.histogram.push_back({std::uint64_t{q}, bases[q]});
  }
  return table;
}

MetricTable duplicate_table(const MetricsResult& r) {
  const DuplicateSums& d = r.reads.duplicates();
  const std::uint64_t pairs = d.paired / 2, duplicates = d.paired_duplicates / 2,
                      optical = d.optical / 2;
  MetricValue size;
  if (const auto found = library_size(pairs - optical, pairs - duplicates)) size = *found;
  MetricRow row{{"LIBRARY", r.library},
                {"UNPAIRED_READS_EXAMINED", d.unpaired},
                {"READ_PAIRS_EXAMINED", pairs},
                {"SECONDARY_OR_SUPPLEMENTARY_RDS", d.secondary},
                {"UNMAPPED_READS", d.unmapped},
                {"UNPAIRED_READ_DUPLICATES", d.unpaired_duplicates},
                {"READ_PAIR_DUPLICATES", duplicates},
                {"READ_PAIR_OPTICAL_DUPLICATES", optical},
                {"PERCENT_DUPLICATION",
                 share_of(d.unpaired_duplicates + 2 * duplicates, d.unpaired + 2 * pairs)},
                {"ESTIMATED_LIBRARY_SIZE", size}};
  return {.file_name = "duplication_metrics.txt",
          .group = "duplicates",
          .program = "CollectDuplicateMetrics",
          .metrics_class = "picard.sam.DuplicationMetrics",
          .rows = {std::move(row)},
          .histogram_columns = {},
          .histogram = {}};
}

// Targets.

/// Depths of all bases of targets; `covered` leaves out targets without any depth.
Histogram target_depths(const MetricsResult& r, bool covered) {
  Histogram out = r.targets.depth;
  const std::uint64_t bases = r.target_territory - (covered ? r.uncovered_bases : 0);
  out.add(0, bases - std::min(bases, out.count()));
  return out;
}

MetricTable target_table(const MetricsResult& r) {
  const TargetSums& t = r.targets;
  const Histogram depth = target_depths(r, false);
  const double mean = depth.mean(), selected = static_cast<double>(t.on_bait + t.near_bait),
               all = selected + static_cast<double>(t.off_bait);
  const auto of_aligned = [&t](std::uint64_t n) { return share_of(n, t.aligned_bases); };
  MetricValue size;
  if (const auto found = library_size(t.selected_pairs, t.selected_unique_pairs)) size = *found;
  MetricRow row{
      {"BAIT_SET", r.target_name},
      {"BAIT_TERRITORY", r.target_territory},
      {"BAIT_DESIGN_EFFICIENCY", 1.0},
      {"ON_BAIT_BASES", t.on_bait},
      {"NEAR_BAIT_BASES", t.near_bait},
      {"OFF_BAIT_BASES", t.off_bait},
      {"PCT_SELECTED_BASES", quotient(selected, all)},
      {"PCT_OFF_BAIT", quotient(static_cast<double>(t.off_bait), all)},
      {"ON_BAIT_VS_SELECTED", quotient(static_cast<double>(t.on_bait), selected)},
      {"MEAN_BAIT_COVERAGE", share_of(t.on_bait, r.target_territory)},
      {"PCT_USABLE_BASES_ON_BAIT", share_of(t.on_bait, t.bases)},
      {"PCT_USABLE_BASES_ON_TARGET", share_of(t.on_target, t.bases)},
      {"FOLD_ENRICHMENT", quotient(quotient(static_cast<double>(t.on_bait), all),
                                   share_of(r.target_territory, r.genome_size))},
      {"HS_LIBRARY_SIZE", size},
      {"TARGET_TERRITORY", r.target_territory},
      {"GENOME_SIZE", r.genome_size},
      {"TOTAL_READS", t.reads},
      {"PF_READS", t.passed},
      {"PF_BASES", t.bases},
      {"PF_UNIQUE_READS", t.unique_reads},
      {"PF_UQ_READS_ALIGNED", t.unique_aligned},
      {"PF_BASES_ALIGNED", t.aligned_bases},
      {"PF_UQ_BASES_ALIGNED", t.unique_bases},
      {"ON_TARGET_BASES", t.on_target},
      {"PCT_PF_READS", share_of(t.passed, t.reads)},
      {"PCT_PF_UQ_READS", share_of(t.unique_reads, t.reads)},
      {"PCT_PF_UQ_READS_ALIGNED", share_of(t.unique_aligned, t.unique_reads)},
      {"MEAN_TARGET_COVERAGE", mean},
      {"MEDIAN_TARGET_COVERAGE", depth.median()},
      {"MAX_TARGET_COVERAGE", depth.maximum()},
      {"MIN_TARGET_COVERAGE", depth.minimum()},
      {"ZERO_CVG_TARGETS_PCT", share_of(r.target_count - r.covered_targets, r.target_count)},
      {"PCT_EXC_DUPE", of_aligned(t.duplicate)},
      {"PCT_EXC_ADAPTER", of_aligned(t.adapter)},
      {"PCT_EXC_MAPQ", of_aligned(t.mapping_quality)},
      {"PCT_EXC_BASEQ", of_aligned(t.base_quality)},
      {"PCT_EXC_OVERLAP", of_aligned(t.overlap)},
      {"PCT_EXC_OFF_TARGET", of_aligned(t.off_target)},
      {"FOLD_80_BASE_PENALTY", mean / static_cast<double>(target_depths(r, true).percentile(0.2))}};
  for (const std::uint64_t x : {1, 2, 10, 20, 30, 40, 50, 100, 250, 500, 1000, 2500, 5000, 10000})
    row.emplace_back(fmt::format("PCT_TARGET_BASES_{}X", x),
                     share_of(depth.count_from(x), r.target_territory));
  Histogram raw = t.raw_depth;
  raw.add(0, r.target_territory - std::min(r.target_territory, raw.count()));
  const double seen = het_snp_sensitivity(raw, t.raw_qualities);
  row.emplace_back("HET_SNP_SENSITIVITY", seen);
  row.emplace_back("HET_SNP_Q", phred(1 - seen));
  add_levels(row);
  MetricTable table{
      .file_name = "hs_metrics.txt",
      .group = "targets",
      .program = "CollectHsMetrics",
      .metrics_class = "picard.analysis.directed.HsMetrics",
      .rows = {std::move(row)},
      .histogram_columns = {"coverage_or_base_quality", "high_quality_coverage_count"},
      .histogram = {}};
  for (const auto& [d, n] : depth.bins()) table.histogram.push_back({d, n});
  return table;
}

Json json_of(const MetricValue& value) {
  if (const auto* whole = std::get_if<std::uint64_t>(&value)) return *whole;
  if (const auto* number = std::get_if<double>(&value))
    return std::isfinite(*number) ? Json(*number) : Json(nullptr);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return nullptr;
}

Json json_of(const MetricRow& row) {
  Json out = Json::object();
  for (const auto& [name, value] : row) {
    if (!std::holds_alternative<std::monostate>(value)) out[name] = json_of(value);
  }
  return out;
}

}  // namespace

double MetricTable::number(const std::string& name) const {
  if (rows.empty()) return 0;
  const auto found = std::ranges::find(rows.back(), name, &MetricRow::value_type::first);
  if (found == rows.back().end()) return 0;
  if (const auto* whole = std::get_if<std::uint64_t>(&found->second))
    return static_cast<double>(*whole);
  const auto* number = std::get_if<double>(&found->second);
  return number == nullptr ? 0 : *number;
}

std::vector<MetricTable> metric_tables(const MetricsResult& result) {
  std::vector<MetricTable> out{coverage_table(result),  alignment_table(result),
                               insert_table(result),    gc_table(result),
                               gc_detail_table(result), duplicate_table(result),
                               cycle_table(result),     quality_table(result)};
  if (result.has_targets) out.push_back(target_table(result));
  return out;
}

std::string picard_text(const MetricTable& table, const std::string& input) {
  std::string out = fmt::format(
      "## htsjdk.samtools.metrics.StringHeader\n# {} INPUT={}\n"
      "## htsjdk.samtools.metrics.StringHeader\n# Written by aceso genomics metrics {}\n\n",
      table.program, input, version());
  if (!table.metrics_class.empty())
    out += fmt::format("## METRICS CLASS\t{}\n", table.metrics_class);
  const auto line = [&out](const auto& values, const auto& text) {
    bool first = true;
    for (const auto& value : values) {
      if (!first) out += '\t';
      first = false;
      out += text(value);
    }
    out += '\n';
  };
  if (!table.rows.empty()) line(table.rows.front(), [](const auto& field) { return field.first; });
  for (const MetricRow& row : table.rows)
    line(row, [](const auto& field) { return text_of(field.second); });
  if (!table.histogram_columns.empty()) {
    out += fmt::format("\n## HISTOGRAM\t{}\n", table.bin_type);
    line(table.histogram_columns, [](const std::string& name) { return name; });
    for (const auto& values : table.histogram)
      line(values, [](const MetricValue& value) { return text_of(value); });
  }
  return out + "\n";
}

Json metrics_json(const std::vector<MetricTable>& tables) {
  Json out = Json::object();
  for (const MetricTable& table : tables) {
    if (table.group.empty()) continue;
    if (table.rows.size() == 1) {
      out[table.group] = json_of(table.rows.front());
      continue;
    }
    out[table.group] = Json::array();
    for (const MetricRow& row : table.rows) out[table.group].push_back(json_of(row));
  }
  return out;
}

std::vector<std::pair<std::uint64_t, double>> quality_by_cycle(const QualitySums& sums) {
  std::vector<std::pair<std::uint64_t, double>> out;
  for (std::size_t m = 0; m < 2; ++m) {
    const std::size_t before = m == 0 ? 0 : sums.sum_by_cycle[0].size();
    for (std::size_t c = 0; c < sums.sum_by_cycle[m].size(); ++c)
      out.emplace_back(before + c + 1,
                       share_of(sums.sum_by_cycle[m][c], sums.count_by_cycle[m][c]));
  }
  return out;
}

Histogram depths_of(const MetricsResult& result) {
  Histogram out = result.coverage.depth;
  out.add(0, result.territory - std::min(result.territory, out.count()));
  return out;
}

double normalized_coverage(const MetricsResult& result, std::size_t percent) {
  return quotient(share_of(result.reads.gc().reads[percent], result.gc_windows[percent]),
                  reads_a_window(result));
}

std::optional<std::uint64_t> library_size(std::uint64_t pairs, std::uint64_t unique) {
  if (pairs == 0 || unique == 0 || unique >= pairs) return std::nullopt;
  const auto n = static_cast<double>(pairs), c = static_cast<double>(unique);
  const auto excess = [&](double x) { return c / x - 1 + std::exp(-n / x); };
  double low = c, high = 2 * c;
  while (excess(high) > 0) high *= 2;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (excess(middle) > 0 ? low : high) = middle;
  }
  return static_cast<std::uint64_t>(low);
}

}  // namespace aceso::genomics
