#include "joint_lines.hpp"

#include "genotype_order.hpp"

#include "aceso/core/process.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace aceso::genomics {
namespace {

/// Keeps these alleles of a genotype; `kept` rises and begins with 0.
void keep_alleles(JointGenotype& genotype, const std::vector<std::size_t>& kept) {
  if (!genotype.known) return;
  std::vector<double> likelihoods;
  std::vector<std::size_t> before(genotype.alleles.size());
  for_genotypes(genotype.ploidy(), kept.size(),
                [&](std::size_t, std::span<const std::size_t> numbers) {
                  std::ranges::transform(numbers, before.begin(),
                                         [&](std::size_t number) { return kept[number]; });
                  likelihoods.push_back(
                      genotype.likelihoods[genotype_place(std::span<const std::size_t>(before))]);
                });
  const double least = *std::ranges::min_element(likelihoods);
  for (double& value : likelihoods) value -= least;
  genotype.likelihoods = std::move(likelihoods);
  const auto number = [&](std::size_t allele) {
    return static_cast<std::size_t>(std::ranges::find(kept, allele) - kept.begin());
  };
  std::ranges::transform(genotype.alleles, genotype.alleles.begin(), number);
}

/// Cuts off the end that all alleles share.
void trim_end(std::vector<std::string>& alleles) {
  const auto shares = [&] {
    return std::ranges::all_of(alleles, [&](const std::string& a) {
      return a == "*" || (a.size() > 1 && a.back() == alleles[0].back());
    });
  };
  while (shares()) {
    for (std::string& allele : alleles) {
      if (allele != "*") allele.pop_back();
    }
  }
}

std::string depths_text(const SampleEvidence& evidence, const std::vector<std::size_t>& kept) {
  const GvcfRecord& record = *evidence.record;
  std::vector<std::uint64_t> depths(kept.size(), 0);
  if (record.block && record.depths.empty()) {
    depths[0] = record.depth;
  } else if (record.depths.empty()) {
    return ".";
  }
  for (std::size_t i = 0; i < record.depths.size(); ++i) {
    const auto found = std::ranges::find(kept, evidence.allele_of[i]);
    if (found != kept.end())
      depths[static_cast<std::size_t>(found - kept.begin())] += record.depths[i];
  }
  return fmt::format("{}", fmt::join(depths, ","));
}

/// The genotype in the order of the file's own one, if that has the same alleles and a phase; else
/// nothing.
std::vector<std::size_t> phased_alleles(const JointGenotype& genotype,
                                        const SampleEvidence& evidence,
                                        const std::vector<std::size_t>& kept) {
  const GvcfRecord& record = *evidence.record;
  if (!evidence.own || !record.phased || record.phase_set == 0 || record.genotype.size() < 2 ||
      record.genotype.size() != genotype.alleles.size())
    return {};
  std::vector<std::size_t> out;
  for (const int own : record.genotype) {
    const auto number = static_cast<std::size_t>(own);
    const auto found = number < evidence.allele_of.size()
                           ? std::ranges::find(kept, evidence.allele_of[number])
                           : kept.end();
    out.push_back(static_cast<std::size_t>(found - kept.begin()));
  }
  std::vector<std::size_t> sorted = out;
  std::ranges::sort(sorted);
  if (sorted != genotype.alleles) out.clear();
  return out;
}

std::string sample_text(const JointGenotype& genotype, const SampleEvidence& evidence,
                        const std::vector<std::size_t>& kept, bool any_phased) {
  if (!genotype.known) {
    const std::vector<char> missing(static_cast<std::size_t>(evidence.ploidy), '.');
    return fmt::format("{}", fmt::join(missing, "/"));
  }
  const std::vector<std::size_t> in_phase = phased_alleles(genotype, evidence, kept);
  const bool phased = !in_phase.empty();
  const std::string told = phased ? fmt::format("{}", fmt::join(in_phase, "|"))
                                  : fmt::format("{}", fmt::join(genotype.alleles, "/"));
  std::vector<long> likelihoods;
  for (const double value : genotype.likelihoods) likelihoods.push_back(std::lround(value));
  std::string out =
      fmt::format("{}:{}:{}:{}:{}", told, depths_text(evidence, kept), evidence.record->depth,
                  std::lround(genotype.quality), fmt::join(likelihoods, ","));
  if (any_phased)
    out += phased ? fmt::format(":{}", evidence.record->phase_set) : std::string(":.");
  return out;
}

/// Whether all samples that have an alternative say that its reads lie on one strand.
bool strand_biased(const JointSite& site, const std::vector<JointGenotype>& samples) {
  bool any = false;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!samples[i].known || samples[i].is_reference()) continue;
    if (!site.samples[i].record->filtered_strand) return false;
    any = true;
  }
  return any;
}

}  // namespace

