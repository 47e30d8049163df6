#include "commands.hpp"

#include "aceso/app/documents.hpp"
#include "aceso/app/workflow.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace aceso::cli {
namespace fs = std::filesystem;
namespace {

void write_reference(const app::AppTable& apps, const fs::path& folder) {
  fs::create_directories(folder);
  std::string index =
      "# Apps\n\nMade by `./dev docs` from the descriptions of the apps.\n\n| app | |\n| --- | --- "
      "|\n";
  for (const app::App& app : apps.all()) {
    const std::string file = replaced(app.description.name, ' ', '-') + ".md";
    write_file(folder / file, app::reference_page(app.description));
    index +=
        fmt::format("| [{}]({}) | {} |\n", app.description.name, file, app.description.summary);
  }
  write_file(folder / "README.md", index);
}

void write_workflow(const app::AppTable& apps, const std::string& language,
                    const fs::path& folder) {
  const auto known =
      std::ranges::find(app::workflow_languages(), language, &app::WorkflowLanguage::name);
  if (known == app::workflow_languages().end())
    fail(Errc::InvalidArgument,
         "--workflow: expected cwl, wdl, nextflow or snakemake, found \"{}\"", printable(language));
  fs::create_directories(folder);
  for (const app::App& app : apps.all())
    write_file(folder / (replaced(app.description.name, ' ', '-') + std::string(known->ending)),
               app::workflow_step(app.description, language));
}

void print_json(const app::AppTable& apps) {
  Json list = Json::array();
  for (const app::App& app : apps.all()) list.push_back(app::describe(app.description));
  fmt::print("{}\n", Json{{"apps", std::move(list)}}.dump());
}

}  // namespace

int apps_command(const app::AppTable& apps, const Words& words) {
  if (words.empty()) {
    for (const app::App& app : apps.all())
      fmt::print("{:<28}{}\n", app.description.name, app.description.summary);
    return 0;
  }
  if (words.size() == 1 && words[0] == "--json") {
    print_json(apps);
    return 0;
  }
  if (words.size() == 2 && words[0] == "--reference") {
    write_reference(apps, words[1]);
    return 0;
  }
  if (words.size() == 3 && words[0] == "--workflow") {
    write_workflow(apps, words[1], words[2]);
    return 0;
  }
  fmt::print(
      "usage: aceso apps              list the apps\n"
      "       aceso apps --json       the same for programs, with every option and its schema\n"
      "       aceso apps --reference FOLDER   write reference pages\n"
      "       aceso apps --workflow cwl|wdl|nextflow|snakemake FOLDER   write each app as a step "
      "of a "
      "workflow\n");
  return words[0] == "--help" ? 0 : 2;
}

int completion_command(const app::AppTable& apps, const Words& words) {
  if (words.size() != 1) fail(Errc::InvalidArgument, "usage: aceso completion bash|zsh");
  fmt::print("{}", app::completion_script(apps, command_names(), words[0]));
  return 0;
}

}  // namespace aceso::cli
