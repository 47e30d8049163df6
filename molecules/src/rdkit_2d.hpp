/// \file
/// The 200 numbers of a molecule that many trained nets read beside its graph: RDKit's descriptors,
/// each turned into its place in a distribution fitted to ChEMBL's molecules ("rdkit_2d_normalized"
/// of chemprop 1 and descriptastorus).
#pragma once

#include "aceso/molecules/chemistry.hpp"

#include <string>
#include <vector>

namespace aceso::molecules {

/// Names by RDKit's Python, in the order of the numbers.
[[nodiscard]] const std::vector<std::string>& rdkit_2d_names();

/// The descriptors as they are. A few are NaN for molecules with elements that have no parameters;
/// "Ipc", whose fitted function is 1 everywhere, is always 0 here.
[[nodiscard]] std::vector<double> rdkit_2d(const Molecule& molecule);

/// The same in [0, 1]; 0 for NaN, and for molecules without heavy atoms.
[[nodiscard]] std::vector<float> rdkit_2d_normalised(const Molecule& molecule);

}  // namespace aceso::molecules
