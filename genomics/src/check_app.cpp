#include "check_app.hpp"

#include "check_pipeline.hpp"
#include "report_figures.hpp"
#include "text_source.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/threads.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace aceso::genomics {
namespace {

// Of each kind of error, in the message that ends a run; the outputs have more.
constexpr std::uint64_t kShown = 5;

struct CheckJob {
  std::vector<std::filesystem::path> input;
  std::optional<std::filesystem::path> reference, findings, list;
  int limit = 20;
};

struct NamedFile {
  std::string path;
  CheckedFile checked;
};

Json json_of(const Finding& finding) {
  Json out{{"severity", name(finding.severity)},
           {"kind", finding.kind},
           {"file", finding.file},
           {"message", finding.message}};
  if (!finding.where.empty()) out["where"] = finding.where;
  if (!finding.place.empty()) out["position"] = finding.place;
  return out;
}

Json json_of(const Findings& findings, const std::vector<NamedFile>& files) {
  Json list = Json::array(), read = Json::array();
  Json counts{{"error", Json::object()}, {"warning", Json::object()}};
  for (const Finding& finding : findings.kept()) list.push_back(json_of(finding));
  for (const auto& [what, count] : findings.counts())
    counts[std::string(name(what.first))][what.second] = count;
  for (const NamedFile& file : files)
    read.push_back({{"file", file.path},
                    {"type", name(file.checked.type)},
                    {"records", file.checked.records}});
  return {{"errors", findings.errors()},
          {"warnings", findings.warnings()},
          {"counts", std::move(counts)},
          {"details", {{"files", std::move(read)}, {"findings", std::move(list)}}}};
}

std::string table_of(const Findings& findings) {
  std::string out = "severity\tkind\tfile\twhere\tposition\tmessage\n";
  for (const Finding& f : findings.kept())
    out += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", name(f.severity), f.kind,
                       printable(f.file, 4096), f.where, f.place, f.message);
  return out;
}

void report_findings(const Findings& findings, const std::vector<NamedFile>& files,
                     app::Report& report) {
  report.section("Check");
  report.figure("errors", static_cast<std::int64_t>(findings.errors()));
  report.figure("warnings", static_cast<std::int64_t>(findings.warnings()));
  std::vector<std::vector<app::Cell>> rows;
  for (const NamedFile& file : files)
    rows.push_back({file.path, std::string(name(file.checked.type)),
                    static_cast<std::int64_t>(file.checked.records)});
  report.table("Files", {{"file"}, {"type"}, {"records read"}}, std::move(rows));
  rows.clear();
  for (const auto& [what, count] : findings.counts())
    rows.push_back({std::string(name(what.first)), what.second, static_cast<std::int64_t>(count)});
  if (!rows.empty()) report.table("Kinds", {{"severity"}, {"kind"}, {"count"}}, std::move(rows));
  rows.clear();
  for (const Finding& f : findings.kept())
    rows.push_back({std::string(name(f.severity)), f.kind, f.file, f.where, f.place, f.message});
  if (!rows.empty())
    report.table("Findings, the first of each kind",
                 {{"severity"}, {"kind"}, {"file"}, {"where"}, {"position"}, {"message"}},
                 std::move(rows));
}

std::string plural(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// The first errors of each kind, a line each, and what there is in all.
std::string closing_message(const Findings& findings) {
  std::string out;
  std::map<std::string, std::uint64_t> told;
  for (const Finding& finding : findings.kept()) {
    if (finding.severity == Severity::Error && ++told[finding.kind] <= kShown)
      out += finding.text() + "\n";
  }
  std::string kinds;
  for (const auto& [what, count] : findings.counts()) {
    if (what.first == Severity::Error)
      kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count, what.second);
  }
  return out + fmt::format("{} ({}) and {}", plural(findings.errors(), "error"), kinds,
                           plural(findings.warnings(), "warning"));
}

