// `genomics metrics`.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::genomics {

[[nodiscard]] app::App metrics_app();

}  // namespace aceso::genomics
