#include "merge_app.hpp"

#include "merge_alignments.hpp"
#include "text_source.hpp"
#include "vcf_merge.hpp"
#include "vcf_text_file.hpp"
#include "vcf_writer.hpp"

#include "aceso/core/error.hpp"

#include <nlohmann/json.hpp>

namespace aceso::genomics {
namespace {

struct MergeJob : MergeAlignmentsJob {
  std::vector<std::filesystem::path> pieces;
  std::optional<std::filesystem::path> variants;
};

void merge_variants(const MergeJob& job, app::RunContext& context) {
  if (job.variants) check_vcf_name(*job.variants);
  context.progress.stage("merge", total_size(job.pieces), "bytes");
  VcfMerge merge(job.pieces, context.warnings);
  std::optional<VcfTextFile> file;
  if (job.variants) file.emplace(*job.variants);
  if (file) file->write(merge.header());
  std::uint64_t records = 0;
  for (std::string line; merge.next(line); ++records) {
    if (file) file->write(line);
    if (records % 4096 == 0) {
      context.progress.advance(merge.take_source_bytes());
      if (context.stop.stop_requested()) fail(Errc::Cancelled, "the merge was stopped");
    }
  }
  if (file) file->commit(merge.longest_contig());
  context.progress.finish();

  context.metric("pieces", job.pieces.size());
  context.metric("records", records);
  context.metric("repeated", merge.repeated());
  context.report.section("Merged");
  context.report.figure("pieces", static_cast<std::int64_t>(job.pieces.size()));
  context.report.figure("records", static_cast<std::int64_t>(records));
  context.report.figure("told by two pieces", static_cast<std::int64_t>(merge.repeated()));
}

/// Calls and alignments are two jobs of one app.
void check_merge_job(const MergeJob& job) {
  const bool calls = !job.pieces.empty(), alignments = !job.aligned.empty();
  if (!calls && !alignments)
    fail(Errc::InvalidArgument, "give pieces (VCF, gVCF or BCF) or aligned (BAM, CRAM or SAM)");
  if (calls && alignments)
    fail(Errc::InvalidArgument, "pieces and aligned are both given; one of them is merged");
  if (calls && job.alignments)
    fail(Errc::InvalidArgument, "alignments are merged of aligned; calls go to variants");
  if (alignments && job.variants)
    fail(Errc::InvalidArgument, "variants are merged of pieces; aligned reads go to alignments");
  for (const std::filesystem::path& path : job.pieces) {
    const app::Kind* kind = app::kind_of_file(path.filename().string());
    if (kind != nullptr && kind->name == "bam")
      fail(Errc::InvalidArgument, "{}: pieces are calls; give aligned reads as aligned",
           path.string());
  }
}

void run_merge(const MergeJob& job, app::RunContext& context) {
  check_merge_job(job);
  if (job.aligned.empty())
    merge_variants(job, context);
  else
    merge_alignments(job, context);
}

/// A member that the job has from merging alignments.
template <typename T>
constexpr T MergeJob::* of_alignments(T MergeAlignmentsJob::* member) {
  return member;
}

}  // namespace

app::App merge_app() {
  app::Describe<MergeJob> d("genomics merge",
                            "Puts calls of pieces of a genome, or aligned reads, together in one "
                            "file");
  d.help(
      "Calls: takes VCF or gVCF files of the same samples, each of another piece of the genome, in "
      "any order, and writes their records in order. With the pieces of genomics scatter, called "
      "by genomics germline --aligned --regions, the file has the bytes of a run in one pass. All "
      "headers must declare the same contigs and samples. A record that two neighbours both tell "
      "is written once; where pieces overlap and differ, the run stops and names the file and the "
      "record. Different samples are brought together by genomics joint.\n\n"
      "Aligned reads: takes BAM, CRAM and SAM files, mixed as you like, sorted by coordinate, of "
      "the same or of different samples, and writes all their records sorted, with an index "
      "beside. Records at one place are in the order of samtools merge: forward strand first, "
      "then by file as given; so files aligned from successive parts of the reads become the file "
      "of all reads. The @SQ lines must agree. Read groups of one ID and one content are one; "
      "where "
      "only the ID is the same, the later one is renamed ID-2, in its reads too, and a warning "
      "tells. @PG chains are kept. Duplicates are marked as the files have them: those of one "
      "library across files are not sought. Every file is open at once.\n\n"
      "Each file must be sorted; memory does not grow with their length. The output is the same "
      "for any number of threads.");
  d.example(
      "aceso genomics merge --aligned lane1.bam lane2.cram --reference GRCh38.fa.gz --alignments "
      "sample.bam");
  d.resources({.memory_mb = 2000});
  d.input("pieces", &MergeJob::pieces,
          {.kind = "vcf",
           .help = "calls of pieces: VCF, gVCF or BCF, all of one kind",
           .required = false});
  d.input("aligned", of_alignments(&MergeAlignmentsJob::aligned),
          {.kind = "bam",
           .help = "instead of pieces: aligned reads, sorted by coordinate",
           .required = false});
  d.input("reference", of_alignments(&MergeAlignmentsJob::reference),
          {.kind = "fasta",
           .help = "the genome of aligned; needed if CRAM is read or written, else its contigs are "
                   "compared with the files'"});
  d.output("variants", &MergeJob::variants,
           {.kind = "vcf",
            .file_name = "merged.vcf.gz",
            .help = "the calls of all pieces",
            .needs = {"pieces"}});
  d.output("alignments", of_alignments(&MergeAlignmentsJob::alignments),
           {.kind = "bam",
            .file_name = "merged.bam",
            .help = "the reads of all files of aligned; .bam, .cram or .sam",
            .needs = {"aligned"}});
  d.option("compression_level", of_alignments(&MergeAlignmentsJob::compression_level),
           {.help = "of BAM: 0 stores, 1 is fastest, 9 smallest",
            .minimum = 0,
            .maximum = 9,
            .advanced = true});
  return d.build(run_merge);
}

}  // namespace aceso::genomics
