#include "aceso/app/request.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <set>
#include <system_error>

namespace aceso::app {
namespace fs = std::filesystem;
namespace {

std::string shown(const Json& value) {
  return value.is_string()
             ? "\"" + printable(value.get<std::string>(), 60) + "\""
             : printable(value.dump(-1, ' ', false, Json::error_handler_t::replace), 60);
}

/// A number as people write it: 15, not 15.0; 0.2, not 0.20000000000000001.
std::string number_text(double value) { return fmt::format("{:.12g}", value); }

std::string range_text(const OptionSpec& option) {
  // Limits that only follow from the C++ type mean nothing to people.
  const auto meaningful = [](const std::optional<double>& limit) {
    return limit && std::abs(*limit) < 2e9;
  };
  const std::string unit = option.unit.empty() ? "" : " " + option.unit;
  if (meaningful(option.minimum) && meaningful(option.maximum))
    return fmt::format(" from {} to {}{}", number_text(*option.minimum),
                       number_text(*option.maximum), unit);
  if (meaningful(option.minimum))
    return fmt::format(" of at least {}{}", number_text(*option.minimum), unit);
  if (meaningful(option.maximum))
    return fmt::format(" of at most {}{}", number_text(*option.maximum), unit);
  return unit.empty() ? "" : " of" + unit;
}

bool in_range(const OptionSpec& option, double value) {
  return !(option.minimum && value < *option.minimum) &&
         !(option.maximum && value > *option.maximum);
}

std::optional<double> number_of(const Json& json) {
  if (json.is_number()) return json.get<double>();
  if (!json.is_string()) return std::nullopt;  // a command line has only text
  const auto& text = json.get_ref<const std::string&>();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && std::isfinite(value)
             ? std::optional(value)
             : std::nullopt;
}

std::optional<std::int64_t> integer_of(const Json& json) {
  if (json.is_number_unsigned() &&
      json.get<std::uint64_t>() >
          static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return std::nullopt;
  if (json.is_number_integer()) return json.get<std::int64_t>();
  const auto value = number_of(json);
  return value && std::trunc(*value) == *value && std::abs(*value) < 9e15
             ? std::optional(static_cast<std::int64_t>(*value))
             : std::nullopt;
}

std::optional<bool> flag_of(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json == "true" || json == "yes" || json == "on" || json == "1") return true;
  if (json == "false" || json == "no" || json == "off" || json == "0") return false;
  return std::nullopt;
}

/// The value of `option` in `json`, or nothing after setting `problem`.
std::optional<Value> parse_value(const OptionSpec& option, const Json& json, std::string& problem) {
  switch (option.type) {
    case OptionType::Flag:
      if (const auto flag = flag_of(json)) return *flag;
      problem = fmt::format("expected true or false, found {}", shown(json));
      return std::nullopt;
    case OptionType::Integer: {
      const auto value = integer_of(json);
      if (value && in_range(option, static_cast<double>(*value))) return *value;
      problem = fmt::format("expected a whole number{}, found {}", range_text(option), shown(json));
      return std::nullopt;
    }
    case OptionType::Number: {
      const auto value = number_of(json);
      if (value && in_range(option, *value)) return *value;
      problem = fmt::format("expected a number{}, found {}", range_text(option), shown(json));
      return std::nullopt;
    }
    case OptionType::Size:
      try {
        const auto bytes = static_cast<std::int64_t>(
            parse_size(json.is_string() ? json.get<std::string>() : json.dump()));
        if (in_range(option, static_cast<double>(bytes))) return bytes;
        problem = fmt::format(
            "expected a size from {} to {}, found {}",
            format_bytes(static_cast<std::uint64_t>(option.minimum.value_or(0))),
            format_bytes(static_cast<std::uint64_t>(option.maximum.value_or(9e18))), shown(json));
      } catch (const Error& error) {
        problem = error.what();
      }
      return std::nullopt;
    case OptionType::Text:
      if (!json.is_string()) {
        problem = fmt::format("expected text, found {}", shown(json));
        return std::nullopt;
      }
      if (!option.choices.empty() &&
          std::ranges::find(option.choices, json.get<std::string>()) == option.choices.end()) {
        const std::string near = closest(json.get<std::string>(), option.choices);
        problem = fmt::format("expected one of {}; found {}{}", join(option.choices, ", "),
                              shown(json), near.empty() ? "" : " (did you mean " + near + "?)");
        return std::nullopt;
      }
      return json.get<std::string>();
  }
  return std::nullopt;
}

/// Walks a request and notes every mistake.
class RequestChecker {
 public:
  RequestChecker(const Description& description, const InputResolver& resolve,
                 std::vector<Mistake>& mistakes)
      : d_(description), resolve_(resolve), mistakes_(mistakes) {}

