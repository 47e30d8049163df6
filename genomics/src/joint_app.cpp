#include "joint_app.hpp"

#include "joint_lines.hpp"
#include "pedigree.hpp"
#include "report_figures.hpp"
#include "text_source.hpp"
#include "vcf_text_file.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace aceso::genomics {
namespace {

struct JointJob {
  std::vector<std::filesystem::path> gvcfs;
  std::optional<std::filesystem::path> pedigree, variants;
  double pass_quality = 20;
};

/// Genotypes of so many samples are worked on at a time.
constexpr std::size_t kBatchGenotypes = 1 << 16;
/// Genotypes of this quality count as sure.
constexpr double kSureQuality = 20;
constexpr std::size_t kFrequencyBins = 20;

struct SampleCounts {
  std::uint64_t heterozygous = 0, homozygous = 0, reference = 0, missing = 0;
};

struct TrioCounts {
  std::uint64_t sites = 0, violations = 0, sure_sites = 0, sure_violations = 0;
  std::uint64_t other_copies = 0;  ///< sites left out: not all three have two copies
};

struct JointFigures {
  std::uint64_t sites = 0, passed = 0, unvaried = 0, several_alleles = 0, snv = 0, indel = 0;
  std::uint64_t transitions = 0, transversions = 0;
  std::vector<SampleCounts> samples;
  std::vector<TrioCounts> trios;
  std::vector<std::uint64_t> by_frequency = std::vector<std::uint64_t>(kFrequencyBins, 0);

  void add(const JointLine& line, const std::vector<Trio>& families);

 private:
  void add_alleles(const JointLine& line);
  void add_trio(const JointLine& line, const Trio& trio, TrioCounts& counts) const;
};

void JointFigures::add(const JointLine& line, const std::vector<Trio>& families) {
  ++sites;
  if (!line.passed) return;
  ++passed;
  add_alleles(line);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const JointGenotype& genotype = line.samples[i];
    if (!genotype.known)
      ++samples[i].missing;
    else if (!genotype.homozygous())
      ++samples[i].heterozygous;
    else
      ++(genotype.is_reference() ? samples[i].reference : samples[i].homozygous);
  }
  for (std::size_t t = 0; t < families.size(); ++t) add_trio(line, families[t], trios[t]);
}

void JointFigures::add_alleles(const JointLine& line) {
  std::uint64_t all = 0, alternatives = 0;
  for (const std::uint32_t count : line.counts) all += count;
  for (std::size_t a = 1; a < line.alleles.size(); ++a) {
    const std::string &reference = line.alleles[0], &other = line.alleles[a];
    if (other == "*") continue;
    ++alternatives;
    const double share = ratio(line.counts[a], all);
    ++by_frequency[std::min(kFrequencyBins - 1, static_cast<std::size_t>(share * kFrequencyBins))];
    if (reference.size() != other.size()) {
      ++indel;
      continue;
    }
    ++snv;
    const auto first =
        static_cast<std::size_t>(std::ranges::mismatch(reference, other).in1 - reference.begin());
    const std::string pair = reference.substr(first, 1) + other.substr(first, 1);
    ++(pair == "AG" || pair == "GA" || pair == "CT" || pair == "TC" ? transitions : transversions);
  }
  several_alleles += alternatives > 1 ? 1 : 0;
}

void JointFigures::add_trio(const JointLine& line, const Trio& trio, TrioCounts& counts) const {
  const JointGenotype &child = line.samples[trio.child], &father = line.samples[trio.father],
                      &mother = line.samples[trio.mother];
  bool sure = true, varies = false, diploid = true;
  for (const JointGenotype* one : {&child, &father, &mother}) {
    if (!one->known) return;
    diploid &= one->ploidy() == 2;
    sure &= one->quality >= kSureQuality;
    varies |= !one->is_reference();
  }
  if (!varies) return;
  if (!diploid) {
    ++counts.other_copies;
    return;
  }
  const bool violation = !is_mendelian(child.alleles[0], child.alleles[1], father.alleles[0],
                                       father.alleles[1], mother.alleles[0], mother.alleles[1]);
  ++counts.sites;
  counts.violations += violation ? 1 : 0;
  if (!sure) return;
  ++counts.sure_sites;
  counts.sure_violations += violation ? 1 : 0;
}

std::vector<GvcfRecords> open_files(const JointJob& job, Warnings& warnings) {
  std::vector<GvcfRecords> out;
  std::unordered_map<std::string, std::string> seen;
  for (const auto& path : job.gvcfs) {
    out.emplace_back(path, warnings);
    const auto [other, is_new] = seen.emplace(out.back().sample(), path.string());
    if (!is_new)
      fail(Errc::InvalidArgument, "{} and {} both hold the sample {}; expected one file for each",
           other->second, path.string(), printable(out.back().sample()));
  }
  // The longest list of contigs gives the order: some files may declare those they need only.
  const auto longest = std::ranges::max_element(
      out, {}, [](const GvcfRecords& file) { return file.contigs().size(); });
  const std::vector<DeclaredContig> shared = longest->contigs();
  const std::string whose = longest->path();
  for (GvcfRecords& file : out) file.use_contigs(shared, whose);
  return out;
}

