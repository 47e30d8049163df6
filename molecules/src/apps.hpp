/// \file
/// The toolkit's apps, one function each.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::molecules {

[[nodiscard]] app::App dock_app();
[[nodiscard]] app::App evaluate_app();
[[nodiscard]] app::App fit_app();
[[nodiscard]] app::App generate_app();
[[nodiscard]] app::App optimize_app();
[[nodiscard]] app::App predict_app();
[[nodiscard]] app::App prepare_app();
[[nodiscard]] app::App similar_app();
[[nodiscard]] app::App train_app();

}  // namespace aceso::molecules
