/// \file
/// Ligands from files, whatever their format.
#pragma once

#include "aceso/core/warnings.hpp"
#include "docking_ligand.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace aceso::molecules {

/// A record that may become a ligand.
struct LigandRecord {
  std::string id;
  std::string place;        ///< "FILE: record 3 (line 120)"
  bool has_places = false;  ///< in space; else they are found when it is made
  bool is_flat = false;     ///< it has those of a drawing
  /// Makes it, which may cost the search for its places. \throws Error CorruptData without naming a
  /// file.
  std::function<DockLigand(std::uint64_t seed)> make;
};

/// SDF with the atoms' places, PDBQT, SMILES and tables of them. \throws Error NotFound, Io,
/// CorruptData if there is no record, or a PDBQT is malformed.
[[nodiscard]] std::vector<LigandRecord> read_ligands(const std::filesystem::path& path);

}  // namespace aceso::molecules
