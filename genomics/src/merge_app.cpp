#include "merge_app.hpp"

#include "text_source.hpp"
#include "vcf_merge.hpp"
#include "vcf_text_file.hpp"
#include "vcf_writer.hpp"

#include "aceso/core/error.hpp"

#include <nlohmann/json.hpp>

namespace aceso::genomics {
namespace {

struct MergeJob {
  std::vector<std::filesystem::path> pieces;
  std::optional<std::filesystem::path> variants;
};

void run_merge(const MergeJob& job, app::RunContext& context) {
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

}  // namespace

app::App merge_app() {
  app::Describe<MergeJob> d("genomics merge",
                            "Puts the calls of pieces of a genome together in one file");
  d.help(
      "Takes VCF or gVCF files of the same samples, each of another piece of the genome, in any "
      "order, and writes their records in order. With the pieces of genomics scatter, called by "
      "genomics germline --aligned --regions, the file has the bytes of a run in one pass.\n\n"
      "All headers must declare the same contigs and samples. A record that two neighbours both "
      "tell is written once; where pieces overlap and differ, the run stops and names the file "
      "and the record. Each file must be sorted; memory does not grow with their length. "
      "Different samples are brought together by genomics joint.");
  d.example(
      "aceso genomics merge --pieces calls/0001.vcf.gz calls/0002.vcf.gz calls/0003.vcf.gz "
      "--variants sample.vcf.gz");
  d.resources({.memory_mb = 1000});
  d.input("pieces", &MergeJob::pieces,
          {.kind = "vcf", .help = "calls of pieces: VCF, gVCF or BCF, all of one kind"});
  d.output("variants", &MergeJob::variants,
           {.kind = "vcf", .file_name = "merged.vcf.gz", .help = "the calls of all pieces"});
  return d.build(run_merge);
}

}  // namespace aceso::genomics
