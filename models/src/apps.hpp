/// \file
/// The toolkit's apps, one function each.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::models {

[[nodiscard]] app::App import_app();
[[nodiscard]] app::App export_app();
[[nodiscard]] app::App show_app();
[[nodiscard]] app::App verify_app();
[[nodiscard]] app::App merge_app();
[[nodiscard]] app::App get_app();

}  // namespace aceso::models
