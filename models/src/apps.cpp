#include "aceso/models/apps.hpp"

#include "apps.hpp"

namespace aceso::models {

std::vector<app::App> apps() {
  return {import_app(), export_app(), show_app(), verify_app(), merge_app(), get_app()};
}

}  // namespace aceso::models
