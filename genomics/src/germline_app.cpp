#include "germline_app.hpp"

#include "align_options.hpp"
#include "align_report.hpp"
#include "bed.hpp"
#include "block_caller.hpp"
#include "call_figures.hpp"
#include "record_figures.hpp"
#include "report_figures.hpp"
#include "sam_writer.hpp"
#include "sorted_reads.hpp"
#include "vcf_writer.hpp"

#include "aceso/core/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <unordered_set>

namespace aceso::genomics {
namespace {

struct GermlineJob : AlignJob {
  std::optional<std::filesystem::path> regions;
  std::optional<std::filesystem::path> variants, gvcf;
  int least_mapping_quality = 20;
  int ploidy = 2;
  std::string haploid_contigs = "chrM,chrMT,MT,M";
  double pass_quality = 20;
};

/// The reads that calling one bucket needs: its own and those of its neighbours.
struct CallTask {
  std::shared_ptr<const SortedBucket> before, own, behind;
};

/// Writes alignments, and makes a task of each bucket when the next one has come.
struct MakeTasks {
  graph::In<SortedBucket> in{"records"};
  graph::Out<CallTask> out{"tasks"};
  SamWriter* writer = nullptr;
  RecordFigures* figures = nullptr;
  std::shared_ptr<const SortedBucket> before, own;

  auto ports() { return std::tie(in, out); }
  graph::Flow compute(const graph::Tick&) {
    auto next = std::make_shared<const SortedBucket>(in.take());
    if (writer != nullptr) writer->write(*next);
    figures->add(*next);
    if (own) out.send({before, own, next});
    before = std::move(own);
    own = std::move(next);
    return graph::Flow::Continue;
  }
  // The last bucket has the reads without a place: nothing is called there.
};

struct CallCounts {
  std::uint64_t snv = 0, indel = 0, passed = 0, heterozygous = 0, homozygous = 0;
  std::uint64_t transitions = 0, transversions = 0;

  void add(const CallCounts& other);
  void add(const VariantCall& call, double pass_quality);
};

struct CalledBucket {
  std::string lines, gvcf_lines;
  CallCounts counts;
  CallFigures figures;
  std::uint64_t reads = 0;
};

/// What every caller needs.
struct Shop {
  const Reference& reference;
  CallOptions call;
  VcfOptions vcf;
  int ploidy = 2;
  std::vector<bool> haploid;          ///< by contig
  std::optional<BedRegions> regions;  ///< calls elsewhere are not told of

  /// Whether all that a call says of the reference lies in the regions.
  [[nodiscard]] bool wants(const VariantCall& found) const {
    if (!regions) return true;
    const Place place = reference.place(found.position);
    const auto size = static_cast<std::uint32_t>(found.reference.size());
    return regions->contains(place.contig, place.position, place.position + size);
  }
};

struct CallVariants {
  graph::In<CallTask> in{"tasks"};
  graph::Out<CalledBucket> out{"calls"};
  const Shop* shop = nullptr;
  std::shared_ptr<BlockCaller> caller;
  std::shared_ptr<CallReads> reads;

  auto ports() { return std::tie(in, out); }
  graph::Flow compute(const graph::Tick&) {
    if (!caller) {
      caller = std::make_shared<BlockCaller>(shop->reference, shop->call);
      reads = std::make_shared<CallReads>();
    }
    const CallTask task = in.take();
    const std::uint64_t begin = task.own->bucket << kBucketBits;
    const std::uint64_t end =
        std::min<std::uint64_t>(begin + (1ULL << kBucketBits), shop->reference.codes().size());
    reads->clear();
    if (task.before) add(*task.before, begin - BlockCaller::kMargin - kMostReadLength, end);
    add(*task.own, begin, end);
    add(*task.behind, end, end + BlockCaller::kMargin);
    out.send(called(static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end),
                    task.own->records.size()));
    return graph::Flow::Continue;
  }

  void add(const SortedBucket& bucket, std::uint64_t begin, std::uint64_t end) {
    for (std::size_t i = 0; i < bucket.records.size(); ++i) {
      const PackedRecord& record = *bucket.records[i];
      if (record.position < begin || record.position >= end) continue;
      if (shop->call.filter.takes(record, bucket.duplicate[i])) reads->add(record);
    }
  }

