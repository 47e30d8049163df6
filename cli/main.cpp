#include "apps.hpp"

#include "aceso/cli/cli.hpp"
#include "aceso/core/process.hpp"

int main(int argc, char** argv) {
  aceso::tune_process();
  return aceso::cli::run_command_line(argc, argv, aceso::all_apps,
                                      {aceso::all_views(), aceso::all_indexes()});
}
