#include "aceso/app/documents.hpp"

#include "aceso/core/process.hpp"
#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace aceso::app {
namespace {

Json to_json(const Value& value) {
  return std::visit([](const auto& v) -> Json { return v; }, value);
}

std::string value_text(const OptionSpec& option) {
  if (!option.default_value) return {};
  if (option.type == OptionType::Size) {
    const auto bytes = static_cast<std::uint64_t>(std::get<std::int64_t>(*option.default_value));
    for (const auto& [shift, letter] :
         {std::pair{30, 'G'}, std::pair{20, 'M'}, std::pair{10, 'K'}}) {
      if (bytes != 0 && bytes % (1ULL << shift) == 0)
        return fmt::format("{}{}", bytes >> shift, letter);
    }
    return std::to_string(bytes);
  }
  if (const auto* number = std::get_if<double>(&*option.default_value))
    return fmt::format("{:g}", *number);
  const Json json = to_json(*option.default_value);
  return json.is_string() ? json.get<std::string>() : json.dump();
}

/// What stands behind the name in help: "BASES", "a|b", "FILE".
std::string value_name(const OptionSpec& option) {
  if (option.type == OptionType::Flag) return {};
  if (!option.choices.empty()) return join(option.choices, "|");
  if (option.type == OptionType::Size) return "SIZE";
  if (option.type == OptionType::Text) return "TEXT";
  return option.type == OptionType::Integer ? "N" : "X";
}

bool is_real_limit(const std::optional<double>& limit) { return limit && std::abs(*limit) < 2e9; }

std::string range_note(const OptionSpec& option) {
  if (option.type == OptionType::Size) return {};
  const bool low = is_real_limit(option.minimum), high = is_real_limit(option.maximum);
  if (low && high) return fmt::format("{:g} to {:g}", *option.minimum, *option.maximum);
  if (low) return fmt::format("at least {:g}", *option.minimum);
  if (high) return fmt::format("at most {:g}", *option.maximum);
  return {};
}

/// "; bases, 1 to 100, default 15" as far as it applies.
std::string option_notes(const OptionSpec& option) {
  std::vector<std::string> notes;
  if (!option.unit.empty() && option.type != OptionType::Size) notes.push_back(option.unit);
  if (std::string range = range_note(option); !range.empty()) notes.push_back(std::move(range));
  if (std::string value = value_text(option);
      !value.empty() && !(option.type == OptionType::Flag && value == "false"))
    notes.push_back("default " + value);
  return notes.empty() ? "" : " [" + join(notes, "; ") + "]";
}

// ---------------------------------------------------------------------------------------- help

/// Words of `text` in lines of at most `width` letters, the first after `first`, others after
/// `indent` spaces.
std::string wrapped(std::string_view first, std::string_view text, std::size_t indent,
                    std::size_t width) {
  std::string out{first};
  std::size_t column = first.size();
  if (column + 1 > indent && column != 0) {
    out += '\n';
    column = 0;
  }
  out.append(indent - std::min(indent, column), ' ');
  column = indent;
  bool line_start = true;
  for (const std::string& word : split(text, ' ')) {
    if (!line_start && column + 1 + word.size() > width) {
      out += '\n' + std::string(indent, ' ');
      column = indent;
      line_start = true;
    }
    if (!line_start) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    line_start = false;
  }
  return out + '\n';
}

std::string paragraphs(std::string_view text, std::size_t width) {
  std::string out;
  std::string current;
  const auto flush = [&] {
    if (!current.empty()) out += wrapped("", current, 0, width);
    current.clear();
  };
  for (const std::string& line : split(text, '\n')) {
    if (line.empty()) {
      flush();
      out += '\n';
    } else {
      current += (current.empty() ? "" : " ") + line;
    }
  }
  flush();
  return out;
}

constexpr std::size_t kHelpColumn = 30;

std::vector<std::string> groups_of(const Description& description) {
  std::vector<std::string> groups;
  for (const OptionSpec& option : description.options) {
    if (std::ranges::find(groups, option.group) == groups.end()) groups.push_back(option.group);
  }
  return groups;
}

std::string help_row(const std::string& name, const std::string& value, const std::string& help,
                     std::size_t width) {
  return wrapped(fmt::format("  {}{}{}", command_line_name(name), value.empty() ? "" : " ", value),
                 help, kHelpColumn, width);
}

}  // namespace

