#include "vcf_writer.hpp"

#include "call_figures.hpp"
#include "genotype_order.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/process.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace aceso::genomics {
namespace {

constexpr std::string_view kFilterPass = "##FILTER=<ID=PASS,Description=\"All filters passed\">\n";
constexpr std::string_view kFilterLines =
    "##FILTER=<ID=LowQual,Description=\"The quality is below {:g}\">\n"
    "##FILTER=<ID=StrandBias,Description=\"FS is above {:g}\">\n";
constexpr std::string_view kScoreLine =
    "##INFO=<ID=SCORE,Number=1,Type=Float,Description=\"Phred of the chance that the call is "
    "wrong, "
    "by the learnt filter\">\n";
constexpr std::string_view kNetLine =
    "##INFO=<ID=NET,Number=1,Type=Float,Description=\"What the net added to the log odds that the "
    "call is right; given where the trees were not sure\">\n";
constexpr std::string_view kFormatLines =
    "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
    "##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"Reads that speak for each allele\">\n"
    "##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"Reads looked at\">\n"
    "##FORMAT=<ID=GQ,Number=1,Type=Integer,Description=\"Phred of the chance that the genotype is "
    "wrong\">\n"
    "##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"Phred-scaled genotype likelihoods\">\n"
    "##FORMAT=<ID=PS,Number=1,Type=Integer,Description=\"Phase set: position of its first "
    "call\">\n";

constexpr std::string_view kBlockHeadLines =
    "##ALT=<ID=NON_REF,Description=\"Any allele that is not named here\">\n"
    "##INFO=<ID=END,Number=1,Type=Integer,Description=\"Last position of a block\">\n"
    "##FORMAT=<ID=MIN_DP,Number=1,Type=Integer,Description=\"Least depth in a block\">\n";

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
  return fmt::format("{}", fmt::join(call.genotype, call.phase_set != 0 ? "|" : "/"));
}

bool is_indel(const VariantCall& call) {
  return call.reference.size() != call.alternatives.front().size();
}

/// The filters of a call. What was scored is judged by its score alone.
std::string filter_text(const VariantCall& call, const CallFigures& figures,
                        const std::optional<double>& score, const VcfOptions& options) {
  if (score) return options.limits().pass(*score, is_indel(call)) ? "PASS" : "LowScore";
  std::string out;
  if (call.quality < options.pass_quality) out = "LowQual";
  if (figures.strand_bias > options.most_strand_bias)
    out += out.empty() ? "StrandBias" : ";StrandBias";
  return out.empty() ? "PASS" : out;
}

std::string info_text(const VariantCall& call, const CallFigures& figures,
                      const std::optional<double>& score) {
  std::string out;
  for (const InfoField& field : info_fields())
    out += fmt::format("{}{}={}", out.empty() ? "" : ";", field.name, field.text(figures));
  if (score) out += fmt::format(";SCORE={:.2f}", *score);
  if (call.net_correction) out += fmt::format(";NET={:.2f}", *call.net_correction + 0.0);
  return out;
}

CalledLine line_of(const Reference& reference, const VariantCall& call, const VcfOptions& options) {
  const Place place = reference.place(call.position);
  const auto number = [](double v) { return std::to_string(std::lround(v)); };
  const bool phased = call.phase_set != 0;
  const CallFigures figures = figures_of(call);
  // (A gVCF also tells of alleles that are not called: there is nothing to pass.)
  const bool called = std::ranges::any_of(call.genotype, [](int allele) { return allele > 0; });
  std::optional<double> score;
  // (The filter learnt from genomes of two copies: shares of reads mean something else in others.)
  if (called && options.model && call.ploidy() <= 2)
    score = score_of_log_odds(options.model->log_odds(features_of(call, figures)) +
                              call.net_correction.value_or(0));
  CalledLine out;
  const std::string filter = called ? filter_text(call, figures, score, options) : ".";
  out.passed = filter == "PASS";
  out.text = fmt::format(
      "{}\t{}\t.\t{}\t{}\t{}\t{}\t{}\tGT:AD:DP:GQ:PL{}\t{}:{}:{}:{}:{}",
      reference.contigs()[place.contig].name, place.position + 1, call.reference,
      joined(call.alternatives, [](const std::string& a) { return a; }), quality_text(call.quality),
      filter, info_text(call, figures, score), phased ? ":PS" : "", genotype_text(call),
      joined(call.depths, [](std::uint32_t d) { return std::to_string(d); }), call.depth,
      number(call.genotype_quality), joined(call.likelihoods, number));
  if (phased) out.text += fmt::format(":{}", reference.place(call.phase_set).position + 1);
  out.text += "\n";
  return out;
}

