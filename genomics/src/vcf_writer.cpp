#include "vcf_writer.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace aceso::genomics {
namespace {

constexpr std::string_view kHeadLines =
    "##FILTER=<ID=PASS,Description=\"All filters passed\">\n"
    "##FILTER=<ID=LowQual,Description=\"The quality is below {:g}\">\n"
    "##FILTER=<ID=StrandBias,Description=\"FS is above {:g}\">\n"
    "##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Reads looked at\">\n"
    "##INFO=<ID=MQ,Number=1,Type=Float,Description=\"Root mean square of their mapping "
    "qualities\">\n"
    "##INFO=<ID=FS,Number=1,Type=Float,Description=\"Phred of the p-value of Fisher's exact test "
    "for strand bias\">\n"
    "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
    "##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"Reads that speak for each allele\">\n"
    "##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"Reads looked at\">\n"
    "##FORMAT=<ID=GQ,Number=1,Type=Integer,Description=\"Phred of the chance that the genotype is "
    "wrong\">\n"
    "##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"Phred-scaled genotype likelihoods\">\n"
    "##FORMAT=<ID=PS,Number=1,Type=Integer,Description=\"Phase set: position of its first "
    "call\">\n";

double log_factorial(std::uint32_t n) { return std::lgamma(n + 1.0); }

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

template <typename Values, typename Format>
std::string joined(const Values& values, const Format& format) {
  std::string out;
  for (const auto& value : values) {
    if (!out.empty()) out += ',';
    out += format(value);
  }
  return out;
}

std::string genotype_text(const VariantCall& call) {
  if (call.ploidy == 1) return std::to_string(call.genotype[0]);
  return fmt::format("{}{}{}", call.genotype[0], call.phase_set != 0 ? '|' : '/', call.genotype[1]);
}

std::string filter_text(const VariantCall& call, double bias, const VcfOptions& options) {
  std::string out;
  if (call.quality < options.pass_quality) out = "LowQual";
  if (bias > options.most_strand_bias) out += out.empty() ? "StrandBias" : ";StrandBias";
  return out.empty() ? "PASS" : out;
}

std::string line_of(const Reference& reference, const VariantCall& call,
                    const VcfOptions& options) {
  const Place place = reference.place(call.position);
  const auto number = [](double v) { return std::to_string(std::lround(v)); };
  const bool phased = call.phase_set != 0;
  const double bias = strand_bias(call.strands);
  std::string line = fmt::format(
      "{}\t{}\t.\t{}\t{}\t{:.2f}\t{}\tDP={};MQ={:.2f};FS={:.2f}\tGT:AD:DP:GQ:PL{}\t{}:{}:{}:{}:{}",
      reference.contigs()[place.contig].name, place.position + 1, call.reference,
      joined(call.alternatives, [](const std::string& a) { return a; }), call.quality,
      filter_text(call, bias, options), call.depth, call.mapping_quality, bias, phased ? ":PS" : "",
      genotype_text(call), joined(call.depths, [](std::uint32_t d) { return std::to_string(d); }),
      call.depth, number(call.genotype_quality), joined(call.likelihoods, number));
  if (phased) line += fmt::format(":{}", reference.place(call.phase_set).position + 1);
  return line + "\n";
}

std::string head_of(const Reference& reference, const VcfOptions& options) {
  std::string out = fmt::format("##fileformat=VCFv4.2\n##source=aceso {}\n", version());
  out += fmt::format(fmt::runtime(kHeadLines), options.pass_quality, options.most_strand_bias);
  for (const Contig& contig : reference.contigs())
    out += fmt::format("##contig=<ID={},length={}>\n", contig.name, contig.length);
  return out + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + options.sample + "\n";
}

}  // namespace

std::string vcf_lines(const Reference& reference, const std::vector<VariantCall>& calls,
                      const VcfOptions& options) {
  std::string out;
  for (const VariantCall& call : calls) out += line_of(reference, call, options);
  return out;
}

VcfWriter::VcfWriter(const std::filesystem::path& path, const Reference& reference,
                     const VcfOptions& options)
    : file_(path) {
  const std::string name = path.filename().string();
  if (!name.ends_with(".vcf.gz") && !name.ends_with(".vcf"))
    fail(Errc::InvalidArgument, "{}: expected a name that ends in .vcf or .vcf.gz", path.string());
  for (const Contig& contig : reference.contigs())
    longest_contig_ = std::max<std::uint64_t>(longest_contig_, contig.length);
  file_.write(head_of(reference, options));
}

void VcfWriter::commit() { file_.commit(longest_contig_); }

}  // namespace aceso::genomics
