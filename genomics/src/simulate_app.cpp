#include "simulate_app.hpp"

#include "bgzf.hpp"
#include "compare_counts.hpp"
#include "read_simulator.hpp"
#include "vcf_alleles.hpp"
#include "vcf_text_file.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/process.hpp"
#include "aceso/core/threads.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace aceso::genomics {
namespace {

struct SimulateFigures {
  std::uint64_t snps = 0, indels = 0, heterozygous = 0;
  std::uint64_t fragments = 0, duplicates = 0, bases = 0;
};

/// One file of reads, compressed when its name says so.
class ReadsFile {
 public:
  explicit ReadsFile(const std::filesystem::path& path)
      : file_(path), packed_(path.extension() == ".gz") {}

  [[nodiscard]] bool packed() const noexcept { return packed_; }
  void write(std::string_view bytes) { file_.write(bytes); }
  void commit() {
    if (packed_) file_.write(bgzf_end_marker());
    file_.commit();
  }

 private:
  AtomicFile file_;
  bool packed_;
};

/// Blocks are made and compressed by any thread, and written in order.
class ReadsWriter {
 public:
  ReadsWriter(const SimulateJob& job, unsigned threads, const std::stop_token& stop)
      : job_(job), threads_(threads), stop_(stop), reads_(*job.reads) {
    if (job.reads2) reads2_.emplace(*job.reads2);
  }

  void write(const ReadSimulator& simulator, SimulateFigures& figures, Progress& progress) {
    const std::uint64_t blocks = simulator.block_count();
    // Few at a time, so that memory does not grow with the coverage.
    const std::uint64_t batch = 8ULL * threads_;
    for (std::uint64_t begin = 0; begin < blocks; begin += batch) {
      std::vector<SimulatedReads> done(std::min(batch, blocks - begin));
      parallel_for(
          done.size(), 1, threads_,
          [&](std::size_t first, std::size_t last) {
            for (std::size_t i = first; i < last; ++i)
              done[i] = packed(simulator.block(begin + i, next_number_));
          },
          stop_);
      for (const SimulatedReads& block : done) {
        reads_.write(block.reads);
        if (reads2_) reads2_->write(block.reads2);
        figures.fragments += block.fragments;
        figures.duplicates += block.duplicates;
        figures.bases += block.bases;
        progress.advance(block.fragments);
      }
    }
    next_number_ += simulator.fragment_count();
  }

  void commit() {
    reads_.commit();
    if (reads2_) reads2_->commit();
  }

 private:
  SimulatedReads packed(SimulatedReads block) const {
    BgzfDeflater deflater(job_.compression_level);
    const auto pack = [&](std::string& text) {
      std::string out;
      deflater.deflate(text, out);
      text = std::move(out);
    };
    if (reads_.packed()) pack(block.reads);
    if (reads2_ && reads2_->packed()) pack(block.reads2);
    return block;
  }

