#include "aceso/genomics/apps.hpp"

#include "reads_app.hpp"

namespace aceso::genomics {

std::vector<app::App> apps() { return {reads_app()}; }

}  // namespace aceso::genomics
