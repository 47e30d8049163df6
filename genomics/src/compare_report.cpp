#include "compare_report.hpp"

#include "report_figures.hpp"

#include "compare_lines.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace aceso::genomics {
namespace {

using app::Cell;
constexpr std::size_t kPlotPoints = 500, kTablePoints = 10'000;
constexpr std::array kClasses{VariantClass::Snp, VariantClass::Indel};
constexpr std::array<std::string_view, 2> kClassLabels{"SNP", "indel"};

Cell cell(std::optional<double> value) { return value ? Cell(*value) : Cell(); }
Json json(std::optional<double> value) { return value ? Json(*value) : Json(); }

std::string_view label(VariantClass c) { return kClassLabels[static_cast<std::size_t>(c)]; }

Json json(const VariantTally& t) {
  return {{"tp", t.tp},
          {"fp", t.fp},
          {"fn", t.fn},
          {"query_tp", t.query_tp},
          {"truth_total", t.tp + t.fn},
          {"query_total", t.query_tp + t.fp},
          {"precision", json(t.precision())},
          {"recall", json(t.recall())},
          {"f1", json(t.f1())},
          {"fp_gt", t.fp_gt},
          {"fp_al", t.fp_al}};
}

std::vector<Cell> row(std::string name, const VariantTally& t) {
  return {std::move(name),     whole(t.tp + t.fn), whole(t.tp),    whole(t.fn),
          whole(t.query_tp),   whole(t.fp),        whole(t.fp_gt), whole(t.fp_al),
          cell(t.precision()), cell(t.recall()),   cell(t.f1())};
}

std::vector<app::Column> tally_columns() {
  return {{""},
          {"truth"},
          {"found (TP)"},
          {"missed (FN)"},
          {"right calls"},
          {"false calls (FP)"},
          {"of them wrong genotype"},
          {"of them wrong allele"},
          {"precision"},
          {"recall"},
          {"F1"}};
}

Json best_json(const std::vector<RocPoint>& points) {
  const auto best = best_point(points);
  if (!best) return {};
  Json out = json(best->tally);
  out.erase("fp_gt");
  out.erase("fp_al");
  out["threshold"] = best->threshold;
  return out;
}

void add_metrics(const CompareCounts& counts, app::RunContext& context) {
  for (const VariantClass c : kClasses) {
    Json members = json(counts.of(c));
    for (std::size_t z = 0; z < kZygosityNames.size(); ++z)
      members["genotypes"][std::string(kZygosityNames[z])] =
          json(counts.of(c, static_cast<Zygosity>(z)));
    for (std::size_t s = 0; s < kSubtypeNames.size(); ++s) {
      const bool of_snp = s <= static_cast<std::size_t>(Subtype::Tv);
      if (of_snp == (c == VariantClass::Snp))
        members["subtypes"][std::string(kSubtypeNames[s])] =
            json(counts.of(static_cast<Subtype>(s)));
    }
    members["best_f1"] = best_json(counts.roc(c));
    context.metric(kClassNames[static_cast<std::size_t>(c)], std::move(members));
  }
  const VariantTally &ti = counts.of(Subtype::Ti), &tv = counts.of(Subtype::Tv);
  context.metric("ti_tv.truth", ratio(ti.tp + ti.fn, tv.tp + tv.fn));
  context.metric("ti_tv.calls", ratio(ti.query_tp + ti.fp, tv.query_tp + tv.fp));
  context.metric("superloci.total", counts.superloci);
  context.metric("superloci.too_complex", counts.superloci_too_complex);
  context.metric("outside_regions.truth", counts.outside_truth);
  context.metric("outside_regions.calls", counts.outside_calls);
}

void add_tallies(const CompareCounts& counts, app::Report& report) {
  report.section("Comparison",
                 "Variants of the truth that were found, and calls that are right: those whose "
                 "genotypes give the same haplotypes, however they are written.");
  std::vector<std::vector<Cell>> rows, kinds, zygosities;
  for (const VariantClass c : kClasses) {
    const VariantTally& tally = counts.of(c);
    report.figure(fmt::format("{} F1", label(c)), cell(tally.f1()));
    report.figure(fmt::format("{} found", label(c)), whole(tally.tp));
    report.figure(fmt::format("{} missed", label(c)), whole(tally.fn));
    report.figure(fmt::format("{} false", label(c)), whole(tally.fp));
    rows.push_back(row(std::string(label(c)), tally));
    for (std::size_t z = 0; z < kZygosityNames.size(); ++z)
      zygosities.push_back(row(fmt::format("{} {}", label(c), kZygosityNames[z]),
                               counts.of(c, static_cast<Zygosity>(z))));
  }
  for (std::size_t s = 0; s < kSubtypeNames.size(); ++s)
    kinds.push_back(row(std::string(kSubtypeNames[s]), counts.of(static_cast<Subtype>(s))));
  report.table("Variants", tally_columns(), std::move(rows));
  report.table("By kind", tally_columns(), std::move(kinds));
  report.table("By genotype", tally_columns(), std::move(zygosities));
}

/// At most `count` points spread evenly, the ends among them.
std::vector<RocPoint> thinned(const std::vector<RocPoint>& points, std::size_t count) {
  if (points.size() <= count) return points;
  std::vector<RocPoint> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(points[i * (points.size() - 1) / (count - 1)]);
  return out;
}

void add_curve(VariantClass c, const std::vector<RocPoint>& points, app::Report& report) {
  if (points.empty()) return;
  app::Plot plot{.title = fmt::format("{}s by score", label(c)),
                 .type = app::Plot::Type::Line,
                 .x_label = "false calls",
                 .y_label = "found",
                 .x = {},
                 .x_names = {},
                 .series = {{"found", {}}},
                 .note = "From the calls of highest score (left) to all of them."};
  for (const RocPoint& point : thinned(points, kPlotPoints)) {
    const auto x = static_cast<double>(point.tally.fp);
    const auto y = static_cast<double>(point.tally.tp);
    if (!plot.x.empty() && plot.x.back() == x) {
      plot.series[0].values.back() = y;
      continue;
    }
    plot.x.push_back(x);
    plot.series[0].values.push_back(y);
  }
  if (plot.x.size() > 1) report.plot(std::move(plot));
  std::vector<std::vector<Cell>> rows;
  const auto add_row = [&](const RocPoint& p) {
    rows.push_back({p.threshold < 0 ? Cell("none") : Cell(p.threshold), whole(p.tally.tp),
                    whole(p.tally.fn), whole(p.tally.fp), cell(p.tally.precision()),
                    cell(p.tally.recall()), cell(p.tally.f1())});
  };
  for (const RocPoint& point : thinned(points, 20)) add_row(point);
  report.table(fmt::format("{}s at least this score", label(c)),
               {{"score"}, {"TP"}, {"FN"}, {"FP"}, {"precision"}, {"recall"}, {"F1"}},
               std::move(rows));
  const auto best = best_point(points);
  report.figure(fmt::format("{} best F1", label(c)), cell(best->tally.f1()));
  report.figure(fmt::format("{} at score", label(c)),
                best->threshold < 0 ? Cell("none") : Cell(best->threshold));
}

void add_errors(const CompareResult& result, app::Report& report) {
  if (result.first_errors.empty()) return;
  const std::uint64_t all =
      result.counts.of(VariantClass::Snp).fp + result.counts.of(VariantClass::Snp).fn +
      result.counts.of(VariantClass::Indel).fp + result.counts.of(VariantClass::Indel).fn;
  report.section("Errors", fmt::format("The first {} of {} false calls (FP) and missed variants "
                                       "(FN); the output errors has all of them.",
                                       result.first_errors.size(), all));
  std::vector<std::vector<Cell>> rows;
  for (const CompareError& e : result.first_errors)
    rows.push_back({std::string(e.is_truth ? "FN" : "FP"), e.contig,
                    static_cast<std::int64_t>(e.position), e.reference.substr(0, 40),
                    e.alternatives.substr(0, 40), e.genotype,
                    std::string(name_of(e.judgement.nearness)),
                    e.is_truth || e.judgement.score < 0 ? Cell() : Cell(e.judgement.score)});
  report.table("False and missed",
               {{""},
                {"contig"},
                {"position"},
                {"reference"},
                {"alternatives"},
                {"genotype"},
                {"differs in"},
                {"score"}},
               std::move(rows));
}

void add_left_out(const CompareResult& result, app::RunContext& context) {
  struct Reason {
    const char *name, *words;
    std::uint64_t LeftOut::* member;
  };
  static constexpr Reason kReasons[] = {
      {"filtered", "FILTER is neither PASS nor '.'", &LeftOut::filtered},
      {"low_quality", "QUAL below the least asked for", &LeftOut::low_quality},
      {"reference_genotype", "the genotype is the reference's", &LeftOut::reference_genotype},
      {"no_genotype", "no genotype", &LeftOut::no_genotype},
      {"symbolic", "alleles not spelled out in bases", &LeftOut::symbolic},
      {"polyploid", "more than eight alleles in the genotype", &LeftOut::polyploid},
      {"no_place", "on no base of the contig", &LeftOut::no_place},
      {"other_contig", "on contigs that the reference lacks", &LeftOut::other_contig}};
  std::vector<std::vector<Cell>> rows;
  for (const Reason& reason : kReasons) {
    const std::uint64_t truth = result.left_out_truth.*reason.member;
    const std::uint64_t calls = result.left_out_calls.*reason.member;
    context.metric(fmt::format("left_out.truth.{}", reason.name), truth);
    context.metric(fmt::format("left_out.calls.{}", reason.name), calls);
    rows.push_back({std::string(reason.words), whole(truth), whole(calls)});
  }
  context.report.section("What was compared",
                         fmt::format("Sample {} of the truth, sample {} of the calls.",
                                     result.truth_sample, result.sample));
  context.report.figure("bases in regions", whole(result.region_bases));
  context.report.figure("truth outside", whole(result.counts.outside_truth));
  context.report.figure("calls outside", whole(result.counts.outside_calls));
  context.report.table("Records left out", {{""}, {"truth"}, {"calls"}}, std::move(rows));
}

}  // namespace

void report_compare(const CompareResult& result, app::RunContext& context) {
  add_metrics(result.counts, context);
  context.metric("regions.bases", result.region_bases);
  add_tallies(result.counts, context.report);
  context.report.section("Scores", "What the score of a call is worth.");
  for (const VariantClass c : kClasses) add_curve(c, result.counts.roc(c), context.report);
  add_errors(result, context.report);
  add_left_out(result, context);
}

std::string roc_table(const CompareCounts& counts) {
  std::string out = "type\tscore\ttp\tfn\tquery_tp\tfp\tprecision\trecall\tf1\n";
  for (const VariantClass c : kClasses) {
    for (const RocPoint& p : thinned(counts.roc(c), kTablePoints))
      out += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{:.6f}\t{:.6f}\t{:.6f}\n",
                         kClassNames[static_cast<std::size_t>(c)],
                         p.threshold < 0 ? "." : fmt::format("{:g}", p.threshold), p.tally.tp,
                         p.tally.fn, p.tally.query_tp, p.tally.fp, p.tally.precision().value_or(0),
                         p.tally.recall().value_or(0), p.tally.f1().value_or(0));
  }
  return out;
}

}  // namespace aceso::genomics
