#include "tiny_app.hpp"

#include "apps.hpp"

#include "aceso/cli/cli.hpp"
#include "aceso/core/process.hpp"

// The program of cli/main.cpp with one more app: what a new app costs is the line that adds it.
int main(int argc, char** argv) {
  aceso::tune_process();
  const auto make_apps = [] {
    aceso::app::AppTable table = aceso::all_apps();
    table.add(aceso::tests::tiny_app());
    return table;
  };
  return aceso::cli::run_command_line(argc, argv, make_apps,
                                      {aceso::all_views(), aceso::all_indexes()});
}