void run_check(const CheckJob& job, app::RunContext& context) {
  OwnedReference owned;
  if (job.reference) {
    context.progress.stage("reference", 0, "bases");
    owned = read_reference(*job.reference, context.stop);
  }
  Findings findings(static_cast<std::size_t>(job.limit));
  std::vector<NamedFile> files;
  context.progress.stage("check", total_size(job.input), "bytes");
  const Reference* reference = job.reference ? &owned.reference : nullptr;
  for (const std::filesystem::path& path : job.input) files.push_back({path.string(), {}});
  std::vector<Findings> found(files.size(), findings);
  parallel_for(
      files.size(), 1, context.threads,
      [&](std::size_t i, std::size_t) {
        files[i].checked = check_file(job.input[i], reference, found[i], context);
      },
      context.stop);
  for (const Findings& of_file : found) findings.add(of_file);
  context.progress.finish();

  const Json all = json_of(findings, files);
  if (job.findings) write_file(*job.findings, table_of(findings));
  if (job.list) write_file(*job.list, all.dump(2) + "\n");
  for (const auto& [key, value] : all.items()) context.metric(key, value);
  report_findings(findings, files, context.report);
  // (In strict mode the first of these ends the run.)
  if (findings.errors() > 0) fail(Errc::CorruptData, "{}", closing_message(findings));
  for (const Finding& finding : findings.kept()) context.warnings.add(finding.kind, finding.text());
}

}  // namespace

app::App check_app() {
  app::Describe<CheckJob> d("genomics check", "Checks whether files follow their formats");
  d.help(
      "Reads SAM, BAM, CRAM, VCF, BCF, FASTA, FASTQ and BED files and tells where they break the "
      "specifications (SAM 1.6 and SAMtags, VCF 4.1 to 4.4, BED v1): what Picard's "
      "ValidateSamFile, EBI's vcf-validator and fastQValidator are for. What a file is, its first "
      "bytes tell, not its name.\n\n"
      "Each finding has a severity, a kind whose name does not change, the line or record, and "
      "what "
      "was expected and found. The command ends with 0 if there is no error and with 3 if there is "
      "one; with --strict warnings count as errors. What programs disagree on or the "
      "specification only recommends, such as flags that contradict each other, is a warning.\n\n"
      "With a reference, lengths and MD5 of contigs, NM and MD of reads and REF of variants are "
      "compared with it; CRAM may need it to be read at all.\n\n"
      "Files are read once, in memory that does not grow with them, and may be pipes (/dev/stdin). "
      "Each is read by one thread; several files are checked at once, as many as there are "
      "threads. Behind a broken record of FASTQ the next plausible one is searched, behind an "
      "error in FASTA the next '>'.");
  d.example("aceso genomics check --input sample.bam calls.vcf.gz --reference GRCh38.fa.gz");
  d.resources({.memory_mb = 500});
  d.input("input", &CheckJob::input,
          {.kind = "any", .help = "files to check, of any of these kinds"});
  d.input("reference", &CheckJob::reference,
          {.kind = "fasta", .help = "the reference that the files are of, plain or compressed"});
  d.output("findings", &CheckJob::findings,
           {.kind = "table",
            .file_name = "findings.tsv",
            .help = "the first findings of each kind, one a line"});
  d.output(
      "list", &CheckJob::list,
      {.kind = "json", .file_name = "findings.json", .help = "the same as JSON, with all counts"});
  d.option(
      "limit", &CheckJob::limit,
      {.help = "findings of each kind to tell; all are counted", .minimum = 1, .maximum = 100'000});
  d.sample({.name = "chromosome 22",
            .summary = "reads of a megabase of human chromosome 22, aligned by genomics align",
            .inputs = {{"input", {"chr22_alignments.bam"}}, {"reference", {"chr22_20-21M.fa"}}},
            .options = {},
            .origin = "Debian package hisat2 (GRCh38 and dbSNP), genomics simulate and align"});
  return d.build(run_check);
}

}  // namespace aceso::genomics
