#include "germline_app.hpp"

#include "align_options.hpp"
#include "align_reads.hpp"
#include "align_report.hpp"
#include "call_variants.hpp"
#include "read_alignments.hpp"
#include "report_figures.hpp"

#include "aceso/core/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <unordered_set>

namespace aceso::genomics {
namespace {

struct GermlineJob : AlignJob {
  std::optional<std::filesystem::path> aligned, regions;
  std::optional<std::filesystem::path> variants, gvcf;
  int least_mapping_quality = 20;
  int ploidy = 2;
  std::string haploid_contigs = "chrM,chrMT,MT,M";
  double pass_quality = 20;
};

std::vector<bool> haploid_contigs(const Reference& reference, std::string_view names) {
  std::unordered_set<std::string> wanted;
  while (!names.empty()) {
    const std::size_t comma = std::min(names.find(','), names.size());
    wanted.emplace(names.substr(0, comma));
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  std::vector<bool> out;
  for (const Contig& contig : reference.contigs()) out.push_back(wanted.contains(contig.name));
  return out;
}

void report_calls(const CallCounts& counts, app::RunContext& context) {
  context.metric("variants.passed", counts.passed);
  context.metric("variants.snv", counts.snv);
  context.metric("variants.indel", counts.indel);
  context.metric("variants.heterozygous", counts.heterozygous);
  context.metric("variants.homozygous", counts.homozygous);
  context.metric("variants.ti_tv", ratio(counts.transitions, counts.transversions));
  context.metric("variants.het_hom", ratio(counts.heterozygous, counts.homozygous));
  app::Report& report = context.report;
  report.section("Variants", "Calls that passed.");
  report.figure("single-base variants", static_cast<std::int64_t>(counts.snv));
  report.figure("insertions and deletions", static_cast<std::int64_t>(counts.indel));
  report.figure("transitions to transversions", ratio(counts.transitions, counts.transversions));
  report.figure("heterozygous to homozygous", ratio(counts.heterozygous, counts.homozygous));
}

void check_germline_job(const GermlineJob& job) {
  if (!job.aligned) {
    if (job.reads.empty())
      fail(Errc::InvalidArgument, "give reads (FASTQ) or aligned (BAM, CRAM, SAM)");
    check_align_job(job);
    return;
  }
  if (!job.reads.empty() || !job.reads2.empty())
    fail(Errc::InvalidArgument, "reads and aligned are both given; one of them is called");
  if (job.alignments)
    fail(Errc::InvalidArgument,
         "alignments are written of reads only; those of aligned are there already");
}

/// A genome, from its index or from its FASTA file.
struct Genome {
  std::optional<SeedIndex> index;
  OwnedReference owned;

  [[nodiscard]] const Reference& reference() const {
    return index ? index->reference() : owned.reference;
  }
};

/// Reads that are aligned already need no seeds: an index is taken if there is one, not made.
Genome open_genome(const GermlineJob& job, const app::RunContext& context) {
  const std::filesystem::path path = index_path(job.reference);
  if (!job.aligned) return {open_or_build_index(job.reference, context.threads, context.stop), {}};
  if (SeedIndex::is_current(path, job.reference)) return {SeedIndex::open(path), {}};
  return {std::nullopt, read_reference(job.reference, context.stop)};
}

CallShop make_shop(const GermlineJob& job, const Reference& reference, app::RunContext& context) {
  CallShop shop{.reference = reference,
                .call = {},
                .vcf = {},
                .ploidy = job.ploidy,
                .haploid = haploid_contigs(reference, job.haploid_contigs),
                .regions = {}};
  if (job.regions) shop.regions = read_bed(*job.regions, reference, context.warnings);
  shop.call.filter.least_mapping_quality = static_cast<std::uint8_t>(job.least_mapping_quality);
  shop.vcf.sample = job.sample;
  shop.vcf.pass_quality = job.pass_quality;
  shop.call.pileup.keep_columns = job.gvcf.has_value();
  return shop;
}

/// The records to be called; the sample's name becomes that of the file, unless one is given.
SortedReads reads_of(const GermlineJob& job, const Genome& genome, CallShop& shop,
                     app::RunContext& context) {
  if (!job.aligned) return align_reads(job, *genome.index, job.alignments.has_value(), context);
  AlignmentFileOptions options{
      .sample = job.sample, .threads = context.threads, .scratch = context.scratch, .only = {}};
  if (shop.regions) options.only = intervals_to_read(genome.reference(), *shop.regions);
  ReadAlignments read =
      read_alignments(*job.aligned, genome.reference(), options, job.memory, context);
  if (job.sample == GermlineJob{}.sample && !read.sample.empty()) shop.vcf.sample = read.sample;
  return std::move(read.reads);
}

void run(const GermlineJob& job, app::RunContext& context) {
  check_germline_job(job);
  context.progress.stage("index", 0, "bases");
  const Genome genome = open_genome(job, context);
  const Reference& reference = genome.reference();
  std::optional<SamWriter> alignments = open_alignments(job, reference, context);
  CallShop shop = make_shop(job, reference, context);
  if (job.variants) check_vcf_name(*job.variants);
  if (job.gvcf) check_vcf_name(*job.gvcf);
  SortedReads reads = reads_of(job, genome, shop, context);
  std::optional<VcfWriter> variants, gvcf;
  if (job.variants) variants.emplace(*job.variants, reference, shop.vcf);
  if (job.gvcf) {
    VcfOptions options = shop.vcf;
    options.blocks = true;
    gvcf.emplace(*job.gvcf, reference, options);
  }
  context.progress.stage("call", reads.record_count(), "reads");
  graph::Graph g;
  auto sorting = reads.add_sorting(g, context.threads);
  auto tasks = g.add(
      "tasks",
      MakeTasks{.writer = alignments ? &*alignments : nullptr, .before = nullptr, .own = nullptr});
  auto call = g.add("call", CallVariants{.shop = &shop, .caller = nullptr, .reads = nullptr},
                    {.copies = context.threads});
  auto write = g.add("write", WriteCalls{.writer = variants ? &*variants : nullptr,
                                         .gvcf = gvcf ? &*gvcf : nullptr,
                                         .progress = &context.progress,
                                         .counts = {}});
  // Few buckets at a time: each may be large.
  g.connect(sorting, &SortBuckets::out, tasks, &MakeTasks::in, graph::block(2));
  g.connect(tasks, &MakeTasks::out, call, &CallVariants::in);
  g.connect(call, &CallVariants::out, write, &WriteCalls::in);
  g.run({.threads = context.threads, .stop = context.stop});
  reads.note_duplicates(sorting);
  if (alignments) alignments->commit();
  if (variants) variants->commit();
  if (gvcf) gvcf->commit();
  context.progress.finish();
  report_calls(write->counts, context);
  report_alignment(reads.figures(), context);
}

void add_call_options(app::Describe<GermlineJob>& d) {
  const std::string group = "Calling";
  d.option("ploidy", &GermlineJob::ploidy,
           {.help = "copies of the genome", .minimum = 1, .maximum = 2, .group = group});
  d.option("haploid_contigs", &GermlineJob::haploid_contigs,
           {.help = "contigs with one copy, with commas between them (chrX,chrY of a man)",
            .group = group});
  d.option("least_mapping_quality", &GermlineJob::least_mapping_quality,
           {.help = "reads below are not looked at",
            .unit = "phred",
            .minimum = 0,
            .maximum = 60,
            .group = group});
  d.option("pass_quality", &GermlineJob::pass_quality,
           {.help = "calls below have the filter LowQual",
            .unit = "phred",
            .minimum = 0,
            .maximum = 10000,
            .group = group});
}

}  // namespace

app::App germline_app() {
  app::Describe<GermlineJob> d("genomics germline",
                               "Calls the variants of a sample, from reads to VCF in one process");
  d.help(std::string(
             "Aligns reads as genomics align does, and calls single-base variants, insertions and "
             "deletions: candidates come from the alignments and from local assembly, reads are "
             "compared with all haplotypes of neighbouring candidates, and genotypes are those of "
             "the best pair of haplotypes. Nearby heterozygous calls are phased. Reads that are "
             "aligned already can be given as BAM or CRAM.\n\n"
             "The calls are the same for any number of threads and any amount of memory.\n\n") +
         kIndexHelp);
  d.example(
      "aceso genomics germline --reads sample_R1.fastq.gz --reads2 sample_R2.fastq.gz --reference "
      "GRCh38.fa.gz --variants sample.vcf.gz --alignments sample.bam --sample NA12878");
  d.resources({.memory_mb = 4000});
  add_align_inputs(d, false);
  d.input("aligned", &GermlineJob::aligned,
          {.kind = "bam",
           .help = "instead of reads: BAM, CRAM or SAM of one sample, in any order, duplicates "
                   "marked; with an index only what the regions need is read"});
  d.input(
      "regions", &GermlineJob::regions,
      {.kind = "bed", .help = "what begins outside is not written; not given: the whole genome"});
  d.output("variants", &GermlineJob::variants,
           {.kind = "vcf", .file_name = "variants.vcf.gz", .help = "the calls"});
  d.output("gvcf", &GermlineJob::gvcf,
           {.kind = "vcf",
            .file_name = "variants.g.vcf.gz",
            .help = "calls and, between them, how sure the reference is",
            .extra = true});
  d.output("alignments", in_job<GermlineJob>(&AlignJob::alignments),
           {.kind = "bam",
            .file_name = "alignments.bam",
            .help = "aligned reads, sorted, duplicates marked; .bam, .cram or .sam",
            .extra = true});
  add_align_options(d);
  add_call_options(d);
  d.sample(
      chromosome_22_sample("chromosome 22", "a megabase of human chromosome 22 at 20x, simulated"));
  return d.build(run);
}

}  // namespace aceso::genomics
