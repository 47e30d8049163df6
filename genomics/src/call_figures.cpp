#include "call_figures.hpp"

#include <fmt/format.h>
#include <math.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace aceso::genomics {
namespace {

double log_factorial(std::uint32_t n) {
  int sign = 0;  // (std::lgamma keeps it in a variable that all threads share)
  return ::lgamma_r(n + 1.0, &sign);
}

/// Phred of Fisher's exact test, two-sided, of a 2 x 2 table.
double strand_bias(const std::array<std::uint32_t, 4>& t) {
  const std::uint32_t row = t[0] + t[1], other = t[2] + t[3], column = t[0] + t[2];
  const std::uint32_t all = row + other;
  if (row == 0 || other == 0) return 0;
  const double fixed = log_factorial(row) + log_factorial(other) + log_factorial(column) +
                       log_factorial(all - column) - log_factorial(all);
  const auto chance = [&](std::uint32_t a) {
    return std::exp(fixed - log_factorial(a) - log_factorial(row - a) - log_factorial(column - a) -
                    log_factorial(other + a - column));
  };
  const double seen = chance(t[0]);
  double sum = 0;
  for (std::uint32_t a = column > other ? column - other : 0; a <= std::min(row, column); ++a) {
    if (const double p = chance(a); p <= seen * 1.000001) sum += p;
  }
  return std::max(0.0, -10 * std::log10(std::min(1.0, std::max(sum, 1e-300))));
}

/// Natural logarithm of R + 1/R with R the odds ratio of strand and allele, one read added to each
/// count, made symmetric by the ratios of strands within each allele (GATK's StrandOddsRatio).
double strand_odds(const std::array<std::uint32_t, 4>& t) {
  const double rf = t[0] + 1.0, rr = t[1] + 1.0, af = t[2] + 1.0, ar = t[3] + 1.0;
  const double ratio = rf * ar / (af * rr);
  const double of_reference = std::min(rf, rr) / std::max(rf, rr);
  const double of_alternative = std::min(af, ar) / std::max(af, ar);
  return std::log(ratio + 1 / ratio) + std::log(of_reference) - std::log(of_alternative);
}

/// The number that a text reads as.
float parsed(std::string_view text) {
  double out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return static_cast<float>(out);
}

constexpr std::array kFields = {
    InfoField{"DP", "Integer", "Reads looked at", 0, [](const CallFigures& f) { return f.depth; }},
    InfoField{"MQ", "Float", "Root mean square of their mapping qualities", 2,
              [](const CallFigures& f) { return f.mapping_quality; }},
    InfoField{"FS", "Float", "Phred of the p-value of Fisher's exact test for strand bias", 2,
              [](const CallFigures& f) { return f.strand_bias; }},
    InfoField{"SOR", "Float", "Symmetric odds ratio of strand and allele, natural logarithm", 3,
              [](const CallFigures& f) { return f.odds_ratio; }},
    InfoField{"QD", "Float", "Quality by reads that speak for an alternative", 2,
              [](const CallFigures& f) { return f.quality_by_depth; }},
    InfoField{"AB", "Float", "Share of an alternative among the reads that speak clearly", 3,
              [](const CallFigures& f) { return f.evidence.alternative_share; }},
    InfoField{"CLEAR", "Float", "Share of the reads that speak clearly", 3,
              [](const CallFigures& f) { return f.evidence.clear_share; }},
    InfoField{"MARGIN", "Float", "Mean phred by which reads of an alternative prefer it", 2,
              [](const CallFigures& f) { return f.evidence.margin; }},
    InfoField{"CLIPPED", "Float", "Share of clipped reads among those of an alternative", 3,
              [](const CallFigures& f) { return f.evidence.clipped_share; }},
    InfoField{"MQRankSum", "Float", "z of the rank sum of mapping qualities", 3,
              [](const CallFigures& f) { return f.evidence.mapping_quality_rank_sum; }},
    InfoField{"ReadPosRankSum", "Float", "z of the rank sum of distances to the end of the read", 3,
              [](const CallFigures& f) { return f.evidence.read_position_rank_sum; }},
    InfoField{"HRUN", "Integer", "Longest run of one base there", 0,
              [](const CallFigures& f) { return static_cast<double>(f.evidence.homopolymer); }},
    InfoField{"ROOM", "Integer", "Bases over which the indel can be moved", 0,
              [](const CallFigures& f) { return static_cast<double>(f.evidence.room); }},
};

}  // namespace

std::string InfoField::text(const CallFigures& figures) const {
  return fmt::format("{:.{}f}", value(figures) + 0.0, decimals);
}

std::string InfoField::header_line() const {
  return fmt::format("##INFO=<ID={},Number=1,Type={},Description=\"{}\">\n", name, type,
                     description);
}

std::span<const InfoField> info_fields() { return kFields; }

std::string quality_text(double quality) { return fmt::format("{:.2f}", quality); }

CallFigures figures_of(const VariantCall& call) {
  CallFigures out;
  out.depth = call.depth;
  out.mapping_quality = call.mapping_quality;
  out.strand_bias = strand_bias(call.strands);
  out.odds_ratio = strand_odds(call.strands);
  out.quality_by_depth = call.quality / std::max(1U, call.strands[2] + call.strands[3]);
  out.evidence = call.evidence;
  return out;
}

const std::vector<std::string>& feature_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out{"QUAL", "GQ"};
    for (const InfoField& field : kFields) out.emplace_back(field.name);
    out.insert(out.end(), {"LENGTH", "ALLELES", "HET"});
    return out;
  }();
  return names;
}

GenotypeShape shape_of(std::string_view reference, std::span<const std::string> alternatives,
                       std::span<const int> genotype) {
  GenotypeShape out;
  out.alleles = static_cast<double>(alternatives.size());
  const auto called = std::ranges::find_if(genotype, [](int a) { return a > 0; });
  if (called != genotype.end() && static_cast<std::size_t>(*called) <= alternatives.size())
    out.length = static_cast<double>(alternatives[static_cast<std::size_t>(*called) - 1].size()) -
                 static_cast<double>(reference.size());
  out.heterozygous = genotype.size() == 2 && genotype[0] != genotype[1];
  return out;
}

std::vector<float> features_of(const VariantCall& call, const CallFigures& figures) {
  std::vector<float> out{parsed(quality_text(call.quality)),
                         static_cast<float>(std::lround(call.genotype_quality))};
  for (const InfoField& field : kFields) out.push_back(parsed(field.text(figures)));
  // (What a gVCF adds is no alternative of the reads.)
  std::span<const std::string> alternatives(call.alternatives);
  if (!alternatives.empty() && alternatives.back() == "<NON_REF>")
    alternatives = alternatives.first(alternatives.size() - 1);
  const GenotypeShape shape = shape_of(call.reference, alternatives, call.genotype);
  out.push_back(static_cast<float>(shape.length));
  out.push_back(static_cast<float>(shape.alleles));
  out.push_back(shape.heterozygous ? 1 : 0);
  return out;
}

}  // namespace aceso::genomics
