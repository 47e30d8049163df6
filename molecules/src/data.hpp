/// \file
/// Data, most of RDKit's package, that are compiled in, so that results do not depend on the
/// machine.
#pragma once

#include <string_view>

namespace aceso::molecules {

/// "first_5K.smi", "fragment_scores.bin", "FragmentDescriptors.csv" or "rdkit_2d_normalised.txt".
[[nodiscard]] std::string_view data_file(std::string_view name);

}  // namespace aceso::molecules
