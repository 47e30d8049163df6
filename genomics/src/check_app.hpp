// The description of `genomics check`: whether files follow their formats.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::genomics {

[[nodiscard]] app::App check_app();

}  // namespace aceso::genomics
