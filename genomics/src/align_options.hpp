// The parts of a description that all apps share which take reads and a reference.
#pragma once

#include "align_job.hpp"

#include "aceso/app/app.hpp"

namespace aceso::genomics {

inline constexpr const char* kIndexHelp =
    "An index is made beside the reference (REFERENCE.aceso) when there is none or the reference "
    "has changed; where that folder cannot be written it lives as long as the run.";

/// Reads that `genomics simulate` makes of Debian's piece of chromosome 22 and its known variants.
inline app::Sample chromosome_22_sample(std::string name, std::string summary) {
  return {.name = std::move(name),
          .summary = std::move(summary),
          .inputs = {{"reads", {"chr22_reads_1.fastq.gz"}},
                     {"reads2", {"chr22_reads_2.fastq.gz"}},
                     {"reference", {"chr22_20-21M.fa"}}},
          .options = {},
          .origin = "Debian package hisat2 (GRCh38 and dbSNP), genomics simulate"};
}

/// A member of AlignJob as one of the job that derives from it.
template <typename Job, typename T>
constexpr T Job::* in_job(T AlignJob::* member) {
  return member;
}

/// Adds reads, reads2, reference and the options of aligning. `Job` derives from AlignJob.
template <typename Job>
void add_align_inputs(app::Describe<Job>& d, bool reads_required = true) {
  d.input("reads", in_job<Job>(&AlignJob::reads),
          {.kind = "fastq",
           .help = "reads, or first mates; several files are read in order",
           .required = reads_required});
  d.input("reads2", in_job<Job>(&AlignJob::reads2),
          {.kind = "fastq", .help = "second mates, in the order of the first", .required = false});
  d.input("reference", in_job<Job>(&AlignJob::reference),
          {.kind = "fasta", .help = "reference genome, plain or compressed"});
}

template <typename Job>
void add_align_options(app::Describe<Job>& d) {
  d.option("interleaved", in_job<Job>(&AlignJob::interleaved),
           {.help = "reads holds both mates of each pair, one behind the other"});
  d.option("sample", in_job<Job>(&AlignJob::sample),
           {.help = "name of the sample (SM of the read group)"});
  d.option("read_group", in_job<Job>(&AlignJob::read_group),
           {.help = "a whole @RG line, with \\t for tabs; instead of sample"});
  d.option("keep_duplicates_unmarked", in_job<Job>(&AlignJob::keep_duplicates_unmarked),
           {.help = "do not look for duplicates"});
  d.option(
      "secondary", in_job<Job>(&AlignJob::secondary),
      {.help = "write up to so many other places of each read as secondary alignments, of those "
               "whose score is at least 0.8 of the best; the primary ones stay as they are",
       .minimum = 0,
       .maximum = 15});
  d.option(
      "optical_distance", in_job<Job>(&AlignJob::optical_distance),
      {.help = "duplicates whose clusters are so near each other (in x and y of Illumina's read "
               "names) count as optical; 2500 for patterned flow cells (HiSeq X and 4000, "
               "NovaSeq), 0: do not look for them",
       .unit = "pixels",
       .minimum = 0,
       .maximum = 100000});
  d.option(
      "tag_duplicates", in_job<Job>(&AlignJob::tag_duplicates),
      {.help = "write what kind a duplicate is as Picard does: DT:Z:SQ optical, DT:Z:LB other"});
  d.option(
      "recalibrate", in_job<Job>(&AlignJob::recalibrate),
      {.help = "recalibrate base qualities by the errors seen outside variable sites, which "
               "the reads tell themselves (no list of known sites is needed); each read group by "
               "itself"});
  d.option("original_qualities", in_job<Job>(&AlignJob::original_qualities),
           {.help = "with recalibrate: keep the qualities as they were read in the tag OQ"});
  d.size_option("memory", in_job<Job>(&AlignJob::memory),
                {.help = "about how much memory may be used; what does not fit goes to the scratch "
                         "folder",
                 .minimum = 256 << 20});
  d.option("compression_level", in_job<Job>(&AlignJob::compression_level),
           {.help = "of BAM: 0 stores, 1 is fastest, 9 smallest",
            .minimum = 0,
            .maximum = 9,
            .advanced = true});
}

}  // namespace aceso::genomics
