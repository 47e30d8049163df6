// The apps `genomics index` and `genomics align`.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::genomics {

[[nodiscard]] app::App index_app();
[[nodiscard]] app::App align_app();

}  // namespace aceso::genomics
