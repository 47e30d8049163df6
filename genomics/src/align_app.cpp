#include "align_app.hpp"

#include "align_options.hpp"
#include "align_reads.hpp"
#include "align_report.hpp"
#include "recalibrate_reads.hpp"
#include "write_alignments.hpp"

#include <nlohmann/json.hpp>

namespace aceso::genomics {
namespace {

struct IndexJob {
  std::filesystem::path reference;
  std::optional<std::filesystem::path> index;
  bool verify = false;
};

void run_index(const IndexJob& job, app::RunContext& context) {
  const std::filesystem::path path = job.index.value_or(index_path(job.reference));
  if (job.verify) {
    SeedIndex::verify(path, context.stop);
    context.report.section("Index", "Its content matches its checksum.");
    return;
  }
  context.progress.stage("index", 0, "bases");
  auto reference =
      std::make_shared<const OwnedReference>(read_reference(job.reference, context.stop));
  const SeedIndex index = SeedIndex::build(reference, context.threads, context.stop);
  index.save(path, job.reference);
  context.progress.finish();
  const Reference& genome = index.reference();
  context.metric("contigs", genome.contigs().size());
  context.metric("bases", genome.base_count());
  context.metric("seeds", index.entry_count());
  context.report.section("Index", "What the reference holds.");
  context.report.figure("bases", static_cast<std::int64_t>(genome.base_count()));
  context.report.figure("contigs", static_cast<std::int64_t>(genome.contigs().size()));
  context.report.figure("seeds", static_cast<std::int64_t>(index.entry_count()));
}

void run_align(const AlignJob& job, app::RunContext& context) {
  check_align_job(job);
  context.progress.stage("index", 0, "bases");
  const SeedIndex index = open_or_build_index(job.reference, context.threads, context.stop);
  std::optional<SamWriter> writer = open_alignments(job, index.reference(), context);
  SortedReads reads = align_reads(job, index, true, context);
  recalibrate_reads(job, reads, index.reference(), std::nullopt, context);
  context.progress.stage("sort", reads.record_count(), "reads");
  RecordFigures figures;
  write_alignments(reads, writer ? &*writer : nullptr, &figures, context);
  if (writer) writer->commit();
  context.progress.finish();
  report_alignment(reads.figures(), context);
  figures.report(index.reference(), context.report);
  report_recalibration(reads, context);
}

}  // namespace

app::App index_app() {
  app::Describe<IndexJob> d("genomics index", "Indexes a reference genome for alignment");
  d.help(std::string("Makes the index that genomics align and genomics germline read. ") +
         kIndexHelp);
  d.example("aceso genomics index --reference GRCh38.fa.gz");
  d.resources({.memory_mb = 12000});
  d.input("reference", &IndexJob::reference,
          {.kind = "fasta", .help = "reference genome, plain or compressed"});
  d.output("index", &IndexJob::index,
           {.kind = "any",
            .file_name = "reference.fa.aceso",
            .help = "the index; not given: REFERENCE.aceso beside the reference"});
  d.option("verify", &IndexJob::verify,
           {.help = "compare the index that is there with its checksum, and make none"});
  app::Sample sample = chromosome_22_sample("chromosome 22", "a megabase of human chromosome 22");
  sample.inputs = {{"reference", sample.inputs.at("reference")}};
  d.sample(std::move(sample));
  return d.build(run_index);
}

app::App align_app() {
  app::Describe<AlignJob> d("genomics align",
                            "Aligns reads to a sorted, duplicate-marked BAM or CRAM file");
  d.help(std::string(
             "Aligns short reads (up to 10,000 bases) to a reference genome, sorts them by place "
             "and marks duplicates, in one pass. Scores, clips and mapping qualities are on the "
             "scale of bwa mem. Tags: NM, MD, AS, XS, MC, MQ, SA, RG.\n\n"
             "The file written is the same for any number of threads and any amount of memory. "
             "An index (.bai, .crai) is written beside it.\n\n") +
         kIndexHelp);
  d.example(
      "aceso genomics align --reads sample_R1.fastq.gz --reads2 sample_R2.fastq.gz --reference "
      "GRCh38.fa.gz --alignments sample.bam --sample NA12878 --threads 8 --memory 16G");
  d.resources({.memory_mb = 4000});
  add_align_inputs(d);
  d.output("alignments", &AlignJob::alignments,
           {.kind = "bam",
            .file_name = "alignments.bam",
            .help = "aligned reads, sorted; .bam, .cram or .sam"});
  add_align_options(d);
  d.sample(
      chromosome_22_sample("chromosome 22", "a megabase of human chromosome 22 at 20x, simulated"));
  return d.build(run_align);
}

}  // namespace aceso::genomics