  const SimulateJob& job_;
  unsigned threads_;
  std::stop_token stop_;
  ReadsFile reads_;
  std::optional<ReadsFile> reads2_;
  std::uint64_t next_number_ = 1;
};

std::string truth_header(const Reference& reference, const std::string& sample) {
  std::string out = fmt::format(
      "##fileformat=VCFv4.2\n##source=aceso {}\n"
      "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n",
      version());
  for (const Contig& contig : reference.contigs())
    out += fmt::format("##contig=<ID={},length={}>\n", contig.name, contig.length);
  return out + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + sample + "\n";
}

void write_truth(const std::filesystem::path& path, const Reference& reference,
                 const SampleVariants& variants, const std::string& sample) {
  VcfTextFile file(path);
  file.write(truth_header(reference, sample));
  std::uint64_t longest = 0;
  for (std::uint32_t c = 0; c < variants.size(); ++c) {
    std::vector<VcfAlleles> lines;
    for (const VariantPiece& piece : variants[c])
      lines.push_back(vcf_alleles(reference.codes(c), piece));
    std::ranges::stable_sort(lines, {}, &VcfAlleles::position);
    for (const VcfAlleles& line : lines)
      file.write(fmt::format("{}\t{}\t.\t{}\t{}\t.\tPASS\t.\tGT\t{}|{}\n",
                             reference.contigs()[c].name, line.position, line.reference,
                             line.alternatives, line.genotype[0], line.genotype[1]));
    longest = std::max<std::uint64_t>(longest, reference.contigs()[c].length);
  }
  file.commit(longest);
}

void count_variants(const Reference& reference, const SampleVariants& variants,
                    SimulateFigures& figures) {
  for (std::uint32_t c = 0; c < variants.size(); ++c) {
    for (const VariantPiece& piece : variants[c]) {
      const bool snp = type_of(reference.codes(c), piece).variant_class == VariantClass::Snp;
      ++(snp ? figures.snps : figures.indels);
      figures.heterozygous += !piece.homozygous();
    }
  }
}

void report(const SimulateFigures& figures, const Reference& reference, app::RunContext& context) {
  const auto known =
      std::ranges::count_if(reference.codes(), [](auto code) { return code < kCodeN; });
  const double depth =
      static_cast<double>(figures.bases) / std::max(1.0, static_cast<double>(known));
  context.metric("variants.snp", figures.snps);
  context.metric("variants.indel", figures.indels);
  context.metric("variants.heterozygous", figures.heterozygous);
  context.metric("reads.fragments", figures.fragments);
  context.metric("reads.duplicates", figures.duplicates);
  context.metric("reads.bases", figures.bases);
  context.metric("reads.depth", depth);
  context.report.section("Simulated sample", "What was put in, and how often it was read.");
  context.report.figure("SNPs", static_cast<std::int64_t>(figures.snps));
  context.report.figure("indels", static_cast<std::int64_t>(figures.indels));
  context.report.figure("heterozygous", static_cast<std::int64_t>(figures.heterozygous));
  context.report.figure("fragments", static_cast<std::int64_t>(figures.fragments));
  context.report.figure("duplicates", static_cast<std::int64_t>(figures.duplicates));
  context.report.figure("mean depth", depth, "x");
}

void check(const SimulateJob& job) {
  if (job.reads2 && !job.reads)
    fail(Errc::InvalidArgument, "reads2 holds second mates: give reads for the first");
  if (!job.reads && !job.truth)
    fail(Errc::InvalidArgument, "nothing to write: give reads, truth or both");
}

}  // namespace

void run_simulate(const SimulateJob& job, app::RunContext& context) {
  check(job);
  context.progress.stage("reference", 0, "bases");
  const OwnedReference owned = read_reference(job.reference, context.stop);
  const Reference& reference = owned.reference;
  const SampleVariants variants =
      job.variants ? read_variants(reference, job, context.warnings, context.stop)
                   : draw_variants(reference, job, context.stop);
  SimulateFigures figures;
  count_variants(reference, variants, figures);
  if (job.reads) {
    context.progress.stage("reads", 0, "fragments");
    ReadsWriter writer(job, context.threads, context.stop);
    for (std::uint32_t c = 0; c < variants.size(); ++c)
      writer.write(ReadSimulator(job, reference.contigs()[c].name, c, reference.codes(c),
                                 variants[c], job.reads2.has_value()),
                   figures, context.progress);
    writer.commit();
  }
  if (job.truth) write_truth(*job.truth, reference, variants, job.sample.value_or("sample"));
  context.progress.finish();
  report(figures, reference, context);
}

