#include "arguments.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <map>

namespace aceso::cli {
namespace {

/// Gives the words to CLI11 and takes all values back as text; types and ranges are checked where
/// every front end has them checked.
class Parser {
 public:
  explicit Parser(const app::Description& description) : d_(description) {
    cli_.set_help_flag();
    cli_.allow_extras();
    add_flag("help", "-h,--help");
    for (const char* flag : {"json", "quiet", "log_json", "no_report"})
      add_flag(flag, app::command_line_name(flag));
    add_option("print_job", 1);
    for (const auto& input : d_.inputs) add_option(input.name, input.many ? kMany : 1);
    for (const auto& output : d_.outputs) add_option(output.name, 1);
    for (const auto& option : d_.options) {
      if (option.type == app::OptionType::Flag)
        add_flag(option.name, app::command_line_name(option.name));
      else
        add_option(option.name, 1);
    }
  }

  Arguments parse(std::vector<std::string> words) {
    std::ranges::reverse(words);  // CLI11 takes them from the back
    try {
      cli_.parse(words);
    } catch (const CLI::ParseError& error) {
      arguments_.mistakes.push_back({"", error.what()});
    }
    collect();
    note_extras();
    return std::move(arguments_);
  }

 private:
  static constexpr int kMany = 1 << 20;

  void add_flag(const std::string& name, const std::string& spelling) {
    options_[name] = cli_.add_flag(spelling);
  }

  void add_option(const std::string& name, int most) {
    options_[name] = cli_.add_option(app::command_line_name(name))
                         ->expected(0, most)
                         ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }

  [[nodiscard]] std::vector<std::string> values(const std::string& name) const {
    return options_.at(name)->results();
  }
  [[nodiscard]] bool given(const std::string& name) const { return options_.at(name)->count() > 0; }

  void collect() {
    arguments_.help = given("help");
    arguments_.json = given("json");
    arguments_.quiet = given("quiet");
    arguments_.log_json = given("log_json");
    arguments_.report = !given("no_report");
    if (given("print_job")) arguments_.print_job = one_value("print_job");
    if (const auto& job = arguments_.print_job;
        given("print_job") && job != "json" && job != "slurm")
      arguments_.mistakes.push_back(
          {"/options/print_job", "expected json or slurm, found \"" + printable(job) + "\""});
    arguments_.request = {
        {"inputs", Json::object()}, {"options", Json::object()}, {"outputs", Json::object()}};
    for (const auto& input : d_.inputs) collect_input(input);
    for (const auto& output : d_.outputs) collect_single("outputs", output.name);
    for (const auto& option : d_.options) collect_single("options", option.name);
  }

  /// The value of an option given once; notes a mistake otherwise.
  std::string one_value(const std::string& name) {
    const auto found = values(name);
    // CLI11 stands in "{}" or "" for a value that is not there.
    if (found.size() == 1 && !found[0].empty() && found[0] != "{}") return found[0];
    const std::string what = found.size() > 1
                                 ? fmt::format("given {} times, expected once", found.size())
                                 : "needs a value";
    arguments_.mistakes.push_back({"/options/" + name, what});
    return {};
  }

  void collect_input(const app::InputSpec& input) {
    if (!given(input.name)) return;
    Json list = Json::array();
    for (const std::string& value : values(input.name)) {
      if (!value.empty() && value != "{}") list.push_back(value);
    }
    if (list.empty()) arguments_.mistakes.push_back({"/inputs/" + input.name, "needs a file"});
    if (list.size() == 1) arguments_.request["inputs"][input.name] = list[0];
    if (list.size() > 1) arguments_.request["inputs"][input.name] = list;
  }

  void collect_single(const char* place, const std::string& name) {
    if (!given(name)) return;
    const std::size_t before = arguments_.mistakes.size();
    std::string value = one_value(name);
    if (arguments_.mistakes.size() == before) arguments_.request[place][name] = std::move(value);
  }

  void note_extras() {
    std::vector<std::string> known;
    for (const auto& [name, option] : options_) known.push_back(app::command_line_name(name));
    bool after_unknown = false;
    for (const std::string& word : cli_.remaining()) {
      const bool is_option = word.starts_with('-') && word.size() > 1;
      // The word behind an unknown option is most likely its value.
      if (is_option || !after_unknown) {
        const std::string name = word.substr(0, word.find('='));
        const std::string near = is_option ? closest(name, known) : "";
        arguments_.mistakes.push_back(
            {"", fmt::format("{} \"{}\"{}", is_option ? "unknown option" : "unexpected word",
                             printable(name), near.empty() ? "" : "; did you mean " + near + "?")});
      }
      after_unknown = is_option;
    }
  }

  const app::Description& d_;
  CLI::App cli_;
  std::map<std::string, CLI::Option*> options_;
  Arguments arguments_;
};

}  // namespace

Arguments parse_arguments(const app::Description& description,
                          const std::vector<std::string>& words) {
  return Parser{description}.parse(words);
}

}  // namespace aceso::cli