  Request check(const Json& json) {
    if (!json.is_object()) {
      note("", fmt::format("expected an object, found {}", shown(json)));
      return {};
    }
    for (const auto& [key, value] : json.items()) {
      if (key != "inputs" && key != "options" && key != "outputs" && key != "app" &&
          key != "folder")
        note("/" + key, "unknown member; expected app, inputs, options, outputs");
    }
    check_inputs(member(json, "inputs"));
    check_options(member(json, "options"));
    check_outputs(member(json, "outputs"));
    return std::move(request_);
  }

 private:
  void note(std::string pointer, std::string message) {
    mistakes_.push_back({std::move(pointer), std::move(message)});
  }

  /// The object `json[name]`, or an empty one.
  Json member(const Json& json, const std::string& name) {
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) return Json::object();
    if (found->is_object()) return *found;
    note("/" + name, fmt::format("expected an object, found {}", shown(*found)));
    return Json::object();
  }

  template <typename Specs>
  void note_unknown(const std::string& place, const std::string& key, const Specs& specs) {
    std::vector<std::string> names;
    for (const auto& spec : specs) names.push_back(spec.name);
    const std::string near = closest(replaced(key, '-', '_'), names);
    note("/" + place + "/" + key,
         "unknown name" + (near.empty() ? std::string{} : "; did you mean " + near + "?"));
  }

  void check_inputs(const Json& inputs) {
    for (const auto& [key, value] : inputs.items()) {
      const std::string name = replaced(key, '-', '_');
      if (const InputSpec* spec = d_.find_input(name))
        check_input(*spec, value);
      else
        note_unknown("inputs", key, d_.inputs);
    }
    for (const InputSpec& spec : d_.inputs) {
      if (spec.required && !seen_inputs_.contains(spec.name))
        note("/inputs/" + spec.name, "missing; expected " + std::string(kind(spec.kind).label));
    }
  }

  void check_input(const InputSpec& spec, const Json& value) {
    seen_inputs_.insert(spec.name);
    const std::string pointer = "/inputs/" + spec.name;
    if (value.is_null() && !spec.required) return;
    const Json list = value.is_array() ? value : Json::array({value});
    if (list.empty() && spec.required)
      note(pointer, "the list is empty; expected " + std::string(kind(spec.kind).label));
    if (list.size() > 1 && !spec.many)
      return note(pointer, fmt::format("expected one file, found {}", list.size()));
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string place = value.is_array() ? pointer + "/" + std::to_string(i) : pointer;
      if (!list[i].is_string() || list[i].get_ref<const std::string&>().empty()) {
        note(place, fmt::format("expected a file, found {}", shown(list[i])));
        continue;
      }
      std::string problem;
      fs::path path = resolve_(list[i].get<std::string>(), kind(spec.kind), problem);
      if (problem.empty())
        request_.inputs[spec.name].push_back(std::move(path));
      else
        note(place, problem);
    }
  }

