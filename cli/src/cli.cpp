#include "aceso/cli/cli.hpp"

#include "commands.hpp"
#include "front_end.hpp"

#include "aceso/app/documents.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/process.hpp"
#include "aceso/core/text.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <system_error>

namespace aceso::cli {
namespace {

std::string overview(const app::AppTable& apps) {
  std::string text = fmt::format(
      "aceso {}: AI computing for life science and health care\n\n"
      "  aceso TOOLKIT APP --help      what an app does and takes\n"
      "  aceso apps [--json]           list all apps\n"
      "  aceso hub up                  start the server with the web console\n"
      "  aceso run JOB.json            run a job file\n"
      "  aceso completion bash|zsh     print a completion script\n\nApps:\n",
      version());
  for (const app::App& app : apps.all())
    text += fmt::format("  {:<28}{}\n", app.description.name, app.description.summary);
  return text;
}

/// The app that the first two words name; says what was meant if there is none.
const app::App& find_app(const app::AppTable& apps, const Words& words) {
  const std::string name = words.size() > 1 ? words[0] + " " + words[1] : words[0];
  if (const app::App* app = apps.find(name)) return *app;
  std::vector<std::string> known = command_names();
  for (const app::App& app : apps.all()) known.push_back(app.description.name);
  const std::string near = closest(name, known);
  const std::string near_first = near.empty() ? closest(words[0], command_names()) : near;
  fail(Errc::InvalidArgument, "no app or command is called \"{}\"{}; `aceso` lists them",
       printable(name), near_first.empty() ? "" : "; did you mean \"" + near_first + "\"?");
}

int dispatch(const app::AppTable& apps, const ShownFiles& shown, const Words& words) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    fmt::print("{}", overview(apps));
    return 0;
  }
  if (words[0] == "--version" || words[0] == "version") {
    fmt::print("aceso {}\n", version());
    return 0;
  }
  const Words rest(words.begin() + 1, words.end());
  using Command = int (*)(const app::AppTable&, const Words&);
  static const std::map<std::string, Command> commands{
      {"apps", apps_command}, {"run", run_command}, {"completion", completion_command}};
  if (words[0] == "hub") return hub_command(apps, shown, rest);
  if (const auto found = commands.find(words[0]); found != commands.end())
    return found->second(apps, rest);
  if (const bool toolkit_only = words.size() == 1 || words[1].starts_with("-"); toolkit_only) {
    std::string text;
    for (const app::App& app : apps.all()) {
      if (app.description.name.starts_with(words[0] + " "))
        text += fmt::format("  aceso {:<26}{}\n", app.description.name, app.description.summary);
    }
    if (!text.empty()) {
      fmt::print("{}", text);
      return 0;
    }
  }
  return app_command(find_app(apps, words), {words.begin() + 2, words.end()});
}

/// Whether what is being handled came of a reader of our output who has seen enough (`| head`).
bool reader_has_left() noexcept {
  try {
    throw;
  } catch (const std::system_error& error) {
    return error.code() == std::errc::broken_pipe;
  } catch (...) {
    return false;
  }
}

}  // namespace

const std::vector<std::string>& command_names() {
  static const std::vector<std::string> names{"apps",       "run",  "hub",
                                              "completion", "help", "version"};
  return names;
}

int run_command_line(int argc, const char* const* argv,
                     const std::function<app::AppTable()>& make_apps, const ShownFiles& shown) {
  prepare_signals();
  keep_standard_streams();
  const Words words(argv + 1, argv + argc);
  try {
    const int code = dispatch(make_apps(), shown, words);
    if (std::fflush(stdout) == 0) return code;
    if (errno != EPIPE) fail_system(errno, "write", "standard output");
    return exit_code(Errc::Cancelled);
  } catch (...) {
    if (reader_has_left()) return exit_code(Errc::Cancelled);
    const Error error = current_error();
    return report_error(error, std::ranges::find(words, "--json") != words.end());
  }
}

}  // namespace aceso::cli
