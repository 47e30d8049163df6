#include "annotate_app.hpp"

#include "annotate_pipeline.hpp"
#include "report_figures.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace aceso::genomics {
namespace {

using app::Cell;

void report_effects(const AnnotateResult& result, app::RunContext& context) {
  app::Plot plot{.title = "Alleles by their gravest consequence",
                 .type = app::Plot::Type::Bar,
                 .x_label = "consequence",
                 .y_label = "alleles",
                 .x = {},
                 .x_names = {},
                 .series = {{"alleles", {}}},
                 .note = "An allele counts once, by its gravest consequence on any transcript."};
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < kEffectNames.size(); ++i) {
    context.metric(fmt::format("gravest.{}", kEffectNames[i]), result.gravest[i]);
    context.metric(fmt::format("consequences.{}", kEffectNames[i]), result.effects[i]);
    if (result.gravest[i] == 0 && result.effects[i] == 0) continue;
    plot.x.push_back(static_cast<double>(plot.x.size()));
    plot.x_names.emplace_back(kEffectNames[i]);
    plot.series[0].values.push_back(static_cast<double>(result.gravest[i]));
    rows.push_back({std::string(kEffectNames[i]), whole(result.gravest[i]),
                    percent(result.gravest[i], result.alleles), whole(result.effects[i])});
  }
  app::Report& report = context.report;
  report.section("Consequences", fmt::format("On {} transcripts, {} of them coding.",
                                             result.transcripts, result.coding_transcripts));
  if (!plot.x.empty()) report.plot(std::move(plot));
  report.table("By consequence",
               {{"consequence"}, {"alleles", ""}, {"share", "%"}, {"on transcripts"}},
               std::move(rows));
}

void report_notable(const AnnotateResult& result, app::Report& report) {
  if (result.notable.empty()) return;
  std::vector<std::vector<Cell>> rows;
  for (const NotableAllele& n : result.notable)
    rows.push_back({std::string(name_of(n.effect)), n.contig, static_cast<std::int64_t>(n.position),
                    n.reference.substr(0, 40), n.alternative.substr(0, 40), n.id, n.gene,
                    n.transcript, n.amino_acids});
  report.table(fmt::format("The gravest, at most {}", kNotableAlleles),
               {{"consequence"},
                {"contig"},
                {"position"},
                {"reference"},
                {"alternative"},
                {"ID"},
                {"gene"},
                {"transcript"},
                {"amino acids"}},
               std::move(rows));
}

void report_tracks(const AnnotateResult& result, app::RunContext& context) {
  if (result.tracks.empty()) return;
  std::vector<std::vector<Cell>> rows;
  Json list = Json::array();
  for (const TrackFigures& track : result.tracks) {
    rows.push_back({track.file, fmt::format("{}", fmt::join(track.columns, ", ")),
                    whole(track.alleles), percent(track.alleles, result.alleles)});
    list.push_back({{"file", track.file}, {"alleles", track.alleles}});
  }
  context.metric("tracks", list);
  context.report.section("Known variants", "Alleles that tracks know, however they write them.");
  context.report.table("Tracks", {{"track"}, {"columns"}, {"alleles"}, {"share", "%"}},
                       std::move(rows));
}

void annotate(const AnnotateJob& job, app::RunContext& context) {
  const AnnotateResult result = run_annotate(job, context);
  context.metric("records", result.records);
  context.metric("alleles", result.alleles);
  context.metric("alleles_not_spelled", result.symbolic);
  context.metric("joint_consequences", result.joint);
  app::Report& report = context.report;
  report.section("Variants");
  report.figure("records", whole(result.records));
  report.figure("alleles", whole(result.alleles));
  report.figure("symbolic and spanning alleles", whole(result.symbolic));
  if (job.genes) {
    report_effects(result, context);
    report_notable(result, report);
  }
  report_tracks(result, context);
}

}  // namespace

