#include "align_report.hpp"

#include "metric_tables.hpp"
#include "report_figures.hpp"

#include <nlohmann/json.hpp>

namespace aceso::genomics {
namespace {

/// Figures of Picard's DuplicationMetrics.
void report_duplicates(const DuplicateCounts& d, app::RunContext& context) {
  context.metric("duplicates.pairs_examined", d.pairs);
  context.metric("duplicates.pairs", d.pair_duplicates);
  context.metric("duplicates.optical_pairs", d.optical_pairs);
  context.metric("duplicates.unpaired_examined", d.unpaired);
  context.metric("duplicates.unpaired", d.unpaired_duplicates);
  std::vector<std::vector<app::Cell>> rows{
      {"pairs looked at", whole(d.pairs), 100.0},
      {"duplicate pairs", whole(d.pair_duplicates), percent(d.pair_duplicates, d.pairs)},
      {"optical ones among them", whole(d.optical_pairs), percent(d.optical_pairs, d.pairs)}};
  if (const auto size = library_size(d.pairs - d.optical_pairs, d.pairs - d.pair_duplicates)) {
    context.metric("duplicates.estimated_library_size", *size);
    rows.push_back({"molecules in the library (estimate)", whole(*size), std::monostate()});
  }
  context.report.table("Duplicate pairs", {{""}, {"pairs"}, {"of all pairs", "%"}},
                       std::move(rows));
}

}  // namespace

void report_alignment(const AlignFigures& figures, app::RunContext& context) {
  const AlignCounts& c = figures.counts;
  context.metric("reads.total", c.reads);
  context.metric("reads.mapped", c.mapped);
  context.metric("reads.properly_paired", c.proper);
  context.metric("reads.duplicates", figures.duplicates);
  context.metric("reads.mapping_quality_20", c.confident);
  context.metric("reads.supplementary", c.supplementary);
  context.metric("bases.total", c.bases);
  context.metric("insert_size.mean", figures.model.mean);
  context.metric("insert_size.standard_deviation", figures.model.deviation);
  context.metric("spilled_bytes", figures.spilled_bytes);

  app::Report& report = context.report;
  report.section("Alignment", "How many reads found their place.");
  report.figure("reads mapped", percent(c.mapped, c.reads), "%");
  if (c.pairs > 0) report.figure("properly paired", percent(c.proper, c.reads), "%");
  report.figure("duplicates", percent(figures.duplicates, c.mapped), "%");
  std::vector<std::vector<app::Cell>> rows{
      {"reads", whole(c.reads), 100.0},
      {"mapped", whole(c.mapped), percent(c.mapped, c.reads)},
      {"mapping quality 20 or better", whole(c.confident), percent(c.confident, c.reads)},
      {"duplicates", whole(figures.duplicates), percent(figures.duplicates, c.reads)},
      {"supplementary records of split reads", whole(c.supplementary),
       percent(c.supplementary, c.reads)}};
  if (c.secondary > 0) {
    context.metric("reads.secondary", c.secondary);
    rows.push_back(
        {"secondary records of other places", whole(c.secondary), percent(c.secondary, c.reads)});
  }
  if (c.pairs > 0) {
    rows.push_back({"properly paired", whole(c.proper), percent(c.proper, c.reads)});
    rows.push_back(
        {"mapped without their mate", whole(c.singletons), percent(c.singletons, c.reads)});
    report.figure("mean fragment", figures.model.mean, "bases");
  }
  report.table("Reads", {{""}, {"reads"}, {"of all reads", "%"}}, std::move(rows));
  if (figures.duplicate_counts && figures.duplicate_counts->pairs > 0)
    report_duplicates(*figures.duplicate_counts, context);
}

}  // namespace aceso::genomics
