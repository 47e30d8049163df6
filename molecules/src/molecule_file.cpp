#include "aceso/molecules/molecule_file.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/lines.hpp"
#include "aceso/lm/table.hpp"
#include "aceso/molecules/sdf_file.hpp"
#include "cells.hpp"

#include <algorithm>
#include <optional>

namespace aceso::molecules {
namespace fs = std::filesystem;
namespace {

bool is_table(const fs::path& path) {
  std::string name = to_lower(path.filename().string());
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  return name.ends_with(".csv") || name.ends_with(".tsv");
}

/// The first column with one of these names, in any case.
std::optional<std::size_t> find_column(const std::vector<std::string>& columns,
                                       const std::vector<std::string_view>& names) {
  for (const std::string_view name : names) {
    const auto found = std::ranges::find_if(
        columns, [&](const std::string& column) { return to_lower(column) == name; });
    if (found != columns.end()) return static_cast<std::size_t>(found - columns.begin());
  }
  return std::nullopt;
}

std::vector<MoleculeRecord> read_table(const fs::path& path, const std::string& id_column) {
  lm::TableReader reader(path);
  const auto smiles = find_column(reader.columns(), {"smiles", "canonical_smiles"});
  const auto id = id_column.empty() ? find_column(reader.columns(), {"id", "name", "molecule_id"})
                                    : std::optional(reader.column(id_column));
  if (!smiles)
    fail(Errc::CorruptData, "{}: expected a column \"smiles\", found {}", path.string(),
         printable(join(reader.columns(), ", "), 300));
  std::vector<MoleculeRecord> records;
  for (std::vector<std::string> cells; reader.next(cells);) {
    std::string name = id && !cells[*id].empty() ? cells[*id] : std::to_string(records.size() + 1);
    records.push_back({trimmed(cells[*smiles]), std::move(name), reader.place()});
  }
  return records;
}

std::vector<MoleculeRecord> read_sdf(const fs::path& path, const std::string& id_column) {
  SdfReader reader(path);
  std::vector<MoleculeRecord> records;
  bool is_there = id_column.empty();
  for (SdfRecord record; reader.next(record);) {
    const std::string* property = record.find(id_column);
    is_there = is_there || property != nullptr;
    std::string name = id_column.empty() ? record.title : property != nullptr ? *property : "";
    if (name.empty()) name = std::to_string(records.size() + 1);
    records.push_back({std::move(record.smiles), std::move(name), std::move(record.place),
                       std::move(record.problem)});
  }
  if (!is_there && !records.empty())
    fail(Errc::CorruptData, "{}: expected records with the property \"{}\", found none",
         path.string(), printable(id_column, 60));
  return records;
}

std::vector<MoleculeRecord> read_lines(const fs::path& path) {
  constexpr std::string_view kSpace = " \t";
  lm::Lines lines(path);
  std::vector<MoleculeRecord> records;
  std::uint64_t number = 0;
  for (std::string line; lines.next(line);) {
    ++number;
    if (number == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    line.erase(0, std::min(line.find_first_not_of(kSpace), line.size()));
    if (line.empty() || line.front() == '#') continue;
    const auto end = std::min(line.find_first_of(kSpace), line.size());
    const std::string smiles = line.substr(0, end);
    if (records.empty() && to_lower(smiles) == "smiles") continue;
    const auto begin = line.find_first_not_of(kSpace, end);
    std::string name =
        begin == std::string::npos ? std::to_string(records.size() + 1) : line.substr(begin);
    records.push_back({smiles, std::move(name), fmt::format("{}: line {}", path.string(), number)});
  }
  return records;
}

}  // namespace

std::vector<MoleculeRecord> read_molecules(const fs::path& path, const std::string& id_column) {
  const bool has_columns = is_table(path) || is_sdf(path);
  if (!has_columns && !id_column.empty())
    fail(Errc::InvalidArgument,
         "--id-column: {} is a SMILES file, whose names are behind the SMILES", path.string());
  std::vector<MoleculeRecord> records = is_table(path) ? read_table(path, id_column)
                                        : is_sdf(path) ? read_sdf(path, id_column)
                                                       : read_lines(path);
  if (records.empty())
    fail(Errc::CorruptData, "{}: expected at least one molecule, found none", path.string());
  return records;
}

Molecule molecule_of(const MoleculeRecord& record) {
  if (!record.problem.empty()) fail(Errc::CorruptData, "{}", record.problem);
  return parse_smiles(record.smiles);
}

}  // namespace aceso::molecules
