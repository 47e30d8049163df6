#include "aceso/app/workflow.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/json.hpp"
#include "aceso/core/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace aceso::app {
namespace {

constexpr std::array kLanguages = {WorkflowLanguage{"cwl", ".cwl"}, WorkflowLanguage{"wdl", ".wdl"},
                                   WorkflowLanguage{"nextflow", ".nf"},
                                   WorkflowLanguage{"snakemake", ".smk"}};

/// "genomics train-filter" -> "genomics_train_filter".
std::string identifier(const Description& d) {
  return replaced(replaced(d.name, ' ', '_'), '-', '_');
}

/// As JSON, which CWL's YAML, WDL and Python read as a text.
std::string as_json(std::string_view text) { return Json(text).dump(); }

/// One line without what ends a comment or begins another language's placeholder.
std::string plain(std::string_view text) {
  std::string out(text);
  std::ranges::replace(out, '\n', ' ');
  return out;
}

/// The number of threads is the workflow system's to say.
bool is_threads(const OptionSpec& option) { return option.name == "threads"; }

bool holds_folders(std::string_view kind_name) { return kind(kind_name).folder; }

/// Files that stand beside one of a kind and belong to it.
std::vector<std::string_view> companions(std::string_view kind_name) {
  if (kind_name == "bam") return {".bai", ".csi", ".crai"};
  if (kind_name == "vcf") return {".tbi", ".csi"};
  return {};
}

// CWL.

std::string cwl_type(const InputSpec& input) {
  const std::string one = holds_folders(input.kind) ? "[File, Directory]" : "File";
  const std::string items = input.many ? "{type: array, items: " + one + "}" : one;
  if (input.required) return items;
  if (input.many || one == "File") return "[\"null\", " + items + "]";
  return "[\"null\", File, Directory]";
}

std::string cwl_type(const OptionSpec& option) {
  switch (option.type) {
    case OptionType::Flag:
      return "boolean?";
    case OptionType::Integer:
      return "long?";
    case OptionType::Number:
      return "double?";
    default:
      break;
  }
  if (option.choices.empty()) return "string?";
  std::string symbols;
  for (const std::string& choice : option.choices)
    symbols += (symbols.empty() ? "" : ", ") + as_json(choice);
  return "[\"null\", {type: enum, symbols: [" + symbols + "]}]";
}

std::string cwl_input(std::string_view name, const std::string& type, const std::string& help,
                      const std::string& prefix, const std::string& more = {}) {
  return fmt::format("  {}:\n    type: {}\n    doc: {}\n{}    inputBinding: {{prefix: {}}}\n", name,
                     type, as_json(help), more, prefix);
}

std::string cwl_companions(std::string_view kind_name) {
  std::string out;
  for (const std::string_view ending : companions(kind_name))
    out += (out.empty() ? "" : ", ") + as_json(std::string(ending) + "?");
  return out.empty() ? "" : "    secondaryFiles: [" + out + "]\n";
}

std::string cwl(const Description& d) {
  std::string out = fmt::format(
      "#!/usr/bin/env cwl-runner\ncwlVersion: v1.2\nclass: CommandLineTool\nlabel: {}\ndoc: {}\n"
      "requirements:\n  InlineJavascriptRequirement: {{}}\n"
      "hints:\n  ResourceRequirement: {{coresMin: 1, ramMin: {}}}\n"
      "baseCommand: [aceso, {}, {}]\narguments: [--quiet{}]\ninputs:\n",
      as_json(d.summary), as_json(d.help), d.resources.memory_mb, split(d.name, ' ')[0],
      split(d.name, ' ')[1], d.resources.uses_threads ? ", --threads, $(runtime.cores)" : "");
  for (const InputSpec& input : d.inputs)
    out += cwl_input(input.name, cwl_type(input), input.help, command_line_name(input.name),
                     cwl_companions(input.kind));
  for (const OptionSpec& option : d.options) {
    if (!is_threads(option))
      out += cwl_input(option.name, cwl_type(option), option.help, command_line_name(option.name));
  }
  std::string outputs;
  for (const OutputSpec& output : d.outputs) {
    const std::string name = output.name + "_name";
    out += cwl_input(name, "string?", "name of the file: " + output.help,
                     command_line_name(output.name),
                     output.extra ? "" : "    default: " + as_json(output.file_name) + "\n");
    outputs += fmt::format(
        "  {}:\n    type: {}\n{}    outputBinding: {{glob: \"$(inputs.{} || [])\"}}\n", output.name,
        holds_folders(output.kind) ? "[\"null\", File, Directory]" : "File?",
        cwl_companions(output.kind), name);
  }
  return out + "outputs:\n" + (outputs.empty() ? "  {}\n" : outputs);
}

// WDL.

std::string wdl_type(const OptionSpec& option) {
  switch (option.type) {
    case OptionType::Flag:
      return "Boolean";
    case OptionType::Integer:
      return "Int?";
    case OptionType::Number:
      return "Float?";
    default:
      return "String?";
  }
}

/// A line of the command that is there only if there is a value.
std::string wdl_word(const std::string& flag, const std::string& name) {
  return fmt::format("      ~{{\"{} '\" + {} + \"'\"}} \\\n", flag, name);
}

std::string wdl(const Description& d) {
  std::string inputs, command, outputs;
  for (const InputSpec& input : d.inputs) {
    const std::string flag = command_line_name(input.name);
    const std::string file = "File";
    if (input.many) {
      inputs +=
          fmt::format("    Array[{}] {}{}\n", file, input.name, input.required ? "" : " = []");
      command += fmt::format(
          "      ~{{if length({0}) > 0 then \"{1} '\" else \"\"}}~{{sep=\"' '\" {0}}}~{{if "
          "length({0}) > 0 then \"'\" else \"\"}} \\\n",
          input.name, flag);
    } else {
      inputs += fmt::format("    {}{} {}\n", file, input.required ? "" : "?", input.name);
      command += wdl_word(flag, input.name);
    }
  }
  for (const OptionSpec& option : d.options) {
    if (is_threads(option)) continue;
    const bool flag = option.type == OptionType::Flag;
    inputs += fmt::format("    {} {}{}\n", wdl_type(option), option.name, flag ? " = false" : "");
    command += flag ? fmt::format("      ~{{if {} then \"{}\" else \"\"}} \\\n", option.name,
                                  command_line_name(option.name))
                    : wdl_word(command_line_name(option.name), option.name);
  }
  for (const OutputSpec& output : d.outputs) {
    const bool usual = !output.extra;
    inputs += fmt::format("    String{} {}_name{}\n", usual ? "" : "?", output.name,
                          usual ? " = " + as_json(output.file_name) : "");
    command += wdl_word(command_line_name(output.name), output.name + "_name");
    outputs +=
        usual ? fmt::format("    File? {0} = {0}_name\n", output.name)
              : fmt::format("    File? {0} = select_first([{0}_name, \"none\"])\n", output.name);
  }
  return fmt::format(
      "version 1.0\n\n# {}\ntask {} {{\n  input {{\n{}    Int cpu = 1\n    Int memory_mb = {}\n  "
      "}}\n"
      "  command <<<\n    set -euo pipefail\n    aceso {} \\\n{}      {}--quiet\n  >>>\n"
      "  output {{\n{}  }}\n  runtime {{\n    cpu: cpu\n    memory: \"~{{memory_mb}} MB\"\n  "
      "}}\n}}\n",
      plain(d.summary), identifier(d), inputs, d.resources.memory_mb, d.name, command,
      d.resources.uses_threads ? "--threads ~{cpu} " : "", outputs);
}

// Nextflow.

std::string nextflow(const Description& d) {
  std::string inputs, arguments, outputs, words;
  for (const InputSpec& input : d.inputs) {
    // Each in a folder of its own: files of two inputs may have one name.
    inputs += fmt::format("    path {0}, stageAs: '{0}/*'\n", input.name);
    arguments += fmt::format("    def {0}_words = {0} ? \"{1} ${{{0}}}\" : ''\n", input.name,
                             command_line_name(input.name));
    words += fmt::format(" ${{{}_words}}", input.name);
  }
  for (const OutputSpec& output : d.outputs) {
    if (output.extra) continue;
    words += fmt::format(" {} {}", command_line_name(output.name), output.file_name);
    outputs +=
        fmt::format("    path '{}*', emit: {}, optional: true\n", output.file_name, output.name);
  }
  std::string name = identifier(d);
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return fmt::format(
      "// {}\n// Options of the app, and names of further outputs, go into task.ext.args. An input "
      "that is not\n"
      "// given is an empty list.\nprocess {} {{\n    cpus 1\n    memory '{} MB'\n\n    "
      "input:\n{}\n"
      "    output:\n{}\n    script:\n{}    \"\"\"\n    aceso {} --quiet{}{} ${{task.ext.args ?: "
      "''}}\n"
      "    \"\"\"\n}}\n",
      plain(d.summary), name, d.resources.memory_mb, inputs, outputs, arguments, d.name,
      d.resources.uses_threads ? " --threads ${task.cpus}" : "", words);
}

// Snakemake.

std::string python_names(const auto& specs) {
  std::string out;
  for (const auto& spec : specs) out += (out.empty() ? "" : ", ") + as_json(spec.name);
  return "[" + out + "]";
}

std::string snakemake(const Description& d) {
  const std::string id = identifier(d);
  std::vector<OptionSpec> options;
  std::ranges::copy_if(d.options, std::back_inserter(options),
                       [](const OptionSpec& o) { return !is_threads(o); });
  return fmt::format(
      "# {0}\n"
      "# config[\"{1}\"] names inputs, options and outputs as the app does; inputs may be lists.\n"
      "_{1} = config.get(\"{1}\", {{}})\n\n\n"
      "def _{1}_words(wildcards, input, output):\n"
      "    import shlex\n"
      "    words = []\n"
      "    for files in (input, output):\n"
      "        for name in files.keys():\n"
      "            value = files[name]\n"
      "            paths = [value] if isinstance(value, str) else list(value)\n"
      "            words += [\"--\" + name.replace(\"_\", \"-\")] + [str(path) for path in paths]\n"
      "    for name in {2}:\n"
      "        value = _{1}.get(name)\n"
      "        if value is None or value is False:\n"
      "            continue\n"
      "        words.append(\"--\" + name.replace(\"_\", \"-\"))\n"
      "        if value is not True:\n"
      "            words.append(str(value))\n"
      "    return \" \".join(shlex.quote(word) for word in words)\n\n\n"
      "rule {1}:\n"
      "    input:\n"
      "        **{{name: _{1}[name] for name in {3} if name in _{1}}},\n"
      "    output:\n"
      "        **{{name: _{1}[name] for name in {4} if name in _{1}}},\n"
      "    params:\n"
      "        words=_{1}_words,\n"
      "    threads: _{1}.get(\"threads\", 1)\n"
      "    resources:\n"
      "        mem_mb={5},\n"
      "    shell:\n"
      "        \"aceso {6} --quiet{7} {{params.words}}\"\n",
      plain(d.summary), id, python_names(options), python_names(d.inputs), python_names(d.outputs),
      d.resources.memory_mb, d.name, d.resources.uses_threads ? " --threads {threads}" : "");
}

}  // namespace

std::span<const WorkflowLanguage> workflow_languages() noexcept { return kLanguages; }

std::string workflow_step(const Description& description, std::string_view language) {
  if (language == "cwl") return cwl(description);
  if (language == "wdl") return wdl(description);
  if (language == "nextflow") return nextflow(description);
  if (language == "snakemake") return snakemake(description);
  fail(Errc::InvalidArgument, "expected cwl, wdl, nextflow or snakemake, found '{}'", language);
}

}  // namespace aceso::app
