#include "align_app.hpp"

#include "align_options.hpp"
#include "align_reads.hpp"
#include "align_report.hpp"
#include "recalibrate_reads.hpp"
#include "steps.hpp"
#include "write_alignments.hpp"

#include "aceso/core/error.hpp"

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

/// Aligning alone can be kept in steps as well.
struct AlignRun : AlignJob {
  bool resume = false;
  std::optional<std::filesystem::path> work;
};

/// Where the steps of a run are kept; nothing: they are not.
std::optional<StepFolder> step_folder_of(const AlignRun& job) {
  if (!job.resume && !job.work) return std::nullopt;
  if (!job.work && !job.alignments)
    fail(Errc::InvalidArgument, "nothing is written: name alignments, or work");
  const std::filesystem::path path =
      job.work.value_or(job.alignments.value_or("").string() + ".work");
  return StepFolder(path, {{"align", align_identity(job)}, {"app", "align"}});
}

SortedReads aligned_in_steps(const AlignRun& job, const StepFolder& folder, const SeedIndex& index,
                             app::RunContext& context) {
  AlignedParts parts(folder, job);
  if (!parts.complete()) parts.align(index, true, {}, context);
  return parts.open(index.reference(), context);
}

void run_align(const AlignRun& job, app::RunContext& context) {
  check_align_job(job);
  const std::optional<StepFolder> folder = step_folder_of(job);
  context.progress.stage("index", 0, "bases");
  const SeedIndex index = open_or_build_index(job.reference, context.threads, context.stop);
  std::optional<SamWriter> writer = open_alignments(job, index.reference(), context);
  SortedReads reads = folder ? aligned_in_steps(job, *folder, index, context)
                             : align_reads(job, index, true, context);
  std::optional<std::filesystem::path> kept;
  if (folder) kept = folder->path() / kErrorsFile;
  recalibrate_reads(job, reads, index.reference(), kept, context);
  context.progress.stage("sort", reads.record_count(), "reads");
  RecordFigures figures;
  write_alignments(reads, writer ? &*writer : nullptr, &figures, context);
  if (writer) writer->commit();
  if (folder) folder->remove();
  context.progress.finish();
  report_alignment(reads.figures(), context);
  figures.report(index.reference(), context.report);
  report_recalibration(reads.finishing().recalibration.get(), context);
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
  app::Describe<AlignRun> d("genomics align",
                            "Aligns reads to a sorted, duplicate-marked BAM or CRAM file");
  d.help(std::string(
             "Aligns short reads (up to 10,000 bases) to a reference genome, sorts them by place "
             "and marks duplicates, in one pass. Scores, clips and mapping qualities are on the "
             "scale of bwa mem. Tags: NM, MD, AS, XS, MC, MQ, SA, RG; OQ and DT if they are asked "
             "for.\n\n"
             "The file written is the same for any number of threads and any amount of memory. "
             "An index (.bai, .crai) is written beside it.\n\n") +
         kIndexHelp);
  d.example(
      "aceso genomics align --reads sample_R1.fastq.gz --reads2 sample_R2.fastq.gz --reference "
      "GRCh38.fa.gz --alignments sample.bam --sample NA12878 --threads 8 --memory 16G");
  d.resources({.memory_mb = 4000});
  add_align_inputs(d);
  d.output("alignments", in_job<AlignRun>(&AlignJob::alignments),
           {.kind = "bam",
            .file_name = "alignments.bam",
            .help = "aligned reads, sorted; .bam, .cram or .sam"});
  d.output("work", &AlignRun::work,
           {.kind = "folder",
            .file_name = "work",
            .help = "keep aligned parts of the reads here and go on from those that are there; "
                    "removed at the end",
            .extra = true});
  add_align_options(d);
  d.option("resume", &AlignRun::resume,
           {.help = "keep aligned parts of the reads in ALIGNMENTS.work, and go on from there if "
                    "the run was cut off"});
  d.sample(
      chromosome_22_sample("chromosome 22", "a megabase of human chromosome 22 at 20x, simulated"));
  return d.build(run_align);
}

}  // namespace aceso::genomics
