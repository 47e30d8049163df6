#include "fit_data.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"
#include "aceso/lm/table.hpp"
#include "aceso/molecules/preparation.hpp"
#include "aceso/molecules/sdf_file.hpp"
#include "bond_features.hpp"
#include "cells.hpp"
#include "ensemble.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>

namespace aceso::molecules {
namespace fs = std::filesystem;
namespace {

/// Cells by the names of their columns: of a table, or the properties of an SDF file.
class Rows {
 public:
  virtual ~Rows() = default;
  [[nodiscard]] virtual const std::vector<std::string>& columns() const = 0;
  virtual bool next(std::vector<std::string>& cells) = 0;
  [[nodiscard]] virtual std::string place() const = 0;
  /// Why the row just read is no molecule; empty where its SMILES tells.
  [[nodiscard]] virtual std::string problem() const { return {}; }

  [[nodiscard]] bool has(const std::string& name) const {
    return std::ranges::find(columns(), name) != columns().end();
  }
  /// \throws Error CorruptData naming the columns that there are if it lacks or comes twice.
  [[nodiscard]] std::size_t column(const std::string& name, const fs::path& path) const {
    if (std::ranges::count(columns(), name) != 1)
      fail(Errc::CorruptData, "{}: expected one column \"{}\", found {}", path.string(),
           printable(name, 60), printable(join(columns(), ", "), 300));
    return static_cast<std::size_t>(std::ranges::find(columns(), name) - columns().begin());
  }
};

class TableRows : public Rows {
 public:
  explicit TableRows(const fs::path& path) : reader_(path) {}
  [[nodiscard]] const std::vector<std::string>& columns() const override {
    return reader_.columns();
  }
  bool next(std::vector<std::string>& cells) override { return reader_.next(cells); }
  [[nodiscard]] std::string place() const override { return reader_.place(); }

 private:
  lm::TableReader reader_;
};

/// Which properties there are only the last record tells, so all are held.
class SdfRows : public Rows {
 public:
  explicit SdfRows(const fs::path& path) {
    SdfReader reader(path);
    for (SdfRecord record; reader.next(record);) {
      for (const auto& [name, text] : record.properties)
        if (name != kSmiles && !has(name)) columns_.push_back(name);
      records_.push_back(std::move(record));
    }
  }
  [[nodiscard]] const std::vector<std::string>& columns() const override { return columns_; }
  bool next(std::vector<std::string>& cells) override {
    if (next_ == records_.size()) return false;
    const SdfRecord& record = records_[next_++];
    cells.assign(columns_.size(), "");
    cells[0] = record.smiles;
    for (std::size_t i = 1; i < columns_.size(); ++i)
      if (const std::string* text = record.find(columns_[i])) cells[i] = *text;
    return true;
  }
  [[nodiscard]] std::string place() const override { return records_[next_ - 1].place; }
  [[nodiscard]] std::string problem() const override { return records_[next_ - 1].problem; }

 private:
  static constexpr const char* kSmiles = "smiles";  ///< what the structure is called as a column
  std::vector<std::string> columns_{kSmiles};
  std::vector<SdfRecord> records_;
  std::size_t next_ = 0;
};

std::unique_ptr<Rows> open_rows(const fs::path& path) {
  if (is_sdf(path)) return std::make_unique<SdfRows>(path);
  return std::make_unique<TableRows>(path);
}

std::size_t smiles_column(const Rows& rows, const std::string& name, const fs::path& path) {
  if (name == "smiles" && !rows.has(name))
    for (std::size_t i = 0; i < rows.columns().size(); ++i)
      if (to_lower(rows.columns()[i]) == name) return i;
  return rows.column(name, path);
}

/// Targets by name. A name with a comma in it can be the only one.
std::vector<std::string> target_names(const Rows& rows, const std::string& text) {
  if (rows.has(text)) return {text};
  std::vector<std::string> names;
  for (const std::string& part : split(text, ',')) {
    std::string name = trimmed(part);
    if (name.empty()) continue;
    if (std::ranges::find(names, name) != names.end())
      fail(Errc::InvalidArgument, "--targets: \"{}\" is named twice", printable(name, 60));
    names.push_back(std::move(name));
  }
  if (names.empty())
    fail(Errc::InvalidArgument,
         "--targets: expected names of columns with what was measured; the table has {}",
         printable(join(rows.columns(), ", "), 300));
  return names;
}

struct Places {
  std::size_t smiles = 0;
  std::vector<std::size_t> targets;
  std::optional<std::size_t> split;

