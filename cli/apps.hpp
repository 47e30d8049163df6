/// \file
/// The apps of this build.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso {

[[nodiscard]] app::AppTable all_apps();

}  // namespace aceso