std::string help_text(const Description& d, std::size_t width) {
  std::string out = fmt::format("aceso {}: {}\n\n", d.name, d.summary);
  out += paragraphs(d.help, width);
  out += "\nExample:\n  " + d.example + "\n";
  if (!d.inputs.empty()) out += "\nInputs:\n";
  for (const InputSpec& input : d.inputs)
    out += help_row(input.name, input.many ? "FILE..." : "FILE",
                    fmt::format("{} [{}{}]", input.help, kind(input.kind).label,
                                input.required ? "; required" : ""),
                    width);
  out += "\nOutputs:\n";
  for (const OutputSpec& output : d.outputs)
    out += help_row(output.name, "FILE",
                    fmt::format("{} [{}]", output.help, kind(output.kind).label), width);
  for (const std::string& group : groups_of(d)) {
    out += "\n" + group + ":\n";
    for (const OptionSpec& option : d.options) {
      if (option.group == group)
        out += help_row(option.name, value_name(option), option.help + option_notes(option), width);
    }
  }
  out += "\nEvery command:\n";
  out += help_row("json", "", "print one JSON object with outputs and metrics on standard output",
                  width);
  out += help_row("quiet", "", "no progress on standard error", width);
  out += help_row(
      "no_report", "",
      "no report; otherwise it stands beside the first output, or is named after the first input",
      width);
  out += help_row("log_json", "", "log and progress as JSON lines", width);
  out += help_row("print_job", "json|slurm",
                  "do not run; print the job file, or a Slurm batch script that runs it", width);
  out += help_row("help", "", "this text", width);
  out +=
      "\nExit codes: 0 ok, 2 usage, 3 bad input, 4 out of memory or disk, 5 interrupted, 70 a bug "
      "of ours.\n";
  return out;
}

// -------------------------------------------------------------------------------------- schema

