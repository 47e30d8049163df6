// The description of `genomics scatter`: regions for runs side by side.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::genomics {

[[nodiscard]] app::App scatter_app();

}  // namespace aceso::genomics
