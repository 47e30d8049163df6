#include "arguments.hpp"
#include "commands.hpp"
#include "front_end.hpp"

#include "aceso/app/documents.hpp"
#include "aceso/app/runner.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"

#include <cstdio>
#include <cstdlib>

namespace aceso::cli {
namespace fs = std::filesystem;
namespace {

/// `path` without the ending of its data kind, or without its last one.
fs::path stem_of(const fs::path& path) {
  std::string name = path.filename().string();
  if (const app::Kind* kind = app::kind_of_file(name)) {
    std::size_t length = 0;
    for (const std::string_view ending : kind->endings) {
      if (to_lower(name).ends_with(ending)) length = std::max(length, ending.size());
    }
    name.resize(name.size() - length);
  } else {
    name = path.stem().string();
  }
  return path.parent_path() / name;
}

/// Where the reports go when nobody says: beside the first output, else here, named after the first
/// input.
fs::path report_stem(const app::Description& description, const Json& request) {
  for (const app::OutputSpec& output : description.outputs) {
    const auto found = request["outputs"].find(output.name);
    std::error_code ignored;
    if (found != request["outputs"].end() && !fs::is_other(found->get<std::string>(), ignored) &&
        !output.name.starts_with("report"))
      return stem_of(found->get<std::string>());
  }
  for (const app::InputSpec& input : description.inputs) {
    const auto found = request["inputs"].find(input.name);
    if (found != request["inputs"].end())
      return stem_of((found->is_array() ? found->front() : *found).get<std::string>()).filename();
  }
  return replaced(description.name, ' ', '-');
}

void add_report_outputs(const app::Description& description, Json& request) {
  const std::string stem = report_stem(description, request).string();
  if (!request["outputs"].contains("report")) request["outputs"]["report"] = stem + ".report.html";
  if (!request["outputs"].contains("report_json"))
    request["outputs"]["report_json"] = stem + ".report.json";
}

std::string quoted(const std::string& word) {
  if (!word.empty() &&
      word.find_first_not_of(
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=/.,:+@%") ==
          std::string::npos)
    return word;
  std::string safe = "'";
  for (const char c : word) safe += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return safe + "'";
}

std::string command_text(const app::Description& description, const Words& words) {
  std::string text = "aceso " + description.name;
  for (const std::string& word : words) text += " " + quoted(word);
  return text;
}

void print_job(const app::Description& description, const Arguments& arguments,
               const app::Request& checked) {
  if (arguments.print_job == "slurm") {
    const auto threads = checked.options.find("threads");
    const auto wanted =
        threads == checked.options.end() ? 1 : std::get<std::int64_t>(threads->second);
    fmt::print("{}", app::slurm_script(description, thread_budget(static_cast<unsigned>(wanted)),
                                       "job.json"));
    return;
  }
  Json job{{"app", description.name}};
  job.update(arguments.request);
  fmt::print("{}\n", job.dump(2, ' ', false, Json::error_handler_t::replace));
}

app::RunSettings settings_for(const Arguments& arguments, const std::string& command) {
  app::RunSettings settings;
  settings.launch = launch_from_environment();
  if (arguments.log_json)
    settings.progress = json_progress();
  else if (!arguments.quiet && settings.launch.rank == 0 && stderr_is_terminal())
    settings.progress = terminal_progress();
  settings.log = Log{stderr_log_sink(arguments.log_json),
                     arguments.log_json ? LogLevel::Info : LogLevel::Warning};
  const char* scratch = std::getenv("TMPDIR");
  settings.scratch_parent = scratch && *scratch ? scratch : "/tmp";
  settings.command = command;
  return settings;
}

}  // namespace

int app_command(const app::App& app, const Words& words) {
  const app::Description& description = app.description;
  Arguments arguments = parse_arguments(description, words);
  if (arguments.help) {
    fmt::print("{}", app::help_text(description));
    return 0;
  }
  if (arguments.report) add_report_outputs(description, arguments.request);
  std::vector<app::Mistake> mistakes = arguments.mistakes;
  const app::Request request =
      app::check_request(description, arguments.request, app::paths_of_this_machine(), mistakes);
  app::RunResult result;
  if (!mistakes.empty()) {
    // What cannot be found or read is bad input; all else is a matter of usage.
    const bool only_inputs = std::ranges::all_of(mistakes, [](const app::Mistake& m) {
      return m.pointer.starts_with("/inputs/") &&
             m.message.find("missing; expected") == m.message.npos &&
             !m.message.starts_with("unknown") && !m.message.starts_with("needs");
    });
    result = app::failed_result(description.name,
                                Error(only_inputs ? Errc::NotFound : Errc::InvalidArgument,
                                      app::format_mistakes(mistakes)));
  } else if (!arguments.print_job.empty()) {
    print_job(description, arguments, request);
    return 0;
  } else {
    const StopOnSignal stop;
    app::RunSettings settings = settings_for(arguments, command_text(description, words));
    settings.stop = stop.token();
    result = app::run_app(app, request, settings);
  }
  print_outcome(result);
  if (!mistakes.empty())
    tell(fmt::format("`aceso {} --help` shows what it takes\n", description.name));
  if (arguments.json)
    fmt::print("{}\n", result.to_json().dump(-1, ' ', false, Json::error_handler_t::replace));
  else if (!result.error)
    print_summary(result);
  return result.exit_code();
}

}  // namespace aceso::cli