app::App simulate_app() {
  app::Describe<SimulateJob> d("genomics simulate",
                               "Makes reads of a diploid sample whose variants are known");
  d.help(
      "Puts variants into both haplotypes of a reference and reads them as a sequencer of short "
      "reads does: fragments of normally distributed length from either strand, qualities that "
      "fall along the read, errors as often as the qualities say, indel errors, duplicates. "
      "Fragments shorter than a read go on into the adapter. The reads come contig by contig.\n\n"
      "Variants are drawn, or come from a file: VCF or BCF with a sample's genotypes (phases are "
      "kept, others drawn), or a list of sites of which a share is taken: VCF without samples, or "
      "HISAT2's .snp. truth holds what was put in, phased.\n\n"
      "Reads are called sim.NUMBER:HAPLOTYPE:STRAND:POS1:POS2:CONTIG (dup. for duplicates): "
      "STRAND is the first mate's, POS1 and POS2 the true 1-based positions of the mates' leftmost "
      "bases, 0 for a second mate that does not exist.\n\n"
      "The same seed gives the same files for any number of threads.");
  d.example(
      "aceso genomics simulate --reference chr20.fa.gz --coverage 30 --reads sim_R1.fastq.gz "
      "--reads2 sim_R2.fastq.gz --truth sim.vcf.gz --seed 7");
  d.resources({.memory_mb = 4000});
  d.input("reference", &SimulateJob::reference,
          {.kind = "fasta", .help = "genome to start from, plain or compressed"});
  d.input("variants", &SimulateJob::variants,
          {.kind = "any", .help = "VCF, BCF or HISAT2's .snp; not given: variants are drawn"});
  d.output("reads", &SimulateJob::reads,
           {.kind = "fastq", .file_name = "reads_1.fastq.gz", .help = "reads, or first mates"});
  d.output("reads2", &SimulateJob::reads2,
           {.kind = "fastq",
            .file_name = "reads_2.fastq.gz",
            .help = "second mates; not given: single reads"});
  d.output("truth", &SimulateJob::truth,
           {.kind = "vcf", .file_name = "truth.vcf.gz", .help = "the sample's variants"});
  d.option("snp_rate", &SimulateJob::snp_rate,
           {.help = "substitutions per base that are drawn", .minimum = 0, .maximum = 0.2});
  d.option(
      "indel_rate", &SimulateJob::indel_rate,
      {.help = "insertions and deletions per base that are drawn", .minimum = 0, .maximum = 0.2});
  d.option("heterozygous", &SimulateJob::heterozygous,
           {.help = "share of drawn genotypes that are heterozygous", .minimum = 0, .maximum = 1});
  d.option("share", &SimulateJob::share,
           {.help = "share of a list's sites that the sample has", .minimum = 0, .maximum = 1});
  d.option("sample", &SimulateJob::sample,
           {.help = "sample of the variants when there are several; its name in truth"});
  d.option("length", &SimulateJob::length,
           {.help = "of reads", .unit = "bases", .minimum = 20, .maximum = 1000});
  d.option(
      "coverage", &SimulateJob::coverage,
      {.help = "mean depth, duplicates included", .unit = "x", .minimum = 0, .maximum = 10000});
  d.option("insert_mean", &SimulateJob::insert_mean,
           {.help = "mean length of fragments", .unit = "bases", .minimum = 20, .maximum = 10000});
  d.option("insert_sd", &SimulateJob::insert_sd,
           {.help = "its standard deviation", .unit = "bases", .minimum = 0, .maximum = 5000});
  d.option("quality", &SimulateJob::quality,
           {.help = "mean base quality at the beginning of reads", .minimum = 2, .maximum = 41});
  d.option(
      "indel_error_rate", &SimulateJob::indel_error_rate,
      {.help = "insertions and deletions per base read wrongly", .minimum = 0, .maximum = 0.001});
  d.option(
      "artifact_rate", &SimulateJob::artifact_rate,
      {.help = "share of contexts (the 12 bases read before) behind which reads of that strand "
               "often show the same wrong base",
       .minimum = 0,
       .maximum = 0.1});
  d.option(
      "stutter_rate", &SimulateJob::stutter_rate,
      {.help = "chance that a run of one base loses or gains one, for each of its bases beyond "
               "five",
       .minimum = 0,
       .maximum = 0.1});
  d.option("duplicate_rate", &SimulateJob::duplicate_rate,
           {.help = "share of fragments that copy another one", .minimum = 0, .maximum = 0.95});
  d.option("seed", &SimulateJob::seed, {.help = "of all that is drawn"});
  d.option("compression_level", &SimulateJob::compression_level,
           {.help = "of .gz reads: 0 stores, 1 is fastest, 9 smallest",
            .minimum = 0,
            .maximum = 9,
            .advanced = true});
  d.sample({.name = "chromosome 22",
            .summary = "a sample with a third of dbSNP's variants of a megabase",
            .inputs = {{"reference", {"chr22_20-21M.fa"}}, {"variants", {"chr22_20-21M.snp"}}},
            .options = {{"coverage", 10.0}},
            .origin = "Debian package hisat2 (GRCh38 and dbSNP)"});
  return d.build(run_simulate);
}

}  // namespace aceso::genomics
