#include "metrics_app.hpp"

#include "metrics_pipeline.hpp"
#include "metrics_report.hpp"

#include "aceso/core/files.hpp"

#include <nlohmann/json.hpp>

namespace aceso::genomics {
namespace {

void write_folder(const std::filesystem::path& path, const std::vector<MetricTable>& tables,
                  const std::string& input) {
  AtomicFolder folder(path);
  for (const MetricTable& table : tables)
    write_file(folder.staging() / table.file_name, picard_text(table, input));
  folder.commit();
}

void run(const MetricsJob& job, app::RunContext& context) {
  const MetricsResult result = run_metrics(job, context);
  const std::vector<MetricTable> tables = metric_tables(result);
  if (job.folder) write_folder(*job.folder, tables, result.input);
  if (job.metrics) write_file(*job.metrics, metrics_json(tables).dump(2) + "\n");
  report_metrics(result, tables, context);
}

}  // namespace

app::App metrics_app() {
  app::Describe<MetricsJob> d("genomics metrics",
                              "Measures aligned reads: coverage, fragments, GC bias, qualities");
  d.help(
      "Reads a file of aligned reads once and tells what Picard's CollectWgsMetrics, "
      "CollectAlignmentSummaryMetrics, CollectInsertSizeMetrics, CollectGcBiasMetrics, "
      "CollectDuplicateMetrics, MeanQualityByCycle and QualityScoreDistribution tell, and with "
      "regions what CollectHsMetrics tells of targets (baits are taken to be the targets). Names, "
      "definitions and thresholds are Picard's: base and mapping quality 20, coverage up to 250. "
      "Shares called PCT are fractions.\n\n"
      "The folder holds text files of Picard's format, which MultiQC reads. Duplicates must be "
      "marked, as genomics align does. The file must be sorted by coordinate; an index is not "
      "needed. The figures are the same for any number of threads.\n\n"
      "Optical duplicates are those marked as such with the tag DT (genomics align "
      "--tag-duplicates, MarkDuplicates TAGGING_POLICY=All).\n\n"
      "Two differ from Picard on purpose: HET_SNP_SENSITIVITY is computed, not sampled; reads at a "
      "contig's very end are not counted as windows without G and C.");
  d.example(
      "aceso genomics metrics --alignments sample.bam --reference GRCh38.fa.gz --folder "
      "sample_metrics --report metrics.html");
  d.resources({.memory_mb = 6000});
  d.input("alignments", &MetricsJob::alignments,
          {.kind = "bam", .help = "aligned reads, sorted by coordinate"});
  d.input("reference", &MetricsJob::reference,
          {.kind = "fasta", .help = "the reference they were aligned to, plain or compressed"});
  d.input("regions", &MetricsJob::regions, {.kind = "bed", .help = "targets of an exome or panel"});
  d.output("folder", &MetricsJob::folder,
           {.kind = "folder",
            .file_name = "metrics",
            .help = "text files as Picard writes them, one for each kind of metrics"});
  d.output("metrics", &MetricsJob::metrics,
           {.kind = "json", .file_name = "metrics.json", .help = "all metrics as JSON"});
  d.sample(
      {.name = "chromosome 22",
       .summary = "reads of a megabase of human chromosome 22, aligned by genomics align",
       .inputs = {{"alignments", {"chr22_alignments.bam"}}, {"reference", {"chr22_20-21M.fa"}}},
       .options = {},
       .origin = "Debian package hisat2 (GRCh38 and dbSNP), genomics simulate and align"});
  return d.build(run);
}

}  // namespace aceso::genomics
