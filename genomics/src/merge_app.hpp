// The description of `genomics merge`: files of calls of pieces of a genome become one.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::genomics {

[[nodiscard]] app::App merge_app();

}  // namespace aceso::genomics
