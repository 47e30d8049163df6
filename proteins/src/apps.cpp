#include "aceso/proteins/apps.hpp"

#include "apps.hpp"

namespace aceso::proteins {

std::vector<app::App> apps() {
  return {embed_app(), score_app(), generate_app(), train_app(), finetune_app(), predict_app()};
}

}  // namespace aceso::proteins
