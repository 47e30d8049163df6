#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"
#include "aceso/lm/table.hpp"
#include "aceso/molecules/molecule_file.hpp"
#include "aceso/molecules/preparation.hpp"
#include "aceso/molecules/similarity.hpp"
#include "apps.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace aceso::molecules {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path molecules;
  std::optional<fs::path> output, fingerprints;
  std::string properties =
      "molecular_weight,logp,tpsa,hb_donors,hb_acceptors,rotatable_bonds,rings,qed,sa_score";
  std::string filters, id_column;
  bool as_written = false;
  bool keep_duplicates = false;
  bool drop_filtered = false;
  double cluster = 0;
};

/// Clustering compares all pairs.
constexpr std::size_t kMostClustered = 200'000;

std::vector<std::string> items_of(const std::string& list) {
  return list.empty() ? std::vector<std::string>{} : split(list, ',');
}

std::vector<const Descriptor*> chosen_descriptors(const std::string& list) {
  std::vector<const Descriptor*> chosen;
  for (const std::string& name : items_of(list)) {
    const Descriptor* found = find_descriptor(name);
    if (found == nullptr) {
      std::string known;
      for (const Descriptor& d : descriptors())
        known += (known.empty() ? "" : ", ") + std::string(d.name);
      fail(Errc::InvalidArgument, "--properties: expected properties among {}, found \"{}\"", known,
           printable(name, 40));
    }
    chosen.push_back(found);
  }
  return chosen;
}

/// One record's results.
struct Prepared {
  std::string problem;  ///< empty: could be read
  std::string smiles, scaffold, filters;
  std::vector<double> properties;
  BitFingerprint bits{};
};

class Preparation {
 public:
  explicit Preparation(const Job& job)
      : job_(job),
        descriptors_(chosen_descriptors(job.properties)),
        filters_(items_of(job.filters)) {}

  [[nodiscard]] const std::vector<const Descriptor*>& descriptors() const { return descriptors_; }

  [[nodiscard]] Prepared operator()(const MoleculeRecord& record) const {
    Prepared made;
    try {
      Molecule molecule = molecule_of(record);
      if (!job_.as_written) molecule = standardised(molecule);
      made.smiles = canonical_smiles(molecule);
      made.scaffold = murcko_scaffold(molecule);
      for (const Descriptor* descriptor : descriptors_)
        made.properties.push_back(descriptor->compute(molecule));
      if (!job_.filters.empty()) made.filters = join(filters_.matches(molecule), "; ");
      if (job_.cluster > 0 || job_.fingerprints) made.bits = bit_fingerprint(molecule);
    } catch (const Error& error) {
      made.problem = error.what();
    }
    return made;
  }

 private:
  const Job& job_;
  std::vector<const Descriptor*> descriptors_;
  FilterSet filters_;
};

std::vector<Prepared> prepare(const Preparation& preparation,
                              const std::vector<MoleculeRecord>& records,
                              app::RunContext& context) {
  std::vector<Prepared> prepared(records.size());
  context.progress.stage("prepare", records.size(), "molecules");
  parallel_for(
      records.size(), 32, context.threads,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) prepared[i] = preparation(records[i]);
        context.progress.advance(end - begin);
      },
      context.stop);
  return prepared;
}

struct Counts {
  std::size_t unreadable = 0, duplicates = 0, filtered = 0;
};

/// The places of records that are kept, in order.
std::vector<std::size_t> kept_places(const Job& job, const std::vector<MoleculeRecord>& records,
                                     const std::vector<Prepared>& prepared, Warnings& warnings,
                                     Counts& counts) {
  std::vector<std::size_t> kept;
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!prepared[i].problem.empty()) {
      ++counts.unreadable;
      warnings.add("smiles.unreadable",
                   fmt::format("{}: {}", records[i].place, prepared[i].problem));
      continue;
    }
    const bool fresh = seen.emplace(prepared[i].smiles, i).second;
    counts.duplicates += fresh ? 0 : 1;
    counts.filtered += prepared[i].filters.empty() ? 0 : 1;
    if (!fresh && !job.keep_duplicates) continue;
    if (!prepared[i].filters.empty() && job.drop_filtered) continue;
    kept.push_back(i);
  }
  return kept;
}