namespace {

Json schema_of(const InputSpec& input) {
  const Kind& data = kind(input.kind);
  Json one{{"type", "string"}, {"minLength", 1}};
  Json schema =
      input.many ? Json{{"oneOf", Json::array({one, Json{{"type", "array"},
                                                         {"items", one},
                                                         {"minItems", input.required ? 1 : 0}}})}}
                 : one;
  schema["description"] = input.help;
  schema["x-kind"] = data.name;
  schema["x-endings"] = Json(std::vector<std::string>(data.endings.begin(), data.endings.end()));
  return schema;
}

Json schema_of(const OptionSpec& option) {
  Json schema = Json::object();
  switch (option.type) {
    case OptionType::Flag:
      schema["type"] = "boolean";
      break;
    case OptionType::Integer:
      schema["type"] = "integer";
      break;
    case OptionType::Number:
      schema["type"] = "number";
      break;
    case OptionType::Text:
      schema["type"] = "string";
      break;
    case OptionType::Size:
      schema["type"] = Json::array({"integer", "string"});
      schema["pattern"] = "^[0-9.]+ *([KMGTkmgt]([iI]?[bB])?|[bB])?$";
      break;
  }
  if (!option.default_value && schema["type"].is_string())
    schema["type"] = Json::array({schema["type"], "null"});
  schema["description"] = option.help;
  if (option.default_value) schema["default"] = to_json(*option.default_value);
  const auto limit = [&](const char* key, const std::optional<double>& value) {
    if (!is_real_limit(value)) return;
    if (option.type == OptionType::Number)
      schema[key] = *value;
    else
      schema[key] = static_cast<std::int64_t>(*value);
  };
  limit("minimum", option.minimum);
  limit("maximum", option.maximum);
  if (!option.choices.empty()) schema["enum"] = option.choices;
  if (!option.unit.empty()) schema["x-unit"] = option.unit;
  schema["x-group"] = option.group;
  if (option.advanced) schema["x-advanced"] = true;
  return schema;
}

template <typename Specs, typename MakeSchema>
Json object_schema(const Specs& specs, const MakeSchema& make) {
  Json properties = Json::object();
  for (const auto& spec : specs) properties[spec.name] = make(spec);
  return {
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
}

}  // namespace

Json request_schema(const Description& d) {
  Json inputs = object_schema(d.inputs, [](const InputSpec& input) { return schema_of(input); });
  Json required = Json::array();
  for (const InputSpec& input : d.inputs) {
    if (input.required) required.push_back(input.name);
  }
  if (!required.empty()) inputs["required"] = required;
  Json schema{
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", d.name},
      {"description", d.summary},
      {"type", "object"},
      {"properties",
       {{"app", {{"const", d.name}}},
        {"inputs", std::move(inputs)},
        {"options",
         object_schema(d.options, [](const OptionSpec& option) { return schema_of(option); })}}},
      {"required", required.empty() ? Json::array({"app"}) : Json::array({"app", "inputs"})},
      {"additionalProperties", false}};
  return schema;
}

Json describe(const Description& d) {
  Json inputs = Json::array(), outputs = Json::array(), options = Json::array(),
       samples = Json::array();
  for (const InputSpec& input : d.inputs) {
    const Kind& data = kind(input.kind);
    inputs.push_back(
        {{"name", input.name},
         {"kind", data.name},
         {"kind_label", data.label},
         {"endings", std::vector<std::string>(data.endings.begin(), data.endings.end())},
         {"help", input.help},
         {"required", input.required},
         {"many", input.many}});
  }
  for (const OutputSpec& output : d.outputs)
    outputs.push_back({{"name", output.name},
                       {"kind", output.kind},
                       {"kind_label", kind(output.kind).label},
                       {"file_name", output.file_name},
                       {"help", output.help},
                       {"extra", output.extra},
                       {"needs", output.needs}});
  const auto limit = [](const std::optional<double>& value) {
    return is_real_limit(value) ? Json(*value) : Json(nullptr);
  };
  for (const OptionSpec& option : d.options) {
    Json shown_default = option.default_value ? to_json(*option.default_value) : Json(nullptr);
    if (option.type == OptionType::Size && option.default_value) shown_default = value_text(option);
    options.push_back({{"name", option.name},
                       {"type", name(option.type)},
                       {"help", option.help},
                       {"unit", option.unit},
                       {"default", std::move(shown_default)},
                       {"minimum", limit(option.minimum)},
                       {"maximum", limit(option.maximum)},
                       {"choices", option.choices},
                       {"group", option.group},
                       {"advanced", option.advanced}});
  }
  for (const Sample& sample : d.samples) {
    Json values = Json::object();
    for (const auto& [option, value] : sample.options) values[option] = to_json(value);
    samples.push_back({{"name", sample.name},
                       {"summary", sample.summary},
                       {"origin", sample.origin},
                       {"inputs", sample.inputs},
                       {"options", std::move(values)}});
  }
  return {{"name", d.name},
          {"toolkit", split(d.name, ' ').front()},
          {"summary", d.summary},
          {"help", d.help},
          {"example", d.example},
          {"version", version()},
          {"inputs", std::move(inputs)},
          {"outputs", std::move(outputs)},
          {"options", std::move(options)},
          {"samples", std::move(samples)},
          {"resources",
           {{"memory_mb", d.resources.memory_mb},
            {"uses_threads", d.resources.uses_threads},
            {"uses_gpu", d.resources.uses_gpu}}},
          {"schema", request_schema(d)}};
}

// ----------------------------------------------------------------------------------- reference

namespace {

/// Text that may stand in a cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '|')
      safe += "\\|";
    else
      safe += c == '\n' ? ' ' : c;
  }
  return safe;
}

std::string names_of(const std::vector<std::string>& names) {
  std::vector<std::string> quoted;
  for (const std::string& each : names) quoted.push_back("`" + each + "`");
  return join(quoted, ", ");
}

}  // namespace

std::string reference_page(const Description& d) {
  std::string out =
      fmt::format("# aceso {}\n\n{}\n\n{}\n\n```\n{}\n```\n", d.name, d.summary, d.help, d.example);
  out += "\n## Inputs\n\n| name | data | |\n| --- | --- | --- |\n";
  for (const InputSpec& input : d.inputs)
    out += fmt::format("| `{}`{}{} | {} | {} |\n", command_line_name(input.name),
                       input.required ? " (required)" : "", input.many ? ", several" : "",
                       kind(input.kind).label, cell(input.help));
  out += "\n## Outputs\n\n| name | data | in the hub | |\n| --- | --- | --- | --- |\n";
  for (const OutputSpec& output : d.outputs)
    out += fmt::format("| `{}` | {} | `{}` | {} |\n", command_line_name(output.name),
                       kind(output.kind).label, output.file_name, cell(output.help));
  for (const std::string& group : groups_of(d)) {
    out += fmt::format("\n## {}\n\n| option | default | range | |\n| --- | --- | --- | --- |\n",
                       group);
    for (const OptionSpec& option : d.options) {
      if (option.group != group) continue;
      const std::string range =
          option.choices.empty() ? range_note(option) : names_of(option.choices);
      out += fmt::format("| `{}` | {} | {} | {}{} |\n", command_line_name(option.name),
                         value_text(option), range, cell(option.help),
                         option.unit.empty() ? "" : " (" + option.unit + ")");
    }
  }
  if (!d.samples.empty()) out += "\n## Samples\n\n";
  for (const Sample& sample : d.samples)
    out += fmt::format("- **{}**: {} ({})\n", sample.name, sample.summary, sample.origin);
  return out;
}