std::optional<JointLine> joint_line(const JointSite& site, JointCall call,
                                    const std::vector<DeclaredContig>& contigs,
                                    double pass_quality) {
  JointLine out{.contig = site.contig, .position = site.position};
  std::vector<std::size_t> kept{0};
  for (std::size_t a = 1; a < site.alleles.size(); ++a) {
    if (call.counts[a] > 0) kept.push_back(a);
  }
  if (kept.size() == 1 || (kept.size() == 2 && site.alleles[kept[1]] == "*")) return std::nullopt;
  std::uint32_t all = 0;
  for (const std::uint32_t count : call.counts) all += count;
  for (const std::size_t a : kept) {
    out.alleles.push_back(site.alleles[a]);
    out.counts.push_back(call.counts[a]);
  }
  trim_end(out.alleles);
  bool any_phased = false;
  std::uint64_t depth = 0;
  for (std::size_t i = 0; i < call.samples.size(); ++i) {
    keep_alleles(call.samples[i], kept);
    if (!call.samples[i].known) continue;
    any_phased |= !phased_alleles(call.samples[i], site.samples[i], kept).empty();
    depth += site.samples[i].record->depth;
  }
  out.samples = std::move(call.samples);
  const bool low = call.quality < pass_quality, biased = strand_biased(site, out.samples);
  out.passed = !low && !biased;
  std::vector<std::uint32_t> counts(out.counts.begin() + 1, out.counts.end());
  std::vector<std::string> frequencies;
  for (const std::uint32_t count : counts)
    frequencies.push_back(fmt::format("{:.4g}", static_cast<double>(count) / all));
  out.text = fmt::format("{}\t{}\t.\t{}\t{}\t{:.2f}\t{}\tAC={};AF={};AN={};DP={}\tGT:AD:DP:GQ:PL{}",
                         contigs[site.contig].name, site.position + 1, out.alleles[0],
                         fmt::join(out.alleles.begin() + 1, out.alleles.end(), ","), call.quality,
                         out.passed ? "PASS"
                         : low      ? biased ? "LowQual;StrandBias" : "LowQual"
                                    : "StrandBias",
                         fmt::join(counts, ","), fmt::join(frequencies, ","), all, depth,
                         any_phased ? ":PS" : "");
  for (std::size_t i = 0; i < out.samples.size(); ++i)
    out.text += "\t" + sample_text(out.samples[i], site.samples[i], kept, any_phased);
  out.text += '\n';
  return out;
}

std::string joint_header(const std::vector<DeclaredContig>& contigs,
                         const std::vector<std::string>& samples, double pass_quality) {
  std::string out = fmt::format(
      "##fileformat=VCFv4.2\n##source=aceso {}\n"
      "##FILTER=<ID=PASS,Description=\"All filters passed\">\n"
      "##FILTER=<ID=LowQual,Description=\"The quality is below {:g}\">\n"
      "##FILTER=<ID=StrandBias,Description=\"All samples with an alternative have this filter\">\n"
      "##INFO=<ID=AC,Number=A,Type=Integer,Description=\"Copies of each alternative\">\n"
      "##INFO=<ID=AF,Number=A,Type=Float,Description=\"Share of each alternative\">\n"
      "##INFO=<ID=AN,Number=1,Type=Integer,Description=\"Copies of all alleles\">\n"
      "##INFO=<ID=DP,Number=1,Type=Integer,Description=\"Reads looked at, of all samples\">\n"
      "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
      "##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"Reads that speak for each allele; of a "
      "block without a variant all reads for the reference\">\n"
      "##FORMAT=<ID=DP,Number=1,Type=Integer,Description=\"Reads looked at\">\n"
      "##FORMAT=<ID=GQ,Number=1,Type=Integer,Description=\"Phred of the chance that the genotype "
      "is wrong, given the other samples\">\n"
      "##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"Phred-scaled genotype likelihoods of "
      "the sample alone\">\n"
      "##FORMAT=<ID=PS,Number=1,Type=Integer,Description=\"Phase set: position of its first "
      "call\">\n",
      version(), pass_quality);
  for (const DeclaredContig& contig : contigs) {
    out += contig.length == 0
               ? fmt::format("##contig=<ID={}>\n", contig.name)
               : fmt::format("##contig=<ID={},length={}>\n", contig.name, contig.length);
  }
  return out + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" +
         fmt::format("{}", fmt::join(samples, "\t")) + "\n";
}

}  // namespace aceso::genomics
