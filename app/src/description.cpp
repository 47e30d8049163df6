#include "aceso/app/description.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

namespace aceso::app {
namespace {

template <typename Specs>
auto find_by_name(const Specs& specs, std::string_view name) noexcept -> decltype(specs.data()) {
  const auto found = std::ranges::find(specs, name, &Specs::value_type::name);
  return found == specs.end() ? nullptr : &*found;
}

bool is_snake_case(std::string_view name) {
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// A word of an app's name: as people type commands, with hyphens.
bool is_command_word(std::string_view word) {
  std::string name(word);
  std::ranges::replace(name, '-', '_');
  return is_snake_case(name) && word.back() != '-' && word.find('_') == word.npos;
}

/// Flags of every command; an app cannot use them for something else.
constexpr std::array<std::string_view, 7> kReserved{"help",     "json",      "quiet",    "version",
                                                    "log_json", "no_report", "print_job"};

/// Collects what is wrong, to say it all at once.
class Checker {
 public:
  explicit Checker(const Description& description) : d_(description) {}

  void check() {
    check_texts();
    for (const InputSpec& input : d_.inputs)
      check_port("input", input.name, input.kind, input.help);
    for (const OutputSpec& output : d_.outputs) {
      check_port("output", output.name, output.kind, output.help);
      if (output.file_name.empty() || output.file_name.find('/') != std::string::npos)
        note("output {} needs a plain file name", output.name);
      for (const std::string& need : output.needs) {
        if (!d_.find_input(need) && !d_.find_option(need))
          note("output {} needs \"{}\", which is no input or option", output.name, need);
      }
    }
    for (const OptionSpec& option : d_.options) check_option(option);
    for (const Sample& sample : d_.samples) check_sample(sample);
    if (!problems_.empty())
      fail(Errc::Internal, "description of app \"{}\": {}", d_.name, join(problems_, "; "));
  }

 private:
  template <typename... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    problems_.push_back(fmt::format(format, std::forward<Args>(args)...));
  }

  void check_texts() {
    const auto words = split(d_.name, ' ');
    if (words.size() != 2 || !std::ranges::all_of(words, is_command_word))
      note("the name must be two words, \"toolkit app\"");
    if (d_.summary.empty()) note("no summary");
    if (d_.help.empty()) note("no help");
    if (!d_.example.starts_with("aceso " + d_.name + " "))
      note("the example does not begin with \"aceso {} \"", d_.name);
  }

  void check_name(std::string_view what, const std::string& name) {
    if (!is_snake_case(name)) note("{} \"{}\" is not snake_case", what, name);
    if (std::ranges::find(kReserved, name) != kReserved.end())
      note("{} \"{}\" has a reserved name", what, name);
    if (!seen_.insert(name).second) note("the name \"{}\" is used twice", name);
  }

  void check_port(std::string_view what, const std::string& name, const std::string& kind_name,
                  const std::string& help) {
    check_name(what, name);
    if (find_by_name(kinds(), kind_name) == nullptr)
      note("{} {} has the unknown kind \"{}\"", what, name, kind_name);
    if (help.empty()) note("{} {} has no help", what, name);
  }

  void check_option(const OptionSpec& option) {
    check_name("option", option.name);
    if (option.help.empty()) note("option {} has no help", option.name);
    if (!option.default_value) return;
    if (const auto* text = std::get_if<std::string>(&*option.default_value);
        text && !option.choices.empty()) {
      if (std::ranges::find(option.choices, *text) == option.choices.end())
        note("option {}: its default is not among its choices", option.name);
    }
    const auto number = std::visit(
        [](const auto& value) -> std::optional<double> {
          if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>)
            return static_cast<double>(value);
          else
            return std::nullopt;
        },
        *option.default_value);
    if (number && ((option.minimum && *number < *option.minimum) ||
                   (option.maximum && *number > *option.maximum)))
      note("option {}: its default lies outside its range", option.name);
  }

  void check_sample(const Sample& sample) {
    for (const auto& [input, files] : sample.inputs) {
      if (!d_.find_input(input) || files.empty())
        note("sample \"{}\": no input \"{}\"", sample.name, input);
    }
    for (const auto& [option, value] : sample.options) {
      if (!d_.find_option(option)) note("sample \"{}\": no option \"{}\"", sample.name, option);
    }
  }

  const Description& d_;
  std::set<std::string> seen_;
  std::vector<std::string> problems_;
};

}  // namespace

std::string_view name(OptionType type) noexcept {
  switch (type) {
    case OptionType::Flag:
      return "flag";
    case OptionType::Integer:
      return "integer";
    case OptionType::Number:
      return "number";
    case OptionType::Text:
      return "text";
    case OptionType::Size:
      return "size";
  }
  return "text";
}

const InputSpec* Description::find_input(std::string_view input) const noexcept {
  return find_by_name(inputs, input);
}
const OutputSpec* Description::find_output(std::string_view output) const noexcept {
  return find_by_name(outputs, output);
}
const OptionSpec* Description::find_option(std::string_view option) const noexcept {
  return find_by_name(options, option);
}

std::string command_line_name(std::string_view name) { return "--" + replaced(name, '_', '-'); }

void check_description(const Description& description) { Checker{description}.check(); }

}  // namespace aceso::app
