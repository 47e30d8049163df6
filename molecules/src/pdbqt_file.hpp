/// \file
/// PDBQT files, AutoDock's format of receptors and ligands: PDB with an atom type in columns 78 and
/// 79, and the tree of bonds that turn.
#pragma once

#include "docking_ligand.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::molecules {

/// Whether a file's name ends in .pdbqt, perhaps with .gz.
[[nodiscard]] bool is_pdbqt(const std::filesystem::path& path);

/// The whole text, plain or gzip. \throws Error NotFound, Io, CorruptData above 256 MB.
[[nodiscard]] std::string read_structure_text(const std::filesystem::path& path);

/// Heavy atoms with types. \throws Error CorruptData naming `source`, the line, what was expected
/// and found.
[[nodiscard]] std::vector<DockAtom> parse_pdbqt_receptor(std::string_view text,
                                                         std::string_view source);

/// The ligand of each MODEL, or of the whole text. The format knows no bond orders.
/// \throws Error CorruptData as above.
[[nodiscard]] std::vector<DockLigand> parse_pdbqt_ligands(std::string_view text,
                                                          std::string_view source);

}  // namespace aceso::molecules
