#include "aceso/proteins/apps.hpp"

namespace aceso::proteins {

std::vector<app::App> apps() { return {}; }

}  // namespace aceso::proteins
