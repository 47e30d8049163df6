/// \file
/// Molecules that a search begins with when the user gives none.
#pragma once

#include <string>
#include <vector>

namespace aceso::molecules {

/// SMILES of the NCI open set's first 5,000 compounds, as RDKit's data package has them; compiled
/// in, so that a seed gives the same result everywhere.
[[nodiscard]] std::vector<std::string> default_pool();

}  // namespace aceso::molecules