app::App annotate_app() {
  app::Describe<AnnotateJob> d(
      "genomics annotate",
      "Tells what is known of variants, and what they do to genes and proteins");
  d.help(
      "Adds to each line of a VCF: identifiers and INFO fields of known variants (dbSNP, ClinVar, "
      "gnomAD or any other VCF), and with genes the consequence for each transcript with the amino "
      "acids that change, as INFO/BCSQ in the form of bcftools csq, which bcftools split-vep "
      "reads.\n\n"
      "Alleles are compared one by one, trimmed, and with a reference moved left, so that an indel "
      "is found wherever in its repeat a file puts it, up to 1,000 bases away. All files must be "
      "sorted. A track with an index beside it is read only where there are variants; one without, "
      "whose contigs come in another order, once more for each contig. chr1 and "
      "1, chrM and MT are taken for the same, with a warning.\n\n"
      "INFO/BCSQ judges each allele on its own. Alleles that phased genotypes (0|1, with PS) put "
      "on "
      "one haplotype get INFO/HCSQ beside it, where they share a codon, or one shifts the reading "
      "frame for others: what they do together. chrM is translated by the vertebrate mitochondrial "
      "code.");
  d.example(
      "aceso genomics annotate --variants sample.vcf.gz --reference GRCh38.fa.gz --genes "
      "Homo_sapiens.GRCh38.gff3.gz --tracks dbsnp.vcf.gz clinvar.vcf.gz --output "
      "annotated.vcf.gz");
  d.resources({.memory_mb = 6000});
  d.input("variants", &AnnotateJob::variants,
          {.kind = "vcf", .help = "variants to annotate, sorted; VCF or BCF"});
  d.input("reference", &AnnotateJob::reference,
          {.kind = "fasta", .help = "needed with genes; moves indels left for tracks"});
  d.input(
      "genes", &AnnotateJob::genes,
      {.kind = "genes", .help = "transcripts of Ensembl, GENCODE or RefSeq, plain or compressed"});
  d.input("tracks", &AnnotateJob::tracks,
          {.kind = "vcf",
           .help = "known variants, sorted: dbSNP, ClinVar and others",
           .required = false});
  d.output("output", &AnnotateJob::output,
           {.kind = "vcf", .file_name = "annotated.vcf.gz", .help = "the variants, annotated"});
  d.option(
      "columns", &AnnotateJob::columns,
      {.help = "what to take of tracks, such as \"ID;CLNSIG,CLNDN;GNOMAD_AF:=AF\": a list for "
               "each, or one for all; empty: of ClinVar CLNSIG, CLNDN and CLNREVSTAT, of others "
               "ID"});
  d.option("hgvs", &AnnotateJob::hgvs,
           {.help = "add names of the HGVS nomenclature: INFO/HGVSG of the genome, INFO/HGVS of "
                    "transcripts and proteins; needs genes"});
  d.option("local", &AnnotateJob::local,
           {.help = "judge each allele on its own only, without INFO/HCSQ"});
  d.option("phase", &AnnotateJob::phase,
           {.help = "genotypes without phase, such as 0/1: skip them (s), take them as they stand "
                    "(a: 0|1), as alternatives on all haplotypes (R: 1|1, 1/2 as 1|2), or refuse "
                    "them (r); m makes all genotypes one haplotype (1)",
            .choices = {"s", "a", "m", "r", "R"}});
  d.sample(
      {.name = "chromosome 22",
       .summary =
           "calls of genomics germline, with names of dbSNP and open reading frames as genes",
       .inputs = {{"variants", {"chr22_calls.vcf.gz"}},
                  {"reference", {"chr22_20-21M.fa"}},
                  {"genes", {"chr22_genes.gff3"}},
                  {"tracks", {"chr22_dbsnp.vcf.gz"}}},
       .options = {},
       .origin =
           "Debian package hisat2 (GRCh38 and dbSNP); open reading frames of 150 codons or more"});
  return d.build(annotate);
}

}  // namespace aceso::genomics
