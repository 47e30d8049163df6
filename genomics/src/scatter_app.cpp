#include "scatter_app.hpp"

#include "report_figures.hpp"
#include "scatter.hpp"

#include "aceso/core/files.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace aceso::genomics {
namespace {

struct ScatterJob {
  std::filesystem::path reference;
  std::optional<std::filesystem::path> regions, output, list;
  int pieces = 10;
};

/// As many digits as the last number has, but four at least, so that names sort by number.
std::string bed_name(std::size_t number, std::size_t count) {
  return fmt::format("{:0{}}.bed", number, std::max<std::size_t>(4, std::to_string(count).size()));
}

std::string bed_text(const Reference& reference, const ScatterPiece& piece) {
  std::string out;
  for (const auto& [contig, interval] : piece.intervals)
    out +=
        fmt::format("{}\t{}\t{}\n", reference.contigs()[contig].name, interval.begin, interval.end);
  return out;
}

Json json_of(const Reference& reference, const std::vector<ScatterPiece>& pieces) {
  Json out = Json::array();
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    Json intervals = Json::array();
    for (const auto& [contig, interval] : pieces[p].intervals)
      intervals.push_back({reference.contigs()[contig].name, interval.begin, interval.end});
    out.push_back({{"file", bed_name(p + 1, pieces.size())},
                   {"bases", pieces[p].bases},
                   {"intervals", std::move(intervals)}});
  }
  return {{"pieces", std::move(out)}};
}

void write_pieces(const std::filesystem::path& path, const Reference& reference,
                  const std::vector<ScatterPiece>& pieces) {
  AtomicFolder folder(path);
  for (std::size_t p = 0; p < pieces.size(); ++p)
    write_file(folder.staging() / bed_name(p + 1, pieces.size()), bed_text(reference, pieces[p]));
  folder.commit();
}

void run_scatter(const ScatterJob& job, app::RunContext& context) {
  context.progress.stage("reference", 0, "bases");
  const OwnedReference owned = read_reference(job.reference, context.stop);
  const Reference& reference = owned.reference;
  const BedRegions regions =
      job.regions ? read_bed(*job.regions, reference, context.warnings) : BedRegions(reference);
  const std::vector<ScatterPiece> pieces =
      scatter(reference, regions, static_cast<std::size_t>(job.pieces));
  if (job.output) write_pieces(*job.output, reference, pieces);
  if (job.list) write_file(*job.list, json_of(reference, pieces).dump(2) + "\n");
  context.progress.finish();

  const auto [least, most] = std::ranges::minmax(pieces, {}, &ScatterPiece::bases);
  context.metric("pieces", pieces.size());
  context.metric("least_bases", least.bases);
  context.metric("most_bases", most.bases);
  context.report.section("Pieces", "Bases that are no N.");
  context.report.figure("pieces", static_cast<std::int64_t>(pieces.size()));
  context.report.figure("smallest", static_cast<std::int64_t>(least.bases));
  context.report.figure("largest", static_cast<std::int64_t>(most.bases));
}

}  // namespace

app::App scatter_app() {
  app::Describe<ScatterJob> d("genomics scatter",
                              "Cuts a genome into pieces that can be called side by side");
  d.help(
      "Writes one BED file for each piece, for genomics germline --aligned --regions; genomics "
      "merge puts the calls together. All pieces together are the genome, or the regions given, "
      "and each has the same number of bases but for a tenth; letters N do not count.\n\n"
      "Cuts stand between contigs or regions, in runs of N, or where the caller's own pieces end, "
      "if such a place is near. A call belongs to the piece in which it begins and does not depend "
      "on the regions, so that no cut changes it.");
  d.example(
      "aceso genomics scatter --reference GRCh38.fa.gz --pieces 20 --output pieces --list "
      "pieces.json");
  d.resources({.memory_mb = 4000});
  d.input("reference", &ScatterJob::reference,
          {.kind = "fasta", .help = "reference genome, plain or compressed"});
  d.input("regions", &ScatterJob::regions,
          {.kind = "bed", .help = "what is cut; not given: the whole genome"});
  d.output("output", &ScatterJob::output,
           {.kind = "folder",
            .file_name = "pieces",
            .help = "0001.bed, 0002.bed, …, in the order of the reference"});
  d.output("list", &ScatterJob::list,
           {.kind = "json", .file_name = "pieces.json", .help = "the same as one list"});
  d.option("pieces", &ScatterJob::pieces, {.help = "how many", .minimum = 1, .maximum = 100'000});
  d.sample({.name = "chromosome 22",
            .summary = "a megabase of human chromosome 22 in four pieces",
            .inputs = {{"reference", {"chr22_20-21M.fa"}}},
            .options = {{"pieces", std::int64_t{4}}},
            .origin = "Debian package hisat2 (GRCh38)"});
  return d.build(run_scatter);
}

}  // namespace aceso::genomics
