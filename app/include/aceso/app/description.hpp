/// \file
/// What an app says about itself. Its command, help, schema, endpoint, form, validation,
/// reference page and cluster job are all made from this.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace aceso::app {

/// A kind of data that apps exchange.
struct Kind {
  std::string_view name;                      ///< stable, e.g. "fastq"
  std::string_view label;                     ///< for people, e.g. "sequencing reads (FASTQ)"
  std::span<const std::string_view> endings;  ///< accepted file name endings; empty: any
  std::string_view viewer;  ///< how the console shows it: text, table, molecules, json,
                            ///< image, html, none
  std::string_view media_type;
  bool folder = false;   ///< may also be a folder, as on a command line
  bool borrows = false;  ///< endings that another kind has too are first of all that one's
};

/// All kinds of the platform, sorted by name.
[[nodiscard]] std::span<const Kind> kinds() noexcept;
/// \throws Error NotFound.
[[nodiscard]] const Kind& kind(std::string_view name);
/// The kind whose ending `file_name` has; the longest ending wins; null if none.
[[nodiscard]] const Kind* kind_of_file(std::string_view file_name) noexcept;

/// The value of an option.
using Value = std::variant<bool, std::int64_t, double, std::string>;

enum class OptionType { Flag, Integer, Number, Text, Size };

/// Returns "flag", "integer", "number", "text" or "size".
[[nodiscard]] std::string_view name(OptionType type) noexcept;

struct InputSpec {
  std::string name;  ///< snake_case; "--" + kebab-case on the command line
  std::string kind;
  std::string help;
  bool required = false;
  bool many = false;  ///< accepts several files
};

struct OutputSpec {
  std::string name;
  std::string kind;
  std::string file_name;  ///< used when the caller names only a folder (a run of the hub)
  std::string help;
  bool extra = false;  ///< written only when the caller names a file for it
  std::vector<std::string> needs =
      {};  ///< makes sense only with one of these inputs or flags; empty: always
};

struct OptionSpec {
  std::string name;
  OptionType type = OptionType::Text;
  std::string help;
  std::string unit;                    ///< "bases", "reads", …; empty: none
  std::optional<Value> default_value;  ///< none: "off" or "automatic", as `help` says
  std::optional<double> minimum, maximum;
  std::vector<std::string> choices;  ///< of a text option
  std::string group;                 ///< heading in help and form
  bool advanced = false;             ///< folded away in the form
};

/// Inputs and options with which the app can be tried at once.
struct Sample {
  std::string name;
  std::string summary;
  std::map<std::string, std::vector<std::string>> inputs;  ///< input name -> names of sample data
  std::map<std::string, Value> options;
  std::string origin;  ///< where the data come from, for people
};

struct Resources {
  std::uint64_t memory_mb = 1000;  ///< enough for a usual run
  bool uses_threads = true;
  bool uses_gpu = false;
};

struct Description {
  std::string name;     ///< "toolkit app", e.g. "genomics reads"
  std::string summary;  ///< one line
  std::string help;     ///< paragraphs
  std::string example;  ///< a complete command line
  std::vector<InputSpec> inputs;
  std::vector<OutputSpec> outputs;
  std::vector<OptionSpec> options;
  std::vector<Sample> samples;
  Resources resources;

  [[nodiscard]] const InputSpec* find_input(std::string_view input) const noexcept;
  [[nodiscard]] const OutputSpec* find_output(std::string_view output) const noexcept;
  [[nodiscard]] const OptionSpec* find_option(std::string_view option) const noexcept;
};

/// "min_length" -> "--min-length".
[[nodiscard]] std::string command_line_name(std::string_view name);

/// \throws Error Internal naming each rule that `description` breaks (names, kinds, defaults
/// outside their range, …). Called for every app when the table is made.
void check_description(const Description& description);

}  // namespace aceso::app
