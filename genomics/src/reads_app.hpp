// The app `genomics reads`.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::genomics {

[[nodiscard]] app::App reads_app();

}  // namespace aceso::genomics
