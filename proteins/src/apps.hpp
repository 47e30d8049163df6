/// \file
/// The toolkit's apps, one function each.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::proteins {

[[nodiscard]] app::App embed_app();

}  // namespace aceso::proteins
