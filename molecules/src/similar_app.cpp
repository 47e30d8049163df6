#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"
#include "aceso/lm/table.hpp"
#include "aceso/molecules/molecule_file.hpp"
#include "aceso/molecules/similarity.hpp"
#include "apps.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace aceso::molecules {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path queries;
  std::optional<fs::path> library, fingerprints, output;
  std::int64_t top_k = 10;
  double threshold = 0;
};

/// Molecules that could be read, with their fingerprints.
struct Molecules {
  std::vector<BitFingerprint> bits;
  std::vector<std::string> ids, smiles;
};

Molecules fingerprinted(const fs::path& path, std::string_view stage, app::RunContext& context) {
  const std::vector<MoleculeRecord> records = read_molecules(path);
  std::vector<BitFingerprint> bits(records.size());
  std::vector<std::string> problems(records.size());
  context.progress.stage(stage, records.size(), "molecules");
  parallel_for(
      records.size(), 64, context.threads,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          try {
            bits[i] = bit_fingerprint(molecule_of(records[i]));
          } catch (const Error& error) {
            problems[i] = error.what();
          }
        }
        context.progress.advance(end - begin);
      },
      context.stop);
  Molecules molecules;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!problems[i].empty()) {
      context.warnings.add("smiles.unreadable",
                           fmt::format("{}: {}", records[i].place, problems[i]));
      continue;
    }
    molecules.bits.push_back(bits[i]);
    molecules.ids.push_back(records[i].id);
    molecules.smiles.push_back(records[i].smiles);
  }
  if (molecules.bits.empty())
    fail(Errc::CorruptData, "{}: expected a molecule that can be read, found none", path.string());
  return molecules;
}

/// Fingerprints with names, from either kind of library.
struct Library {
  std::optional<FingerprintFile> file;
  Molecules molecules;

  [[nodiscard]] std::span<const BitFingerprint> bits() const {
    return file ? file->bits() : std::span<const BitFingerprint>(molecules.bits);
  }
  [[nodiscard]] std::string id(std::size_t i) const {
    return file ? std::string(file->id(i)) : molecules.ids[i];
  }
  [[nodiscard]] std::string smiles(std::size_t i) const {
    return file ? std::string(file->smiles(i)) : molecules.smiles[i];
  }
};

Library open_library(const Job& job, app::RunContext& context) {
  if (job.library.has_value() == job.fingerprints.has_value())
    fail(Errc::InvalidArgument, "give either --library or --fingerprints");
  if (job.fingerprints) return {FingerprintFile(*job.fingerprints), {}};
  return {std::nullopt, fingerprinted(*job.library, "read library", context)};
}

void write_table(const Job& job, const Molecules& queries, const Library& library,
                 const std::vector<std::vector<Hit>>& hits) {
  if (!job.output) return;
  const char separator = lm::separator_for(*job.output);
  AtomicFile file(*job.output);
  file.write(lm::table_line({"query", "rank", "id", "smiles", "similarity"}, separator));
  for (std::size_t q = 0; q < hits.size(); ++q)
    for (std::size_t rank = 0; rank < hits[q].size(); ++rank) {
      const Hit& hit = hits[q][rank];
      file.write(lm::table_line({queries.ids[q], std::to_string(rank + 1), library.id(hit.index),
                                 library.smiles(hit.index), fmt::format("{:.6f}", hit.similarity)},
                                separator));
    }
  file.commit();
}

void run(const Job& job, app::RunContext& context) {
  const Library library = open_library(job, context);
  const Molecules queries = fingerprinted(job.queries, "read queries", context);
  context.progress.stage("search", 0, "");
  const auto begin = std::chrono::steady_clock::now();
  const auto hits = most_similar(library.bits(), queries.bits, static_cast<std::size_t>(job.top_k),
                                 job.threshold, context.threads, context.stop);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  write_table(job, queries, library, hits);

  const double pairs =
      static_cast<double>(library.bits().size()) * static_cast<double>(queries.bits.size());
  const double speed = elapsed.count() > 0 ? pairs / elapsed.count() : 0;
  context.metric("library", library.bits().size());
  context.metric("queries", queries.bits.size());
  context.metric("search_seconds", elapsed.count());
  context.metric("pairs_per_second", speed);
  context.report.section("Search", "Tanimoto similarity of ECFP4 fingerprints of 2,048 bits.");
  context.report.figure("Library", static_cast<std::int64_t>(library.bits().size()));
  context.report.figure("Queries", static_cast<std::int64_t>(queries.bits.size()));
  context.report.figure("Speed", speed, "pairs/s");
  std::vector<std::vector<app::Cell>> rows;
  for (std::size_t q = 0; q < hits.size() && rows.size() < 20; ++q)
    if (!hits[q].empty())
      rows.push_back({queries.ids[q], library.id(hits[q][0].index),
                      library.smiles(hits[q][0].index), hits[q][0].similarity});
  context.report.table("Nearest of the first queries",
                       {{"Query"}, {"Nearest"}, {"SMILES"}, {"Similarity"}}, std::move(rows));
}

}  // namespace

app::App similar_app() {
  app::Describe<Job> d{"molecules similar", "Finds the most similar molecules of a library"};
  d.help(
      "Compares each query with every molecule of a library by the Tanimoto similarity of ECFP4 "
      "fingerprints of 2,048 bits and lists the --top-k nearest, exactly. A library is a file of "
      "molecules, or fingerprints that `molecules prepare --fingerprints` wrote: these are mapped, "
      "not read, so that millions are searched at once.");
  d.example(
      "aceso molecules similar --queries hits.smi --fingerprints vendor.safetensors --top-k 10 "
      "--output similar.csv");
  d.input("queries", &Job::queries, {.kind = "molecules", .help = "molecules to look for"});
  d.input("library", &Job::library, {.kind = "molecules", .help = "molecules to look among"});
  d.input("fingerprints", &Job::fingerprints,
          {.kind = "tensors", .help = "a prepared library, instead of --library"});
  d.output("output", &Job::output,
           {.kind = "table", .file_name = "similar.csv", .help = "nearest molecules"});
  d.option("top_k", &Job::top_k,
           {.help = "nearest molecules for each query", .minimum = 1, .maximum = 1'000'000});
  d.option("threshold", &Job::threshold,
           {.help = "leave out what is less similar", .minimum = 0, .maximum = 1});
  d.sample({.name = "three drugs",
            .summary = "what is most like aspirin, caffeine and ibuprofen",
            .inputs = {{"queries", {"three_drugs.smi"}}, {"library", {"nci_5k.smi"}}},
            .options = {{"top_k", std::int64_t{8}}},
            .origin = "compounds of the NCI's open set, as Debian's rdkit-data has them"});
  d.resources({.memory_mb = 2000});
  return d.build(run);
}

}  // namespace aceso::molecules