class JointCaller {
 public:
  JointCaller(const JointJob& job, app::RunContext& context)
      : job_(job), context_(context), files_(open_files(job, context.warnings)), sites_(files_) {
    contigs_ = std::ranges::max_element(files_, {}, [](const GvcfRecords& file) {
                 return file.contigs().size();
               })->contigs();
    for (const GvcfRecords& file : files_) names_.push_back(file.sample());
    if (job.pedigree) trios_ = read_pedigree(*job.pedigree, names_, context.warnings);
    figures_.samples.resize(names_.size());
    figures_.trios.resize(trios_.size());
    if (job.variants) output_.emplace(*job.variants);
    context.progress.stage("variants", total_size(job.gvcfs), "bytes");
  }

  JointFigures run() {
    if (output_) output_->write(joint_header(contigs_, names_, job_.pass_quality));
    std::vector<JointSite> batch;
    while (read_batch(batch)) call(batch);
    std::uint64_t longest = 0;
    for (const DeclaredContig& contig : contigs_) longest = std::max(longest, contig.length);
    if (output_) output_->commit(longest);
    context_.progress.finish();
    return std::move(figures_);
  }

  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
  [[nodiscard]] const std::vector<Trio>& trios() const noexcept { return trios_; }

 private:
  bool read_batch(std::vector<JointSite>& batch) {
    batch.clear();
    const std::size_t size = std::max<std::size_t>(kBatchGenotypes / names_.size(), 16);
    JointSite site;
    while (batch.size() < size && sites_.next(site)) {
      batch.push_back(std::move(site));
      site = {};
    }
    for (GvcfRecords& file : files_) context_.progress.advance(file.take_source_bytes());
    return !batch.empty();
  }

  void call(const std::vector<JointSite>& batch) {
    std::vector<std::optional<JointLine>> lines(batch.size());
    parallel_for(
        batch.size(), 8, context_.threads,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i)
            lines[i] = joint_line(batch[i], genotype_site(batch[i], JointPriors{}), contigs_,
                                  job_.pass_quality);
        },
        context_.stop);
    for (const JointSite& site : batch) warn_of(site);
    for (const auto& line : lines) {
      if (!line) {
        ++figures_.unvaried;
        continue;
      }
      figures_.add(*line, trios_);
      if (output_) output_->write(line->text);
    }
  }

  void warn_of(const JointSite& site) {
    if (site.alleles_left_out == 0) return;
    context_.warnings.add(
        "joint.too_many_alleles",
        fmt::format("{}:{}: more alleles than {} genotypes hold; the {} with the fewest reads are "
                    "left out",
                    contigs_[site.contig].name, site.position + 1, kMostSiteGenotypes,
                    site.alleles_left_out));
  }

  const JointJob& job_;
  app::RunContext& context_;
  std::vector<GvcfRecords> files_;
  JointSites sites_;
  std::vector<DeclaredContig> contigs_;
  std::vector<std::string> names_;
  std::vector<Trio> trios_;
  std::optional<VcfTextFile> output_;
  JointFigures figures_;
};

using app::Cell;

void report_sites(const JointFigures& figures, app::RunContext& context) {
  context.metric("sites.written", figures.sites);
  context.metric("sites.passed", figures.passed);
  context.metric("sites.without_variant", figures.unvaried);
  context.metric("sites.several_alternatives", figures.several_alleles);
  context.metric("alleles.snv", figures.snv);
  context.metric("alleles.indel", figures.indel);
  context.metric("alleles.ti_tv", ratio(figures.transitions, figures.transversions));
  app::Report& report = context.report;
  report.section("Variants", "Sites that passed, and their alleles.");
  report.figure("sites", whole(figures.passed));
  report.figure("LowQual or StrandBias", whole(figures.sites - figures.passed));
  report.figure("substitutions", whole(figures.snv));
  report.figure("insertions and deletions", whole(figures.indel));
  report.figure("transitions to transversions", ratio(figures.transitions, figures.transversions));
  report.figure("sites of several alternatives", whole(figures.several_alleles));
  app::Plot plot{.title = "Alleles by frequency",
                 .type = app::Plot::Type::Bar,
                 .x_label = "frequency among the samples",
                 .y_label = "alleles",
                 .x = {},
                 .x_names = {},
                 .series = {{"alleles", {}}},
                 .note = "Share of the chromosomes whose genotypes are known."};
  for (std::size_t i = 0; i < kFrequencyBins; ++i) {
    plot.x.push_back(static_cast<double>(i) / kFrequencyBins);
    plot.x_names.push_back(fmt::format("{:.2f}", plot.x.back()));
    plot.series[0].values.push_back(static_cast<double>(figures.by_frequency[i]));
  }
  if (figures.passed > 0) report.plot(std::move(plot));
}

