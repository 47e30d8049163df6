#include "compare_app.hpp"

#include "compare_pipeline.hpp"
#include "compare_report.hpp"

#include "aceso/core/files.hpp"

namespace aceso::genomics {
namespace {

void compare(const CompareJob& job, app::RunContext& context) {
  const CompareResult result = run_compare(job, context);
  report_compare(result, context);
  if (job.roc) write_file(*job.roc, roc_table(result.counts));
}

}  // namespace

app::App compare_app() {
  app::Describe<CompareJob> d("genomics compare", "Compares called variants with a truth set");
  d.help(
      "Counts true and false positives and false negatives by the rules of the GA4GH, as RTG "
      "vcfeval and hap.py do: variants match when their genotypes give the same haplotypes, "
      "however the files write them; phases are not compared. Alleles are trimmed, complex ones "
      "cut to pieces, substitutions of several bases counted base by base.\n\n"
      "tp and fn count variants of the truth, query_tp and fp calls: recall is tp / (tp + fn), "
      "precision query_tp / (query_tp + fp). A right allele in a wrong genotype is false and "
      "missed; fp_gt tells how many of fp are such. With regions, variants outside are used to "
      "match those inside, and not counted.\n\n"
      "Genotypes have one to eight alleles; of different numbers the shares of the alleles have to "
      "agree (1 = 1/1, 0/1 = 0/0/1/1). A missing allele ('./1') and '*' count as the reference. "
      "Symbolic alleles and genotypes of more than eight alleles are left out.");
  d.example(
      "aceso genomics compare --truth HG002_v4.2.1.vcf.gz --calls sample.vcf.gz --regions "
      "HG002_v4.2.1.bed --reference GRCh38.fa.gz --report compare.html");
  d.resources({.memory_mb = 6000});
  d.input("truth", &CompareJob::truth, {.kind = "vcf", .help = "variants known to be there"});
  d.input("calls", &CompareJob::calls, {.kind = "vcf", .help = "variants to judge"});
  d.input("reference", &CompareJob::reference,
          {.kind = "fasta", .help = "the reference of both, plain or compressed"});
  d.input("regions", &CompareJob::regions,
          {.kind = "bed", .help = "where the truth is known; not given: everywhere"});
  d.output("annotated", &CompareJob::annotated,
           {.kind = "vcf",
            .file_name = "annotated.vcf.gz",
            .help = "variants of both sets, each with its decision (BD) and match (BK)"});
  d.output("errors", &CompareJob::errors,
           {.kind = "table", .file_name = "errors.tsv", .help = "false calls and missed variants"});
  d.output("roc", &CompareJob::roc,
           {.kind = "table", .file_name = "roc.tsv", .help = "counts at each score"});
  d.option("min_quality", &CompareJob::min_quality,
           {.help = "calls of lower QUAL are left out", .minimum = 0});
  d.option("use_filtered", &CompareJob::use_filtered,
           {.help = "also take records whose FILTER is neither PASS nor '.'"});
  d.option("sample", &CompareJob::sample, {.help = "sample of the calls, when there are several"});
  d.option("truth_sample", &CompareJob::truth_sample,
           {.help = "sample of the truth, when there are several"});
  d.option("score_field", &CompareJob::score_field,
           {.help = "what calls are ranked by: QUAL, or a FORMAT or INFO field such as GQ"});
  d.sample({.name = "chromosome 22",
            .summary = "calls of genomics germline beside what genomics simulate put in",
            .inputs = {{"truth", {"chr22_truth.vcf.gz"}},
                       {"calls", {"chr22_calls.vcf.gz"}},
                       {"reference", {"chr22_20-21M.fa"}}},
            .options = {},
            .origin = "Debian package hisat2 (GRCh38 and dbSNP), genomics simulate"});
  return d.build(compare);
}

}  // namespace aceso::genomics
