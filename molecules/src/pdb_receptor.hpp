/// \file
/// Receptors from PDB files, prepared for docking.
#pragma once

#include "docking_atoms.hpp"

#include "aceso/core/warnings.hpp"

#include <string_view>
#include <vector>

namespace aceso::molecules {

/// Heavy atoms with types: of the first model, the first of alternative places; amino acids,
/// nucleotides and metal ions. Waters are left out, as is all else (with a warning: a ligand in the
/// pocket would keep others out). Donors are known by their hydrogens if the file has polar ones,
/// else by residue: then histidines are protonated at NE2, or as their names HID, HIE and HIP say.
/// \throws Error CorruptData naming `source` and the line.
[[nodiscard]] std::vector<DockAtom> parse_pdb_receptor(std::string_view text,
                                                       std::string_view source, Warnings& warnings);

}  // namespace aceso::molecules
