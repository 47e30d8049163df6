#include "reads_app.hpp"

#include "reads_pipeline.hpp"
#include "reads_report.hpp"

namespace aceso::genomics {
namespace {

using Job = ReadsJob;
using Description = app::Describe<ReadsJob>;

constexpr const char* kHelp =
    "Checks sequencing reads, measures their quality, cuts adapters and bad ends, leaves out bad "
    "reads, and writes "
    "the rest. Without an output it only measures.\n\n"
    "Reads are FASTQ: plain, gzip or BGZF, several files in order, pairs in two files or "
    "interleaved. A name that "
    "ends in .gz is written as BGZF, which every gzip reader understands. The bytes written do not "
    "depend on the "
    "number of threads.\n\n"
    "Pairs need no adapter sequence: where the mates overlap and reach beyond each other, what is "
    "beyond is "
    "adapter. For single reads the adapter is guessed from the first reads unless it is given. "
    "Bases that look "
    "like poly-G are cut when the names tell of a two-colour instrument (NextSeq 500 and 550, "
    "NovaSeq 6000). A pair "
    "is left out "
    "when one of its mates is.\n\n"
    "The rules and their defaults are those of fastp 0.23, so that counts agree.";

void add_inputs(Description& d) {
  d.input("reads", &Job::reads,
          {.kind = "fastq", .help = "reads, or first mates; several files are read in order"});
  d.input("reads2", &Job::reads2,
          {.kind = "fastq", .help = "second mates, in the order of the first", .required = false});
  d.input(
      "adapter_fasta", &Job::adapter_fasta,
      {.kind = "fasta",
       .help = "more adapters to look for in every read; those shorter than 6 bases are ignored",
       .required = false});
}

void add_outputs(Description& d) {
  d.output(
      "output", &Job::output,
      {.kind = "fastq",
       .file_name = "reads_1.fastq.gz",
       .help =
           "reads that passed, or their first mates; both mates by turns if output2 is not given"});
  d.output("output2", &Job::output2,
           {.kind = "fastq",
            .file_name = "reads_2.fastq.gz",
            .help = "second mates that passed",
            .needs = {"reads2", "interleaved"}});
  d.output("unpaired", &Job::unpaired,
           {.kind = "fastq",
            .file_name = "unpaired.fastq.gz",
            .help = "reads that passed while their mate did not",
            .needs = {"reads2", "interleaved"}});
  d.output("failed", &Job::failed,
           {.kind = "fastq",
            .file_name = "failed.fastq.gz",
            .help = "reads that were left out, as they came, with the reason behind their name"});
}

void add_file_options(Description& d) {
  d.option("interleaved", &Job::interleaved,
           {.help = "reads holds both mates of each pair, one behind the other", .group = "Files"});
  d.option("compression_level", &Job::compression_level,
           {.help = "of outputs in .gz: 0 stores, 1 is fastest, 4 makes files as small as fastp's, "
                    "9 smallest",
            .minimum = 0,
            .maximum = 9,
            .group = "Files"});
}

void add_adapter_options(Description& d) {
  const std::string group = "Adapters";
  d.option("keep_adapters", &Job::keep_adapters, {.help = "cut no adapters", .group = group});
  d.option("adapter", &Job::adapter,
           {.help = "adapter of (first) reads; not given: guessed for single reads, found by "
                    "overlap for pairs",
            .group = group});
  d.option("adapter2", &Job::adapter2,
           {.help = "adapter of second mates; not given: as adapter", .group = group});
  d.option("guess_pair_adapters", &Job::guess_pair_adapters,
           {.help = "guess adapter sequences for pairs too, for mates that do not overlap",
            .group = group});
  d.option("correct_overlap", &Job::correct_overlap,
           {.help = "where overlapping mates disagree, take the base of quality 30 or more if the "
                    "other has 14 or less",
            .group = group});
  d.option("overlap_min_length", &Job::overlap_min_length,
           {.help = "shortest overlap of mates that counts",
            .unit = "bases",
            .minimum = 1,
            .maximum = 100000,
            .group = group,
            .advanced = true});
  d.option("overlap_max_mismatches", &Job::overlap_max_mismatches,
           {.help = "mismatches allowed in it",
            .unit = "bases",
            .minimum = 0,
            .maximum = 1000,
            .group = group,
            .advanced = true});
  d.option("overlap_max_mismatch_percent", &Job::overlap_max_mismatch_percent,
           {.help = "and as a share of its length",
            .unit = "%",
            .minimum = 0,
            .maximum = 100,
            .group = group,
            .advanced = true});
}

void add_trim_options(Description& d) {
  const std::string group = "Trimming";
  d.option("trim_front", &Job::trim_front,
           {.help = "cut from the front of every read",
            .unit = "bases",
            .minimum = 0,
            .maximum = 1000000,
            .group = group});
  d.option("trim_tail", &Job::trim_tail,
           {.help = "cut from its end",
            .unit = "bases",
            .minimum = 0,
            .maximum = 1000000,
            .group = group});
  d.option("crop_length", &Job::crop_length,
           {.help = "after trimming, cut longer reads to this; 0: off",
            .unit = "bases",
            .minimum = 0,
            .group = group});
  d.option("trim_front2", &Job::trim_front2,
           {.help = "trim_front of second mates; not given: the same",
            .unit = "bases",
            .minimum = 0,
            .maximum = 1000000,
            .group = group,
            .advanced = true});
  d.option("trim_tail2", &Job::trim_tail2,
           {.help = "trim_tail of second mates; not given: the same",
            .unit = "bases",
            .minimum = 0,
            .maximum = 1000000,
            .group = group,
            .advanced = true});
  d.option("crop_length2", &Job::crop_length2,
           {.help = "crop_length of second mates; not given: the same",
            .unit = "bases",
            .minimum = 0,
            .group = group,
            .advanced = true});
  d.option("poly_g", &Job::poly_g,
           {.help = "cut tails of G; auto: when the first name tells of a two-colour instrument",
            .choices = {"auto", "on", "off"},
            .group = group});
  d.option("poly_g_min_length", &Job::poly_g_min_length,
           {.help = "shortest tail of G that is cut",
            .unit = "bases",
            .minimum = 1,
            .maximum = 100000,
            .group = group,
            .advanced = true});
  d.option("trim_poly_x", &Job::trim_poly_x, {.help = "cut tails of any one base", .group = group});
  d.option("poly_x_min_length", &Job::poly_x_min_length,
           {.help = "shortest such tail",
            .unit = "bases",
            .minimum = 1,
            .maximum = 100000,
            .group = group,
            .advanced = true});
}

void add_window_options(Description& d) {
  const std::string group = "Trimming by quality";
  d.option("cut_front", &Job::cut_front,
           {.help = "drop bases from the front until the mean quality of a window suffices",
            .group = group});
  d.option("cut_tail", &Job::cut_tail, {.help = "the same from the end", .group = group});
  d.option("cut_right", &Job::cut_right,
           {.help = "from the front, cut at the first window whose mean quality does not suffice",
            .group = group});
  d.option(
      "cut_window", &Job::cut_window,
      {.help = "size of windows", .unit = "bases", .minimum = 1, .maximum = 1000, .group = group});
  d.option("cut_mean_quality", &Job::cut_mean_quality,
           {.help = "mean quality that suffices",
            .unit = "phred",
            .minimum = 1,
            .maximum = 60,
            .group = group});
  const auto window = [&](const char* name, std::optional<int> Job::* member, const char* help) {
    d.option(name, member,
             {.help = help,
              .unit = "bases",
              .minimum = 1,
              .maximum = 1000,
              .group = group,
              .advanced = true});
  };
  const auto mean = [&](const char* name, std::optional<int> Job::* member, const char* help) {
    d.option(name, member,
             {.help = help,
              .unit = "phred",
              .minimum = 1,
              .maximum = 60,
              .group = group,
              .advanced = true});
  };
  window("cut_front_window", &Job::cut_front_window,
         "cut_window of cut_front; not given: the same");
  mean("cut_front_mean_quality", &Job::cut_front_mean_quality,
       "cut_mean_quality of cut_front; not given: the same");
  window("cut_tail_window", &Job::cut_tail_window, "cut_window of cut_tail; not given: the same");
  mean("cut_tail_mean_quality", &Job::cut_tail_mean_quality,
       "cut_mean_quality of cut_tail; not given: the same");
  window("cut_right_window", &Job::cut_right_window,
         "cut_window of cut_right; not given: the same");
  mean("cut_right_mean_quality", &Job::cut_right_mean_quality,
       "cut_mean_quality of cut_right; not given: the same");
}

void add_filter_options(Description& d) {
  const std::string group = "Filters";
  d.option("keep_low_quality", &Job::keep_low_quality,
           {.help = "leave no read out for its quality or its Ns", .group = group});
  d.option("qualified_quality", &Job::qualified_quality,
           {.help = "a base of at least this quality is qualified",
            .unit = "phred",
            .minimum = 0,
            .maximum = 93,
            .group = group});
  d.option("max_unqualified_percent", &Job::max_unqualified_percent,
           {.help = "leave out reads with more unqualified bases",
            .unit = "%",
            .minimum = 0,
            .maximum = 100,
            .group = group});
  d.option("max_n_bases", &Job::max_n_bases,
           {.help = "leave out reads with more Ns", .unit = "bases", .minimum = 0, .group = group});
  d.option("min_mean_quality", &Job::min_mean_quality,
           {.help = "leave out reads of lower mean quality; 0: off",
            .unit = "phred",
            .minimum = 0,
            .maximum = 93,
            .group = group});
  d.option("keep_any_length", &Job::keep_any_length,
           {.help = "leave no read out for its length", .group = group});
  d.option("min_length", &Job::min_length,
           {.help = "leave out shorter reads", .unit = "bases", .minimum = 0, .group = group});
  d.option(
      "max_length", &Job::max_length,
      {.help = "leave out longer reads; 0: off", .unit = "bases", .minimum = 0, .group = group});
  d.option("drop_low_complexity", &Job::drop_low_complexity,
           {.help = "leave out reads of low complexity", .group = group});
  d.option("min_complexity_percent", &Job::min_complexity_percent,
           {.help = "share of bases that differ from the next one",
            .unit = "%",
            .minimum = 0,
            .maximum = 100,
            .group = group});
}

void add_umi_options(Description& d) {
  const std::string group = "Molecular identifiers";
  d.option("umi_location", &Job::umi_location,
           {.help = "where the unique molecular identifier is; it is moved to the name",
            .choices = {"none", "index1", "index2", "read1", "read2", "per_index", "per_read"},
            .group = group});
  d.option("umi_length", &Job::umi_length,
           {.help = "its length in a read",
            .unit = "bases",
            .minimum = 0,
            .maximum = 100,
            .group = group});
  d.option("umi_skip", &Job::umi_skip,
           {.help = "bases dropped behind it",
            .unit = "bases",
            .minimum = 0,
            .maximum = 100,
            .group = group});
  d.option("umi_prefix", &Job::umi_prefix,
           {.help = "put before it in the name, with '_'", .group = group});
}

void add_samples(Description& d) {
  d.sample({.name = "lambda",
            .summary = "10,000 simulated pairs of phage lambda with many errors",
            .inputs = {{"reads", {"lambda_reads_1.fq.gz"}}, {"reads2", {"lambda_reads_2.fq.gz"}}},
            .options = {},
            .origin = "Debian package bowtie2-examples"});
  d.sample({.name = "human RNA",
            .summary = "20,000 pairs of human RNA reads, ERR127302",
            .inputs = {{"reads", {"rna_reads_1.fastq.gz"}}, {"reads2", {"rna_reads_2.fastq.gz"}}},
            .options = {},
            .origin = "Debian package r-bioc-shortread"});
}

void run(const ReadsJob& job, app::RunContext& context) {
  const ReadsResult result = run_reads(job, context);
  context.log.debug("reads.graph", {{"plan", result.plan}});
  report_reads(result, context);
}

}  // namespace

app::App reads_app() {
  Description d("genomics reads", "Checks, trims and filters sequencing reads");
  d.help(kHelp);
  d.example(
      "aceso genomics reads --reads sample_R1.fastq.gz --reads2 sample_R2.fastq.gz --output "
      "clean_R1.fastq.gz --output2 clean_R2.fastq.gz --report reads.html");
  d.resources({.memory_mb = 1000});
  add_inputs(d);
  add_outputs(d);
  add_file_options(d);
  add_adapter_options(d);
  add_trim_options(d);
  add_window_options(d);
  add_filter_options(d);
  add_umi_options(d);
  add_samples(d);
  return d.build(run);
}

}  // namespace aceso::genomics
