#include "aceso/molecules/apps.hpp"

#include "apps.hpp"

namespace aceso::molecules {

std::vector<app::App> apps() {
  return {dock_app(),    evaluate_app(), fit_app(),     generate_app(), optimize_app(),
          predict_app(), prepare_app(),  similar_app(), train_app()};
}

}  // namespace aceso::molecules
