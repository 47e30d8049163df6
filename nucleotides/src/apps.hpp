/// \file
/// The toolkit's apps, one function each.
#pragma once

#include "aceso/app/app.hpp"

namespace aceso::nucleotides {

[[nodiscard]] app::App embed_app();
[[nodiscard]] app::App score_app();
[[nodiscard]] app::App generate_app();
[[nodiscard]] app::App train_app();
[[nodiscard]] app::App finetune_app();
[[nodiscard]] app::App predict_app();

}  // namespace aceso::nucleotides
