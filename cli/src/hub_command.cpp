#include "commands.hpp"
#include "front_end.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"
#include "aceso/hub/hub.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <cstdio>
#include <cstdlib>

namespace aceso::cli {
namespace fs = std::filesystem;
namespace {

/// $XDG_DATA_HOME/aceso, else ~/.local/share/aceso.
fs::path default_data_folder() {
  if (const char* data = std::getenv("XDG_DATA_HOME"); data && *data == '/')
    return fs::path(data) / "aceso";
  if (const char* home = std::getenv("HOME"); home && *home == '/')
    return fs::path(home) / ".local/share/aceso";
  return "aceso-data";
}

void print_ready(const hub::HubReady& ready, bool json) {
  if (json) {
    const Json line{{"url", ready.url}, {"token", ready.token}, {"login_url", ready.login_url}};
    fmt::print("{}\n", line.dump());
  } else {
    fmt::print(
        "The hub is up at {}\n\nOpen this link to log in; it works once, within 15 minutes:\n\n    "
        "{}\n\nCtrl-C stops the hub; runs go on.\n",
        ready.url, ready.login_url);
  }
  std::fflush(stdout);
}

}  // namespace

int hub_command(const app::AppTable& apps, const ShownFiles& shown, const Words& words) {
  CLI::App cli{
      "The server with the web console: keeps data and runs, and runs apps.\n\nExample:\n  aceso "
      "hub up --data ~/aceso --port 8765",
      "aceso hub"};
  CLI::App* up =
      cli.add_subcommand("up", "start the server on this machine and print a login link");
  cli.require_subcommand(1);
  hub::HubSettings settings{
      .data = default_data_folder(), .program = "/proc/self/exe", .port = 8765};
  std::string run_memory;
  bool json = false, log_json = false;
  settings.parallel_runs = 1;
  up->add_option("--data", settings.data, "folder that the hub keeps everything in")
      ->capture_default_str();
  up->add_option("--port", settings.port, "port; 0 takes a free one")->capture_default_str();
  up->add_option("--address", settings.address, "address to listen on")->capture_default_str();
  up->add_flag("--allow-remote", settings.allow_remote,
               "permit an address that other machines can reach; put TLS in front of it");
  up->add_option("--host", settings.hosts,
                 "host name by which browsers may reach the hub, beside localhost");
  up->add_option("--parallel-runs", settings.parallel_runs,
                 "runs at once; each gets its share of the threads")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  up->add_option("--run-memory", run_memory, "memory one run may use, such as 8G; none: no limit");
  up->add_flag("--json", json,
               "print url, token and login_url as one JSON line when the hub answers");
  up->add_flag("--log-json", log_json, "log as JSON lines");
  Words reversed(words.rbegin(), words.rend());
  try {
    cli.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", cli.get_subcommands().empty() ? cli.help() : up->help());
    return 0;
  } catch (const CLI::ParseError& error) {
    fail(Errc::InvalidArgument, "hub: {}; `aceso hub up --help` shows what it takes", error.what());
  }
  if (!run_memory.empty()) settings.run_memory_bytes = parse_size(run_memory);
  settings.program = fs::read_symlink("/proc/self/exe");
  settings.views = shown.views;
  settings.indexes = shown.indexes;
  settings.log = Log{stderr_log_sink(log_json)};
  const StopOnSignal stop;
  const unsigned left = hub::run_hub(std::move(settings), apps, stop.token(),
                                     [&](const hub::HubReady& ready) { print_ready(ready, json); });
  if (left > 0)
    tell(fmt::format("{} {} on; the next start of the hub on this data folder follows {}\n", left,
                     left == 1 ? "run goes" : "runs go", left == 1 ? "it" : "them"));
  return 0;
}

}  // namespace aceso::cli
