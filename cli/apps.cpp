#include "apps.hpp"

// The explicit table of toolkits: one line each, and nothing registers itself.
#ifdef ACESO_GENOMICS
#include "aceso/genomics/apps.hpp"
#endif
#ifdef ACESO_MODELS
#include "aceso/models/apps.hpp"
#endif
#ifdef ACESO_MOLECULES
#include "aceso/molecules/apps.hpp"
#endif
#ifdef ACESO_NUCLEOTIDES
#include "aceso/nucleotides/apps.hpp"
#endif
#ifdef ACESO_PROTEINS
#include "aceso/proteins/apps.hpp"
#endif

namespace aceso {

app::AppTable all_apps() {
  app::AppTable table;
  [[maybe_unused]] const auto add = [&](std::vector<app::App> apps) {
    for (app::App& each : apps) table.add(std::move(each));
  };
#ifdef ACESO_GENOMICS
  add(genomics::apps());
#endif
#ifdef ACESO_MODELS
  add(models::apps());
#endif
#ifdef ACESO_MOLECULES
  add(molecules::apps());
#endif
#ifdef ACESO_NUCLEOTIDES
  add(nucleotides::apps());
#endif
#ifdef ACESO_PROTEINS
  add(proteins::apps());
#endif
  return table;
}

std::vector<app::FileView> all_views() {
#ifdef ACESO_GENOMICS
  return genomics::views();
#else
  return {};
#endif
}

std::vector<app::FileIndex> all_indexes() {
#ifdef ACESO_GENOMICS
  return genomics::file_indexes();
#else
  return {};
#endif
}

}  // namespace aceso
