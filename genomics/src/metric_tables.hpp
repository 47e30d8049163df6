// Metrics under Picard's names, as Picard's text files and as JSON.
#pragma once

#include "metrics_job.hpp"

#include "aceso/core/json.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace aceso::genomics {

/// Nothing is written as an empty field.
using MetricValue = std::variant<std::monostate, std::uint64_t, double, std::string>;
using MetricRow = std::vector<std::pair<std::string, MetricValue>>;

/// One file of Picard's.
struct MetricTable {
  std::string file_name;      ///< e.g. wgs_metrics.txt
  std::string group;          ///< its name in JSON, e.g. coverage
  std::string program;        ///< e.g. CollectWgsMetrics
  std::string metrics_class;  ///< e.g. picard.analysis.WgsMetrics; empty: a histogram only
  std::vector<MetricRow> rows;
  std::string bin_type = "java.lang.Integer";
  std::vector<std::string> histogram_columns;  ///< empty: no histogram
  std::vector<std::vector<MetricValue>> histogram;

  /// The value of a field of the first row, 0 if there is none.
  [[nodiscard]] double number(const std::string& name) const;
};

/// Definitions are those of Picard 2.27; fields that need what a sorted file does not tell are left
/// empty (ESTIMATED_LIBRARY_SIZE without duplicates). Optical duplicates are those with DT:Z:SQ.
[[nodiscard]] std::vector<MetricTable> metric_tables(const MetricsResult& result);

[[nodiscard]] std::string picard_text(const MetricTable& table, const std::string& input);

/// By group: the row, or a list of rows where there are several.
[[nodiscard]] Json metrics_json(const std::vector<MetricTable>& tables);

/// (cycle, mean quality) with the second mates' cycles behind the first ones'.
[[nodiscard]] std::vector<std::pair<std::uint64_t, double>> quality_by_cycle(
    const QualitySums& sums);

/// Depths of the whole territory, places without depth included.
[[nodiscard]] Histogram depths_of(const MetricsResult& result);

/// Reads at windows of a percentage of G and C beside what would be there without bias: 1 is even.
[[nodiscard]] double normalized_coverage(const MetricsResult& result, std::size_t percent);

/// The molecules of a library of which `unique` of `pairs` are different, by Lander and Waterman's
/// equation unique / x = 1 - exp(-pairs / x); nothing if all are.
[[nodiscard]] std::optional<std::uint64_t> library_size(std::uint64_t pairs, std::uint64_t unique);

}  // namespace aceso::genomics
