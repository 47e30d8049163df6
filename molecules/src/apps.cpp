#include "aceso/molecules/apps.hpp"

namespace aceso::molecules {

std::vector<app::App> apps() { return {}; }

}  // namespace aceso::molecules