std::vector<std::int32_t> clusters_of(const Job& job, const std::vector<Prepared>& prepared,
                                      const std::vector<std::size_t>& kept,
                                      app::RunContext& context) {
  if (job.cluster <= 0) return {};
  if (kept.size() > kMostClustered)
    fail(Errc::OutOfResources, "expected at most {} molecules to cluster, found {}", kMostClustered,
         kept.size());
  context.progress.stage("cluster", 0, "");
  std::vector<BitFingerprint> bits;
  for (const std::size_t place : kept) bits.push_back(prepared[place].bits);
  return butina_clusters(bits, job.cluster, context.threads);
}

void write_table(const Job& job, const Preparation& preparation,
                 const std::vector<MoleculeRecord>& records, const std::vector<Prepared>& prepared,
                 const std::vector<std::size_t>& kept, const std::vector<std::int32_t>& clusters) {
  if (!job.output) return;
  const char separator = lm::separator_for(*job.output);
  std::vector<std::string> cells{"id", "smiles"};
  for (const Descriptor* descriptor : preparation.descriptors())
    cells.emplace_back(descriptor->name);
  cells.emplace_back("scaffold");
  if (!job.filters.empty()) cells.emplace_back("filters");
  if (!clusters.empty()) cells.emplace_back("cluster");
  AtomicFile file(*job.output);
  file.write(lm::table_line(cells, separator));
  for (std::size_t k = 0; k < kept.size(); ++k) {
    const Prepared& one = prepared[kept[k]];
    cells = {records[kept[k]].id, one.smiles};
    for (const double value : one.properties) cells.push_back(fmt::format("{:.6g}", value));
    cells.push_back(one.scaffold);
    if (!job.filters.empty()) cells.push_back(one.filters);
    if (!clusters.empty()) cells.push_back(std::to_string(clusters[k] + 1));
    file.write(lm::table_line(cells, separator));
  }
  file.commit();
}

void write_fingerprints(const Job& job, const std::vector<MoleculeRecord>& records,
                        const std::vector<Prepared>& prepared,
                        const std::vector<std::size_t>& kept) {
  if (!job.fingerprints) return;
  std::vector<BitFingerprint> bits;
  std::vector<std::string> ids, smiles;
  for (const std::size_t place : kept) {
    bits.push_back(prepared[place].bits);
    ids.push_back(records[place].id);
    smiles.push_back(prepared[place].smiles);
  }
  FingerprintFile::write(*job.fingerprints, bits, ids, smiles);
}

/// How one property is spread over the molecules.
app::Plot histogram(const Descriptor& descriptor, const std::vector<double>& values) {
  constexpr std::size_t kBins = 30;
  const auto [low, high] = std::ranges::minmax(values);
  const double width = std::max((high - low) / kBins, 1e-9);
  std::vector<double> x, counts(kBins, 0.0);
  for (std::size_t bin = 0; bin < kBins; ++bin)
    x.push_back(low + width * (static_cast<double>(bin) + 0.5));
  for (const double value : values)
    counts[std::min(kBins - 1, static_cast<std::size_t>((value - low) / width))] += 1;
  return {.title = std::string(descriptor.name),
          .type = app::Plot::Type::Area,
          .x_label = std::string(descriptor.summary),
          .y_label = "molecules",
          .x = std::move(x),
          .series = {{"molecules", std::move(counts)}}};
}

void report(const Preparation& preparation, const std::vector<Prepared>& prepared,
            const std::vector<std::size_t>& kept, const std::vector<std::int32_t>& clusters,
            const Counts& counts, double speed, app::RunContext& context) {
  context.metric("molecules", prepared.size());
  context.metric("kept", kept.size());
  context.metric("unreadable", counts.unreadable);
  context.metric("duplicates", counts.duplicates);
  context.metric("filtered", counts.filtered);
  context.metric("molecules_per_second", speed);
  context.report.section("Molecules", "As they were read, put into standard form and kept.");
  context.report.figure("Read", static_cast<std::int64_t>(prepared.size()));
  context.report.figure("Kept", static_cast<std::int64_t>(kept.size()));
  context.report.figure("Could not be read", static_cast<std::int64_t>(counts.unreadable));
  context.report.figure("Duplicates", static_cast<std::int64_t>(counts.duplicates));
  context.report.figure("Matched by filters", static_cast<std::int64_t>(counts.filtered));
  context.report.figure("Speed", speed, "molecules/s");
  if (!clusters.empty()) {
    const auto count = static_cast<std::int64_t>(*std::ranges::max_element(clusters)) + 1;
    context.metric("clusters", count);
    context.report.figure("Clusters", count);
  }
  for (std::size_t d = 0; d < preparation.descriptors().size() && !kept.empty(); ++d) {
    std::vector<double> values;
    for (const std::size_t place : kept) values.push_back(prepared[place].properties[d]);
    context.report.plot(histogram(*preparation.descriptors()[d], values));
  }
}