  Places(const Rows& rows, const fs::path& path, const FitColumns& columns,
         const std::vector<std::string>& names)
      : smiles(smiles_column(rows, columns.smiles, path)) {
    for (const std::string& name : names) targets.push_back(rows.column(name, path));
    if (!columns.split.empty()) split = rows.column(columns.split, path);
    if (std::ranges::find(targets, smiles) != targets.end())
      fail(Errc::InvalidArgument, "--targets: \"{}\" is the column of SMILES",
           printable(rows.columns()[smiles], 60));
  }
};

FitMolecule molecule_in(const std::vector<std::string>& cells, const Rows& rows,
                        const Places& places, const FitTable& table, const FitColumns& columns) {
  FitMolecule molecule;
  molecule.smiles = trimmed(cells[places.smiles]);
  molecule.place = rows.place();
  molecule.problem = rows.problem();
  for (std::size_t t = 0; t < places.targets.size(); ++t)
    molecule.values.push_back(
        lm::number_in(cells[places.targets[t]], molecule.place, table.targets[t]));
  if (places.split)
    molecule.split = lm::parse_split(trimmed(cells[*places.split]), molecule.place, columns.split);
  return molecule;
}

/// What was made of one molecule.
struct Reading {
  std::string canonical, scaffold, problem;
  nn::BondGraphs graphs;
};

Reading read_one(const FitMolecule& given, Featuriser featuriser, bool with_features) {
  Reading reading;
  reading.problem = given.problem;
  if (!given.problem.empty()) return reading;
  try {
    const Molecule molecule = parse_smiles(given.smiles);
    reading.canonical = canonical_smiles(molecule);
    reading.scaffold = murcko_scaffold(molecule);
    add_graph(molecule, featuriser, reading.graphs);
    if (with_features) add_molecule_features(molecule, reading.graphs);
  } catch (const Error& error) {
    if (error.code() != Errc::CorruptData) throw;
    reading.problem = error.what();
  }
  return reading;
}

}  // namespace

FitTable read_fit_table(const fs::path& path, const FitColumns& columns) {
  const std::unique_ptr<Rows> rows = open_rows(path);
  FitTable table;
  table.targets = target_names(*rows, columns.targets);
  const Places places(*rows, path, columns, table.targets);
  for (std::vector<std::string> cells; rows->next(cells);) {
    FitMolecule molecule = molecule_in(cells, *rows, places, table, columns);
    if (std::ranges::all_of(molecule.values, [](double value) { return std::isnan(value); }))
      ++table.without_value;
    else
      table.molecules.push_back(std::move(molecule));
  }
  if (table.molecules.empty())
    fail(Errc::CorruptData, "{}: expected a molecule with a value in column {}, found none",
         path.string(), printable(join(table.targets, ", "), 300));
  return table;
}

bool has_classes(const FitTable& table) {
  return std::ranges::all_of(table.molecules, [](const FitMolecule& molecule) {
    return std::ranges::all_of(molecule.values, [](double value) {
      return std::isnan(value) || value == 0 || value == 1;
    });
  });
}

GraphStore read_graphs(FitTable& table, const nn::MessagePassingSpec& spec,
                       app::RunContext& context) {
  // As many are held with all their features at once.
  constexpr std::size_t kChunk = 2048, kGrain = 16;
  const Featuriser featuriser = featuriser_by_name(spec.featuriser);
  GraphStore store(spec);
  std::vector<FitMolecule> kept;
  std::string first_problem;
  context.progress.stage("read", table.molecules.size(), "molecules");
  for (std::size_t first = 0; first < table.molecules.size(); first += kChunk) {
    std::vector<Reading> readings(std::min(kChunk, table.molecules.size() - first));
    parallel_for(
        readings.size(), kGrain, context.threads,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t i = begin; i < end; ++i)
            readings[i] =
                read_one(table.molecules[first + i], featuriser, spec.molecule_features > 0);
          context.progress.advance(end - begin);
        },
        context.stop);
    for (std::size_t i = 0; i < readings.size(); ++i) {
      FitMolecule& molecule = table.molecules[first + i];
      if (!readings[i].problem.empty()) {
        if (first_problem.empty()) first_problem = readings[i].problem;
        context.warnings.add("smiles.unreadable", fmt::format("{}: {}; it is left out",
                                                              molecule.place, readings[i].problem));
        continue;
      }
      molecule.canonical = std::move(readings[i].canonical);
      molecule.scaffold = std::move(readings[i].scaffold);
      store.add(readings[i].graphs);
      kept.push_back(std::move(molecule));
    }
  }
  if (kept.empty())
    fail(Errc::CorruptData, "{}, the first of {} molecules: {}, and none of the others can be read",
         table.molecules.front().place, table.molecules.size(), first_problem);
  table.molecules = std::move(kept);
  return store;
}

Duplicates count_duplicates(const FitTable& table) {
  std::map<std::string_view, std::set<lm::Split>> seen;
  Duplicates duplicates;
  for (const FitMolecule& molecule : table.molecules) {
    std::set<lm::Split>& sets = seen[molecule.canonical];
    if (!sets.empty()) ++duplicates.rows;
    sets.insert(molecule.split);
  }
  for (const auto& [canonical, sets] : seen) duplicates.mixed += sets.size() > 1 ? 1 : 0;
  return duplicates;
}

}  // namespace aceso::molecules
