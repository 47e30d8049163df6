#include "call_plots.hpp"
#include "genome_testing.hpp"
#include "record_figures.hpp"

namespace aceso::genomics {
namespace {

/// The plot of that title in the report's only section.
Json plot_of(const app::Report& report, const std::string& title) {
  for (const Json& block : report.sections().at(0)["blocks"]) {
    if (block.value("title", "") == title) return block;
  }
  ADD_FAILURE() << title;
  return Json::object();
}

VariantCall call_of(const std::string& reference, const std::string& other, double quality,
                    std::vector<std::uint32_t> depths, std::vector<int> genotype) {
  VariantCall call;
  call.reference = reference;
  call.alternatives = {other};
  call.quality = quality;
  call.depth = depths[0] + depths[1];
  call.depths = std::move(depths);
  call.genotype = std::move(genotype);
  return call;
}

double sum_of(const Json& plot) {
  double out = 0;
  for (const Json& value : plot["series"][0]["values"]) out += value.get<double>();
  return out;
}

TEST(CallPlots, CountWhatPassed) {
  CallPlots one, two;
  one.add(call_of("A", "G", 100, {10, 10}, {0, 1}), true);
  one.add(call_of("A", "G", 5, {10, 10}, {0, 1}), false);  // only among the qualities
  two.add(call_of("A", "ACCC", 100, {5, 15}, {0, 1}), true);
  two.add(call_of("ATT", "A", 2000, {0, 30}, {1, 1}), true);
  one.merge(two);
  app::Report report;
  report.section("Variants");
  one.report(report);
  EXPECT_EQ(sum_of(plot_of(report, "Calls by quality")), 4);
  EXPECT_EQ(sum_of(plot_of(report, "Calls by depth")), 3);
  EXPECT_EQ(sum_of(plot_of(report, "Heterozygous calls by share of reads")), 2);
  const Json lengths = plot_of(report, "Insertions and deletions by length");
  EXPECT_EQ(lengths["series"][0]["values"][50 + 3], 1);
  EXPECT_EQ(lengths["series"][0]["values"][50 - 2], 1);
  const Json bases = plot_of(report, "Single-base variants by substitution");
  EXPECT_EQ(bases["x_names"][1], "A>G");
  EXPECT_EQ(bases["series"][0]["values"][1], 1);
  EXPECT_EQ(sum_of(bases), 1);
}

TEST(CallPlots, AreNoneWithoutCalls) {
  app::Report report;
  report.section("Variants");
  CallPlots().report(report);
  EXPECT_TRUE(report.sections().at(0)["blocks"].empty());
}

}  // namespace
}  // namespace aceso::genomics