// ---------------------------------------------------------------------------------- completion

namespace {

std::vector<std::string> flags_of(const Description& d) {
  std::vector<std::string> flags{"--help",     "--json",      "--quiet",
                                 "--log-json", "--no-report", "--print-job"};
  for (const auto& input : d.inputs) flags.push_back(command_line_name(input.name));
  for (const auto& output : d.outputs) flags.push_back(command_line_name(output.name));
  for (const auto& option : d.options) flags.push_back(command_line_name(option.name));
  return flags;
}

std::string case_rows(const AppTable& apps, const std::vector<std::string>& commands) {
  std::vector<std::string> first = commands;
  std::map<std::string, std::vector<std::string>> by_toolkit;
  std::string rows;
  for (const App& app : apps.all()) {
    const auto words = split(app.description.name, ' ');
    by_toolkit[words[0]].push_back(words[1]);
    rows += fmt::format("    \"{}\") words=\"{}\" ;;\n", app.description.name,
                        join(flags_of(app.description), " "));
  }
  for (const auto& [toolkit, names] : by_toolkit) {
    first.push_back(toolkit);
    rows += fmt::format("    \"{} \") words=\"{}\" ;;\n", toolkit, join(names, " "));
  }
  return fmt::format("    \" \") words=\"{}\" ;;\n", join(first, " ")) + rows;
}

/// What may follow an option with choices.
std::string choice_rows(const AppTable& apps) {
  std::map<std::string, std::string> rows;
  for (const App& app : apps.all()) {
    for (const OptionSpec& option : app.description.options) {
      if (!option.choices.empty())
        rows[app.description.name + " " + command_line_name(option.name)] =
            join(option.choices, " ");
    }
  }
  std::string text;
  for (const auto& [key, choices] : rows)
    text += fmt::format("    \"{}\") words=\"{}\"; chosen=1 ;;\n", key, choices);
  return text;
}

}  // namespace

std::string completion_script(const AppTable& apps, const std::vector<std::string>& commands,
                              std::string_view shell) {
  if (shell != "bash" && shell != "zsh")
    fail(Errc::InvalidArgument, "completion: expected bash or zsh, found \"{}\"", printable(shell));
  std::string script = fmt::format(
      "# Completion of aceso for {}. Load it with: source <(aceso completion {})\n", shell, shell);
  if (shell == "zsh") script += "autoload -U +X bashcompinit && bashcompinit\n";
  script +=
      "_aceso() {\n"
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\" key "
      "words=\"\" chosen=\"\"\n"
      "  case $COMP_CWORD in\n    1) key=\" \" ;;\n    2) key=\"${COMP_WORDS[1]} \" ;;\n    *) "
      "key=\"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" ;;\n  esac\n"
      "  case \"$key\" in\n" +
      case_rows(apps, commands) +
      "  esac\n"
      "  case \"$key $previous\" in\n    \"  \") ;;\n" +
      choice_rows(apps) +
      "  esac\n"
      "  if [[ $COMP_CWORD -gt 2 && $current != -* && -z $chosen ]]; then\n"
      "    COMPREPLY=($(compgen -f -- \"$current\"))\n"
      "  else\n"
      "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "  fi\n"
      "}\ncomplete -o filenames -F _aceso aceso\n";
  return script;
}

std::string slurm_script(const Description& d, unsigned threads, std::string_view job_file) {
  return fmt::format(
      "#!/bin/bash\n#SBATCH --job-name={}\n#SBATCH --cpus-per-task={}\n#SBATCH --mem={}M\n#SBATCH "
      "--output=%x-%j.log\n{}"
      "# The job file is written by: aceso {} … --print-job json > {}\nexec aceso run {} --json\n",
      replaced(d.name, ' ', '-'), std::max(1U, threads), d.resources.memory_mb,
      d.resources.uses_gpu ? "#SBATCH --gpus=1\n" : "", d.name, job_file, job_file);
}

}  // namespace aceso::app
