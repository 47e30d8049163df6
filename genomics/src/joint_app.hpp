// The app `genomics joint`.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::genomics {

[[nodiscard]] app::App joint_app();

}  // namespace aceso::genomics