void report_samples(const JointFigures& figures, const std::vector<std::string>& names,
                    app::RunContext& context) {
  std::vector<std::vector<Cell>> rows;
  Json list = Json::array();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const SampleCounts& c = figures.samples[i];
    rows.push_back({names[i], whole(c.heterozygous), whole(c.homozygous),
                    ratio(c.heterozygous, c.homozygous), whole(c.reference), whole(c.missing)});
    list.push_back({{"sample", names[i]},
                    {"heterozygous", c.heterozygous},
                    {"homozygous", c.homozygous},
                    {"reference", c.reference},
                    {"missing", c.missing}});
  }
  context.metric("samples", list);
  context.report.section("Samples", "Genotypes at sites that passed.");
  context.report.table(
      "Genotypes",
      {{"sample"}, {"heterozygous"}, {"homozygous"}, {"het/hom"}, {"reference"}, {"not known"}},
      std::move(rows));
}

void report_trios(const JointFigures& figures, const std::vector<std::string>& names,
                  const std::vector<Trio>& trios, app::RunContext& context) {
  if (trios.empty()) return;
  std::vector<std::vector<Cell>> rows;
  Json list = Json::array();
  for (std::size_t i = 0; i < trios.size(); ++i) {
    const TrioCounts& c = figures.trios[i];
    rows.push_back({names[trios[i].child], names[trios[i].father], names[trios[i].mother],
                    whole(c.sites), whole(c.violations), percent(c.violations, c.sites),
                    whole(c.sure_sites), whole(c.sure_violations)});
    list.push_back({{"child", names[trios[i].child]},
                    {"sites", c.sites},
                    {"violations", c.violations},
                    {"sure_sites", c.sure_sites},
                    {"sure_violations", c.sure_violations},
                    {"not_diploid", c.other_copies}});
    if (c.other_copies > 0)
      context.warnings.add(
          "joint.not_diploid",
          fmt::format("{} sites at which {} or a parent has not two copies were not checked for "
                      "Mendelian violations",
                      c.other_copies, printable(names[trios[i].child])));
  }
  context.metric("trios", list);
  context.report.section("Families",
                         "Sites that passed and at which all three are known: genotypes that the "
                         "child cannot have of its parents are errors, or new mutations.");
  context.report.table("Mendelian violations",
                       {{"child"},
                        {"father"},
                        {"mother"},
                        {"sites"},
                        {"violations"},
                        {"share", "%"},
                        {"sites, all GQ 20"},
                        {"violations, all GQ 20"}},
                       std::move(rows));
}

void run_joint(const JointJob& job, app::RunContext& context) {
  JointCaller caller(job, context);
  const JointFigures figures = caller.run();
  report_sites(figures, context);
  report_samples(figures, caller.names(), context);
  report_trios(figures, caller.names(), caller.trios(), context);
}

}  // namespace

app::App joint_app() {
  app::Describe<JointJob> d("genomics joint",
                            "Genotypes several samples together, from their gVCFs");
  d.help(
      "Merges the gVCFs that genomics germline --gvcf writes (or GATK, with <NON_REF>), one sample "
      "each, and calls the genotype of every sample at each place where one of them varies. What "
      "the other samples have says how common an allele is: weak evidence for an allele that "
      "others "
      "have counts for more, for one that nobody has for less. Where a sample has no variant its "
      "block tells how sure the reference is; where it has no read its genotype is missing.\n\n"
      "Alleles are those of the files, '*' for a deletion that begins before. Gaps and other "
      "alleles of one position have lines of their own. Phases of the files are kept.\n\n"
      "Samples may have one to eight copies of a place, and others than their neighbours: men and "
      "women on X, or a tetraploid beside its diploid parents. Mendelian violations are counted "
      "where child and parents have two.\n\n"
      "The files are read side by side, so memory does not grow with their length. Calls do not "
      "depend on threads or on the order of the files, which is that of the samples.");
  d.example(
      "aceso genomics joint --gvcfs child.g.vcf.gz father.g.vcf.gz mother.g.vcf.gz --pedigree "
      "family.ped --variants family.vcf.gz --report family.html");
  d.resources({.memory_mb = 2000});
  d.input("gvcfs", &JointJob::gvcfs,
          {.kind = "vcf", .help = "gVCFs of one sample each, of one reference"});
  d.input("pedigree", &JointJob::pedigree,
          {.kind = "any",
           .help = "PED: family, child, father, mother; Mendelian violations are counted"});
  d.output("variants", &JointJob::variants,
           {.kind = "vcf", .file_name = "joint.vcf.gz", .help = "the calls of all samples"});
  d.option("pass_quality", &JointJob::pass_quality,
           {.help = "sites below have the filter LowQual",
            .unit = "phred",
            .minimum = 0,
            .maximum = 10000});
  d.sample({.name = "a family",
            .summary = "parents and child on a megabase of chromosome 22, simulated at 10x",
            .inputs = {{"gvcfs",
                        {"chr22_child.g.vcf.gz", "chr22_father.g.vcf.gz", "chr22_mother.g.vcf.gz"}},
                       {"pedigree", {"chr22_family.ped"}}},
            .options = {},
            .origin = "Debian package hisat2 (GRCh38 and dbSNP), genomics simulate"});
  return d.build(run_joint);
}

}  // namespace aceso::genomics