void run(const Job& job, app::RunContext& context) {
  const Preparation preparation(job);
  const std::vector<MoleculeRecord> records = read_molecules(job.molecules, job.id_column);
  const auto begin = std::chrono::steady_clock::now();
  const std::vector<Prepared> prepared = prepare(preparation, records, context);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  const double speed =
      elapsed.count() > 0 ? static_cast<double>(records.size()) / elapsed.count() : 0;
  Counts counts;
  const auto kept = kept_places(job, records, prepared, context.warnings, counts);
  const auto clusters = clusters_of(job, prepared, kept, context);
  write_table(job, preparation, records, prepared, kept, clusters);
  write_fingerprints(job, records, prepared, kept);
  report(preparation, prepared, kept, clusters, counts, speed, context);
}

}  // namespace

app::App prepare_app() {
  app::Describe<Job> d{"molecules prepare", "Puts molecules into standard form and describes them"};
  d.help(
      "Reads SMILES, keeps the largest piece of each molecule without charges that a proton can "
      "take off, writes canonical SMILES with properties and the Murcko scaffold, and leaves out "
      "what cannot be read (with a warning) and what comes twice. The order of the file stays. "
      "With --filters, matches of PAINS, Brenk's or the NIH's alerts are named; with --cluster, "
      "Butina's clusters of ECFP4 fingerprints are numbered from the largest.");
  d.example(
      "aceso molecules prepare --molecules vendor.csv --filters pains,brenk --cluster 0.6 --output "
      "prepared.csv");
  d.input("molecules", &Job::molecules, {.kind = "molecules", .help = "molecules"});
  d.output("output", &Job::output,
           {.kind = "table", .file_name = "prepared.csv", .help = "molecules with properties"});
  d.output("fingerprints", &Job::fingerprints,
           {.kind = "tensors",
            .file_name = "fingerprints.safetensors",
            .help = "ECFP4 fingerprints for `molecules similar`",
            .extra = true});
  d.option("id_column", &Job::id_column,
           {.help = "column of a table, or property of an SDF file, with the molecules' names; "
                    "empty: the column id, name or molecule_id, or the title"});
  d.option("properties", &Job::properties,
           {.help = "columns: aliphatic_rings, aromatic_rings, bertz, fraction_csp3, hb_acceptors, "
                    "hb_donors, heavy_atoms, logp, molecular_weight, qed, rings, rotatable_bonds, "
                    "sa_score, tpsa"});
  d.option("filters", &Job::filters, {.help = "alerts to look for: pains, brenk, nih"});
  d.option("drop_filtered", &Job::drop_filtered, {.help = "leave out what filters match"});
  d.option("as_written", &Job::as_written, {.help = "keep salts and charges"});
  d.option("keep_duplicates", &Job::keep_duplicates, {.help = "keep what comes twice"});
  d.option("cluster", &Job::cluster,
           {.help = "put molecules at least so alike (Tanimoto) into clusters; 0: none",
            .minimum = 0,
            .maximum = 1});
  d.sample({.name = "1,000 compounds",
            .summary = "standard form, properties, and alerts of what may make trouble",
            .inputs = {{"molecules", {"nci_1000.smi"}}},
            .options = {{"filters", std::string("pains,brenk")}},
            .origin = "compounds of the NCI's open set, as Debian's rdkit-data has them"});
  d.resources({.memory_mb = 2000});
  return d.build(run);
}

}  // namespace aceso::molecules
