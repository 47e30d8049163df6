// `genomics compare`: called variants beside a truth set.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::genomics {

[[nodiscard]] app::App compare_app();

}  // namespace aceso::genomics