  CalledBucket called(std::uint32_t begin, std::uint32_t end, std::uint64_t records) {
    BucketCalls found = caller->call(*reads, begin, end, [this](std::uint32_t position) {
      return shop->haploid[shop->reference.contig_at(position)] ? 1 : shop->ploidy;
    });
    CalledBucket result;
    if (shop->call.pileup.keep_columns)
      result.gvcf_lines = gvcf_lines(shop->reference, found.variants, found.blocks, shop->vcf);
    // What is called does not depend on the regions, only what is told.
    std::erase_if(found.variants, [this](const VariantCall& call) { return !shop->wants(call); });
    result.lines = vcf_lines(shop->reference, found.variants, shop->vcf);
    for (const VariantCall& call : found.variants) {
      result.counts.add(call, shop->vcf.pass_quality);
      result.figures.add(call, shop->vcf.pass_quality);
    }
    result.reads = records;
    return result;
  }
};

struct WriteCalls {
  graph::In<CalledBucket> in{"calls"};
  VcfWriter* writer = nullptr;
  VcfWriter* gvcf = nullptr;
  Progress* progress = nullptr;
  CallCounts counts;
  CallFigures figures = {};

  auto ports() { return std::tie(in); }
  graph::Flow compute(const graph::Tick&) {
    const CalledBucket bucket = in.take();
    if (writer != nullptr) writer->write(bucket.lines);
    if (gvcf != nullptr) gvcf->write(bucket.gvcf_lines);
    counts.add(bucket.counts);
    figures.merge(bucket.figures);
    progress->advance(bucket.reads);
    return graph::Flow::Continue;
  }
};

void CallCounts::add(const CallCounts& other) {
  snv += other.snv;
  indel += other.indel;
  passed += other.passed;
  heterozygous += other.heterozygous;
  homozygous += other.homozygous;
  transitions += other.transitions;
  transversions += other.transversions;
}

void CallCounts::add(const VariantCall& call, double pass_quality) {
  if (call.quality < pass_quality) return;
  ++passed;
  ++(call.genotype[0] == call.genotype[1] ? homozygous : heterozygous);
  const std::string& other = call.alternatives.front();
  if (call.reference.size() != other.size()) {
    ++indel;
    return;
  }
  ++snv;
  const std::string pair = call.reference.substr(0, 1) + other.substr(0, 1);
  ++(pair == "AG" || pair == "GA" || pair == "CT" || pair == "TC" ? transitions : transversions);
}

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

void run(const GermlineJob& job, app::RunContext& context) {
  check_align_job(job);
  context.progress.stage("index", 0, "bases");
  const SeedIndex index = open_or_build_index(job.reference, context.threads, context.stop);
  const Reference& reference = index.reference();
  std::optional<SamWriter> alignments = open_alignments(job, reference, context);
  Shop shop{.reference = reference,
            .call = {},
            .vcf = {},
            .ploidy = job.ploidy,
            .haploid = haploid_contigs(reference, job.haploid_contigs),
            .regions = {}};
  if (job.regions) shop.regions = read_bed(*job.regions, reference, context.warnings);
  shop.call.filter.least_mapping_quality = static_cast<std::uint8_t>(job.least_mapping_quality);
  shop.vcf = {.sample = job.sample, .pass_quality = job.pass_quality};
  shop.call.pileup.keep_columns = job.gvcf.has_value();
  std::optional<VcfWriter> variants, gvcf;
  if (job.variants) variants.emplace(*job.variants, reference, shop.vcf);
  if (job.gvcf) {
    VcfOptions options = shop.vcf;
    options.blocks = true;
    gvcf.emplace(*job.gvcf, reference, options);
  }

  SortedReads reads(job, index, alignments.has_value(), context);
  context.progress.stage("call", reads.record_count(), "reads");
  graph::Graph g;
  auto sorting = reads.add_sorting(g, context.threads);
  RecordFigures record_figures;
  auto tasks = g.add("tasks", MakeTasks{.writer = alignments ? &*alignments : nullptr,
                                        .figures = &record_figures,
                                        .before = nullptr,
                                        .own = nullptr});
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
  write->figures.report(context.report);
  report_alignment(reads.figures(), context);
  record_figures.report(reference, context.report);
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
             "the best pair of haplotypes. Nearby heterozygous calls are phased.\n\n"
             "The calls are the same for any number of threads and any amount of memory.\n\n") +
         kIndexHelp);
  d.example(
      "aceso genomics germline --reads sample_R1.fastq.gz --reads2 sample_R2.fastq.gz --reference "
      "GRCh38.fa.gz --variants sample.vcf.gz --alignments sample.bam --sample NA12878");
  d.resources({.memory_mb = 4000});
  add_align_inputs(d);
  d.input("regions", &GermlineJob::regions,
          {.kind = "bed", .help = "calls outside are not written; not given: the whole genome"});
  d.output("variants", &GermlineJob::variants,
           {.kind = "vcf", .file_name = "variants.vcf.gz", .help = "the calls"});
  d.output("gvcf", &GermlineJob::gvcf,
           {.kind = "vcf",
            .file_name = "variants.g.vcf.gz",
            .help = "calls and, between them, how sure the reference is; of the whole genome",
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