  void check_options(const Json& options) {
    for (const auto& [key, value] : options.items()) {
      const OptionSpec* spec = d_.find_option(replaced(key, '-', '_'));
      if (!spec) {
        note_unknown("options", key, d_.options);
        continue;
      }
      if (value.is_null()) continue;
      std::string problem;
      if (auto parsed = parse_value(*spec, value, problem))
        request_.options[spec->name] = std::move(*parsed);
      else
        note("/options/" + spec->name, problem);
    }
    for (const OptionSpec& spec : d_.options) {
      if (spec.default_value) request_.options.try_emplace(spec.name, *spec.default_value);
    }
  }

  void check_outputs(const Json& outputs) {
    for (const auto& [key, value] : outputs.items()) {
      const OutputSpec* spec = d_.find_output(replaced(key, '-', '_'));
      if (!spec)
        note_unknown("outputs", key, d_.outputs);
      else if (value.is_null())
        continue;
      else if (!value.is_string() || value.get_ref<const std::string&>().empty())
        note("/outputs/" + spec->name, fmt::format("expected a file name, found {}", shown(value)));
      else
        check_output(*spec, value.get<std::string>());
    }
  }

  void check_output(const OutputSpec& spec, const fs::path& path) {
    const std::string pointer = "/outputs/" + spec.name;
    std::error_code ignored;
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    if (!fs::is_directory(folder, ignored))
      return note(pointer, fmt::format("{}: the folder does not exist", folder.string()));
    if (fs::is_directory(path, ignored) && !kind(spec.kind).folder)
      return note(pointer, fmt::format("{}: is a folder, expected a file name", path.string()));
    if (::access(folder.c_str(), W_OK) != 0 && !fs::exists(path, ignored))
      return note(pointer, fmt::format("{}: cannot write in this folder: {}", folder.string(),
                                       std::generic_category().message(errno)));
    for (const auto& [input, paths] : request_.inputs) {
      for (const fs::path& other : paths) {
        if (fs::equivalent(path, other, ignored) &&
            (fs::is_regular_file(path, ignored) || fs::is_directory(path, ignored)))
          return note(pointer, fmt::format("{}: is also the input {}; it would be overwritten",
                                           path.string(), command_line_name(input)));
      }
    }
    for (const auto& [output, other] : request_.outputs) {
      if (same_place(other, path) &&
          (!fs::exists(path, ignored) || fs::is_regular_file(path, ignored)))
        return note(pointer, fmt::format("{}: is also the output {}", path.string(),
                                         command_line_name(output)));
    }
    request_.outputs[spec.name] = path;
  }

  static bool same_place(const fs::path& a, const fs::path& b) {
    std::error_code ignored;
    return fs::weakly_canonical(a, ignored) == fs::weakly_canonical(b, ignored);
  }

  const Description& d_;
  const InputResolver& resolve_;
  std::vector<Mistake>& mistakes_;
  Request request_;
  std::set<std::string> seen_inputs_;
};

}  // namespace

InputResolver paths_of_this_machine() {
  return [](const std::string& value, const Kind& expected, std::string& problem) -> fs::path {
    struct stat status{};
    if (::stat(value.c_str(), &status) != 0)
      problem =
          fmt::format("{}: {}", value,
                      errno == ENOENT ? "no such file" : std::generic_category().message(errno));
    else if (S_ISDIR(status.st_mode) && !expected.folder)
      problem = value + ": is a folder, expected a file";
    else if (::access(value.c_str(), R_OK) != 0)
      problem =
          fmt::format("{}: cannot be read: {}", value, std::generic_category().message(errno));
    return value;
  };
}

Request check_request(const Description& description, const Json& json,
                      const InputResolver& resolve, std::vector<Mistake>& mistakes) {
  return RequestChecker{description, resolve, mistakes}.check(json);
}

std::string format_mistakes(const std::vector<Mistake>& mistakes) {
  std::string text;
  for (const Mistake& mistake : mistakes) {
    const auto parts = split(mistake.pointer, '/');
    const std::string name = parts.size() >= 3 ? command_line_name(parts[2]) : mistake.pointer;
    text += fmt::format("{}{}{}{}", text.empty() ? "" : "\n", name, name.empty() ? "" : ": ",
                        mistake.message);
  }
  return text;
}

}  // namespace aceso::app
