// The app `genomics annotate`.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::genomics {

[[nodiscard]] app::App annotate_app();

}  // namespace aceso::genomics