/// What the reads say of a genotype that has an allele no read is known of in `missing` of its
/// copies, phred. The others are `known`: it is as if one of them had these copies as well, but its
/// reads came from fewer copies; with none left all that the known alleles explain is errors.
double unknown_cost(const VariantCall& call, std::span<const int> known, std::size_t missing) {
  constexpr double kError = 30;
  double least = std::numeric_limits<double>::infinity();
  for (int a = 0; a < static_cast<int>(call.depths.size()); ++a) {
    const auto copies = static_cast<double>(std::ranges::count(known, a));
    if (copies == 0 && !known.empty()) continue;
    std::vector<int> filled(known.begin(), known.end());
    filled.insert(filled.end(), missing, a);
    std::ranges::sort(filled);
    const double each =
        known.empty() ? kError : 10 * std::log10((copies + static_cast<double>(missing)) / copies);
    least = std::min(least, call.likelihoods[genotype_place(std::span<const int>(filled))] +
                                each * call.depths[static_cast<std::size_t>(a)]);
  }
  return least;
}

/// A call with one allele more, of which no read is known.
VariantCall with_any_other(const VariantCall& call) {
  VariantCall out = call;
  out.alternatives.emplace_back("<NON_REF>");
  out.depths.push_back(0);
  const auto other = static_cast<int>(call.depths.size());
  // In VCF's order all genotypes with the last allele come behind those without it.
  std::vector<int> genotype(call.genotype.size(), 0);
  do {
    if (genotype.back() < other) continue;
    const auto known = std::ranges::find(genotype, other);
    out.likelihoods.push_back(unknown_cost(call, {genotype.begin(), known},
                                           static_cast<std::size_t>(genotype.end() - known)));
  } while (next_genotype(std::span(genotype), call.depths.size() + 1));
  return out;
}

/// PL of a block by the copies of another allele: one as the block's quality tells, all as errors,
/// and those between by what each read loses.
std::string block_likelihoods(const ReferenceBlock& block) {
  const auto copies = static_cast<double>(block.ploidy);
  std::string out = "0";
  for (int k = 1; k <= block.ploidy; ++k) {
    double times = 1;  // the cost of one copy
    if (block.ploidy > 1) {
      const double one = std::log10(copies / (copies - 1));
      times =
          k < block.ploidy ? std::log10(copies / (copies - k)) / one : 10 * std::log10(2.0) / one;
    }
    out += fmt::format(",{}", std::lround(times * block.quality));
  }
  return out;
}

std::string block_line(const Reference& reference, const ReferenceBlock& block) {
  const Place place = reference.place(block.begin);
  const std::uint32_t last = place.position + (block.end - block.begin);
  const std::vector<int> genotype(static_cast<std::size_t>(block.ploidy), 0);
  return fmt::format("{}\t{}\t.\t{}\t<NON_REF>\t.\t.\tEND={}\tGT:DP:GQ:MIN_DP:PL\t{}:{}:{}:{}:{}\n",
                     reference.contigs()[place.contig].name, place.position + 1,
                     base_of_code(reference.codes()[block.begin]), last, fmt::join(genotype, "/"),
                     block.median_depth, block.quality, block.least_depth,
                     block_likelihoods(block));
}

std::string head_of(const Reference& reference, const VcfOptions& options) {
  std::string out = fmt::format("##fileformat=VCFv4.2\n##source=aceso {}\n", version());
  out += kFilterPass;
  if (options.model) out += options.limits().filter_line();
  if (!options.model || options.polyploid)
    out += fmt::format(fmt::runtime(kFilterLines), options.pass_quality, options.most_strand_bias);
  for (const InfoField& field : info_fields()) out += field.header_line();
  if (options.model) out += kScoreLine;
  if (options.net) out += kNetLine;
  out += kFormatLines;
  if (options.blocks) out += kBlockHeadLines;
  for (const Contig& contig : reference.contigs())
    out += fmt::format("##contig=<ID={},length={}>\n", contig.name, contig.length);
  return out + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + options.sample + "\n";
}

}  // namespace

std::vector<CalledLine> vcf_lines(const Reference& reference, const std::vector<VariantCall>& calls,
                                  const VcfOptions& options) {
  std::vector<CalledLine> out;
  for (const VariantCall& call : calls) out.push_back(line_of(reference, call, options));
  return out;
}

std::string gvcf_lines(const Reference& reference, const std::vector<VariantCall>& calls,
                       const std::vector<ReferenceBlock>& blocks, const VcfOptions& options) {
  std::string out;
  auto block = blocks.begin();
  for (const VariantCall& call : calls) {
    for (; block != blocks.end() && block->begin < call.position; ++block)
      out += block_line(reference, *block);
    out += line_of(reference, with_any_other(call), options).text;
  }
  for (; block != blocks.end(); ++block) out += block_line(reference, *block);
  return out;
}

void check_vcf_name(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  if (!name.ends_with(".vcf.gz") && !name.ends_with(".vcf"))
    fail(Errc::InvalidArgument, "{}: expected a name that ends in .vcf or .vcf.gz", path.string());
}

VcfWriter::VcfWriter(const std::filesystem::path& path, const Reference& reference,
                     const VcfOptions& options)
    : file_(path) {
  check_vcf_name(path);
  for (const Contig& contig : reference.contigs())
    longest_contig_ = std::max<std::uint64_t>(longest_contig_, contig.length);
  file_.write(head_of(reference, options));
}

void VcfWriter::commit() { file_.commit(longest_contig_); }

}  // namespace aceso::genomics
