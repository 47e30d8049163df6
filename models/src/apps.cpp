#include "aceso/models/apps.hpp"

namespace aceso::models {

std::vector<app::App> apps() { return {}; }

}  // namespace aceso::models
