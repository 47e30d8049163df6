// The description of `genomics train-filter`.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::genomics {

[[nodiscard]] app::App train_filter_app();

}  // namespace aceso::genomics
