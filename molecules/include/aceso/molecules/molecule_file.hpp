/// \file
/// Molecules from SMILES files and tables.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace aceso::molecules {

struct MoleculeRecord {
  std::string smiles;  ///< as written
  std::string id;      ///< the record's number, from 1, if it has no name
  std::string place;   ///< "FILE: line 12" or "FILE: row 12"
};

/// Reads SMILES files (a SMILES and, behind a space or tab, a name on each line; blank lines, lines
/// that begin with '#' and a first line of column names are skipped) and, by their ending, CSV and
/// TSV tables (column "smiles" in any case, and "id", "name" or "molecule_id" if there); plain or
/// gzip. SMILES are not checked.
/// \throws Error NotFound, Io, CorruptData if there is no record.
[[nodiscard]] std::vector<MoleculeRecord> read_molecules(const std::filesystem::path& path);

}  // namespace aceso::molecules
