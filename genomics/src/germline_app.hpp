// The app `genomics germline`.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::genomics {

[[nodiscard]] app::App germline_app();

}  // namespace aceso::genomics
