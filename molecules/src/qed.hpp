/// \file
/// What drug-likeness is made of.
#pragma once

#include "aceso/molecules/chemistry.hpp"

#include <vector>

namespace aceso::molecules {

struct QedProperties {
  double weight = 0, logp = 0, acceptors = 0, donors = 0, polar_surface = 0, rotatable_bonds = 0,
         aromatic_systems = 0, alerts = 0;
};

[[nodiscard]] QedProperties qed_properties(const Molecule& molecule);

/// The patterns that they count; alerts at most once each.
struct QedPatterns {
  std::vector<const char*> acceptors, alerts;
  const char *donors, *rotatable_bonds, *aliphatic_ring_atoms;
  [[nodiscard]] std::vector<const char*> all() const;  ///< in this order
};

[[nodiscard]] QedPatterns qed_patterns();

}  // namespace aceso::molecules
