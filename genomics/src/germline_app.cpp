#include "germline_app.hpp"

#include "align_options.hpp"
#include "genotype_order.hpp"
#include "germline_run.hpp"

namespace aceso::genomics {
namespace {

void add_call_options(app::Describe<GermlineJob>& d) {
  const std::string group = "Calling";
  d.option(
      "ploidy", &GermlineJob::ploidy,
      {.help = "copies of the genome; calls of more than two pass by limits of quality and strand "
               "bias, not by the learnt filter",
       .minimum = 1,
       .maximum = kMostPloidy,
       .group = group});
  d.option("sex", &GermlineJob::sex,
           {.help = "a male has one copy of X and Y, but two where both pair up (told by the "
                    "lengths of GRCh38 and GRCh37; called on X, not on Y); a female no Y; unknown: "
                    "X and Y as ploidy says",
            .choices = {"unknown", "male", "female"},
            .group = group});
  d.option("haploid_contigs", &GermlineJob::haploid_contigs,
           {.help = "contigs with one copy, with commas between them", .group = group});
  d.option("least_mapping_quality", &GermlineJob::least_mapping_quality,
           {.help = "reads below are not looked at",
            .unit = "phred",
            .minimum = 0,
            .maximum = 60,
            .group = group});
  d.option(
      "hard_filter", &GermlineJob::hard_filter,
      {.help = "what passes is decided by limits of quality and strand bias, not by the learnt "
               "filter",
       .group = group});
  d.option("repeat_errors", &GermlineJob::repeat_errors,
           {.help = "how gaps in runs and other repeats are weighed: by what the reads show of a "
                    "part of the genome, or by standard rates",
            .choices = {"learn", "standard"},
            .group = group});
  d.option("net", &GermlineJob::net,
           {.help = "ask a small convolutional net about calls of which the learnt filter is not "
                    "sure; INFO/NET tells where",
            .choices = {"on", "off"},
            .group = group});
  d.option("least_quality", &GermlineJob::least_quality,
           {.help = "calls below are not written",
            .unit = "phred",
            .minimum = 0,
            .maximum = 10000,
            .group = group});
  d.option("pass_quality", &GermlineJob::pass_quality,
           {.help = "calls below have the filter LowQual, with hard_filter",
            .unit = "phred",
            .minimum = 0,
            .maximum = 10000,
            .group = group});
}

void add_step_options(app::Describe<GermlineJob>& d) {
  const std::string group = "Steps";
  d.option("resume", &GermlineJob::resume,
           {.help = "keep finished steps in VARIANTS.work, and go on from there if the run was cut "
                    "off",
            .group = group});
  d.option("shard", &GermlineJob::shard,
           {.help = "I/N: do the I-th of N shares of one step; all shards use one folder work",
            .group = group});
  d.option("step", &GermlineJob::step,
           {.help = "align and call are shared by shards, merge comes last and writes the outputs",
            .choices = {"all", "align", "call", "merge"},
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
             "The calls are the same for any number of threads, shards and any amount of "
             "memory.\n\n") +
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
  d.input(
      "filter_model", &GermlineJob::filter_model,
      {.kind = "any",
       .help =
           "a filter of genomics train-filter; not given: the one that comes with the program"});
  d.input("ploidy_file", &GermlineJob::ploidy_file,
          {.kind = "bed",
           .help = "the fourth column tells the copies of the genome there, 0 (nothing is called) "
                   "to 8; counts more than sex, haploid_contigs and ploidy"});
  d.input("filter_net", &GermlineJob::filter_net,
          {.kind = "model",
           .help = "the net that genomics train-filter made beside filter_model, for net on"});
  d.output("variants", &GermlineJob::variants,
           {.kind = "vcf", .file_name = "variants.vcf.gz", .help = "the calls"});
  d.output("gvcf", &GermlineJob::gvcf,
           {.kind = "vcf",
            .file_name = "variants.g.vcf.gz",
            .help = "calls and, between them, how sure the reference is",
            .extra = true});
  d.output("pileups", &GermlineJob::pileups,
           {.kind = "any",
            .file_name = "pileups.safetensors",
            .help = "what the reads show around each line of variants, for genomics train-filter "
                    "--net; 1.1 KB each, held in memory",
            .extra = true});
  d.output("alignments", in_job<GermlineJob>(&AlignJob::alignments),
           {.kind = "bam",
            .file_name = "alignments.bam",
            .help = "aligned reads, sorted, duplicates marked; .bam, .cram or .sam",
            .extra = true});
  d.output("work", &GermlineJob::work,
           {.kind = "folder",
            .file_name = "work",
            .help = "keep finished steps here and go on from those that are there; removed at the "
                    "end",
            .extra = true});
  add_align_options(d);
  add_call_options(d);
  add_step_options(d);
  d.sample(
      chromosome_22_sample("chromosome 22", "a megabase of human chromosome 22 at 20x, simulated"));
  return d.build(run_germline);
}

}  // namespace aceso::genomics
