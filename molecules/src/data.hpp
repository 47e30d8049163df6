/// \file
/// Data of RDKit's package that are compiled in, so that results do not depend on the machine.
#pragma once

#include <string_view>

namespace aceso::molecules {

/// "first_5K.smi" or "fragment_scores.bin".
[[nodiscard]] std::string_view data_file(std::string_view name);

}  // namespace aceso::molecules
