/// \file
/// Molecules from SMILES files, tables and SDF files.
#pragma once

#include "aceso/molecules/chemistry.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace aceso::molecules {

struct MoleculeRecord {
  std::string smiles;        ///< as written; of SDF canonical
  std::string id;            ///< the record's number, from 1, if it has no name
  std::string place;         ///< "FILE: line 12", "FILE: row 12" or "FILE: record 12 (line 300)"
  std::string problem = {};  ///< of SDF: why the record is no molecule; its SMILES is empty then
};

/// Reads SMILES files (a SMILES and, behind a space or tab, a name on each line; blank lines, lines
/// that begin with '#' and a first line of column names are skipped) and, by their ending, CSV and
/// TSV tables (column "smiles" in any case, and "id", "name" or "molecule_id" if there); plain or
/// gzip; and SDF files (see sdf_file.hpp), named by their titles. SMILES are not checked.
/// \param id_column the table's column or the SDF's property with the names; empty: as above.
/// \throws Error NotFound, Io, CorruptData if there is no record or no such column, InvalidArgument
/// for a column of a SMILES file.
[[nodiscard]] std::vector<MoleculeRecord> read_molecules(const std::filesystem::path& path,
                                                         const std::string& id_column = {});

/// The record's molecule. \throws Error CorruptData saying what is wrong, without naming a file.
[[nodiscard]] Molecule molecule_of(const MoleculeRecord& record);

}  // namespace aceso::molecules
