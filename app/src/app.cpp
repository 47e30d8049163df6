#include "aceso/app/app.hpp"

#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace aceso::app {
namespace {

/// What every app has beside its own.
void add_common(Description& description) {
  const auto add_option = [&](OptionSpec option) {
    if (!description.find_option(option.name)) description.options.push_back(std::move(option));
  };
  if (description.resources.uses_threads)
    add_option(
        {.name = "threads",
         .type = OptionType::Integer,
         .help = "threads to use; 0: all that this machine grants. Results do not depend on it",
         .unit = "threads",
         .default_value = std::int64_t{0},
         .minimum = 0,
         .maximum = 1024,
         .choices = {},
         .group = "Run"});
  add_option({.name = "strict",
              .type = OptionType::Flag,
              .help = "treat warnings about the input as errors",
              .unit = {},
              .default_value = false,
              .minimum = {},
              .maximum = {},
              .choices = {},
              .group = "Run",
              .advanced = true});
  description.outputs.push_back(
      {"report", "html", "report.html", "page with figures and plots, needs no network", false});
  description.outputs.push_back(
      {"report_json", "json", "report.json", "the same for programs, with provenance", false});
}

}  // namespace

void RunContext::metric(std::string_view dotted_name, Json value) const {
  Json* place = &metrics;
  for (const std::string& part : split(dotted_name, '.')) place = &(*place)[part];
  *place = std::move(value);
}

void AppTable::add(App app) {
  add_common(app.description);
  check_description(app.description);
  if (find(app.description.name))
    fail(Errc::Internal, "two apps are called \"{}\"", app.description.name);
  apps_.push_back(std::move(app));
  std::ranges::sort(apps_, {}, [](const App& a) { return a.description.name; });
}

const App* AppTable::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(
      apps_, name, [](const App& app) -> std::string_view { return app.description.name; });
  return found == apps_.end() ? nullptr : &*found;
}

}  // namespace aceso::app
