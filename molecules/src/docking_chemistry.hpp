/// \file
/// From molecules to ligands and back: hydrogens, places in space, bonds that turn.
#pragma once

#include "aceso/molecules/chemistry.hpp"
#include "docking_ligand.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace aceso::molecules {

/// Whether the atoms' places are in space, not those of a drawing.
[[nodiscard]] bool has_places(const Molecule& molecule);

/// A ligand with hydrogens. Bonds turn that are single, outside rings, no amide or amidine, and
/// move something but hydrogens; those that move polar hydrogens alone are counted.
///
/// Places are the molecule's if has_places(), else found anew: ETKDGv3 (Wang et al. 2020), then
/// MMFF94s (Halgren 1999), the same for the same seed. That costs about 0.1 s for a drug.
/// \throws Error CorruptData without naming a file: several pieces, an element that docking does
/// not know, no places found.
[[nodiscard]] DockLigand ligand_of(const Molecule& molecule, std::string name, std::uint64_t seed);

/// One record of an SDF file, with its end. Without known bond orders all bonds are single.
[[nodiscard]] std::string sdf_record(
    const DockLigand& ligand, const std::vector<Vec3>& places,
    const std::vector<std::pair<std::string, std::string>>& properties);

}  // namespace aceso::molecules
