/// \file
/// A hub in a process of its own, to be killed by tests: `hub_test_server DATA START_LOG
/// PARALLEL_RUNS`. Prints one JSON line when it answers.
#include "test_hub.hpp"

#include <cstdio>

int main(int count, char** words) {
  if (count != 4) return 2;
  using namespace aceso::hub;
  try {
    const HubSettings settings{.data = words[1],
                               .program = test::fake_program(),
                               .parallel_runs = static_cast<unsigned>(std::stoi(words[3])),
                               .run_environment = {{"START_LOG", words[2]}}};
    const aceso::app::AppTable apps = test::test_apps();
    std::stop_source never;
    run_hub(settings, apps, never.get_token(), [](const HubReady& ready) {
      const aceso::Json line{{"url", ready.url}, {"token", ready.token}};
      std::printf("%s\n", line.dump().c_str());
      std::fflush(stdout);
    });
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
