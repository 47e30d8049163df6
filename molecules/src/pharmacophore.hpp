/// \file
/// Pharmacophoric points and how far apart they are.
#pragma once

#include "aceso/molecules/chemistry.hpp"

namespace aceso::molecules {

/// Features are pairs and triangles of points of eight kinds, at distances of 2, 3, …, 7 or more
/// bonds (Gobbi and Poppinger 1998). Each counts once, however often it is there.
[[nodiscard]] FeatureCounts pharmacophore_fingerprint(const Molecule& molecule);

}  // namespace aceso::molecules
