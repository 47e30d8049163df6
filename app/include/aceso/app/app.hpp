/// \file
/// An app: a description and a function. Describe<Job> ties each input, output and option to a
/// member of a plain struct, whose initialisers are the defaults.
#pragma once

#include "aceso/app/description.hpp"
#include "aceso/app/report.hpp"
#include "aceso/app/request.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/json.hpp"
#include "aceso/core/log.hpp"
#include "aceso/core/progress.hpp"
#include "aceso/core/warnings.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <type_traits>
#include <vector>

namespace aceso::app {

/// Where this process stands among those that were started together to do one job, as torchrun,
/// srun and mpirun start them. Apps that do not train ignore it.
struct Launch {
  std::int64_t rank = 0, size = 1;
  std::int64_t local_rank = -1;       ///< among those of this machine; -1: nobody said
  std::string address = "127.0.0.1";  ///< where rank 0 listens
  std::uint16_t port = 29500;
};

/// What a running app is given beside its job. Borrowed for the time of the run.
struct RunContext {
  Progress& progress;
  Log log;
  Warnings& warnings;
  Report& report;
  Json& metrics;  ///< figures for programs; see metric()
  std::stop_token stop;
  unsigned threads = 1;
  std::filesystem::path scratch;  ///< an empty folder, removed after the run
  std::string device = "cpu";
  Launch launch = {};  ///< of several ranks only rank 0 writes outputs

  /// Sets metrics.a.b for "a.b".
  void metric(std::string_view dotted_name, Json value) const;
};

/// A typed function with a description.
struct App {
  Description description;
  std::function<void(const Request&, RunContext&)> run;
};

/// All apps of a build. The table is explicit: see cli/src/apps.cpp.
class AppTable {
 public:
  /// \throws Error Internal if its description is malformed or its name taken.
  void add(App app);
  [[nodiscard]] const std::vector<App>& all() const noexcept { return apps_; }
  [[nodiscard]] const App* find(std::string_view name) const noexcept;

 private:
  std::vector<App> apps_;
};

struct InputOptions {
  std::string kind;
  std::string help;
  bool required = true;  ///< of a list; a `path` is always required, an optional one never
};

struct OutputOptions {
  std::string kind;
  std::string file_name;
  std::string help;
  bool extra = false;                   ///< written only when the caller names a file for it
  std::vector<std::string> needs = {};  ///< makes sense only with one of these inputs or flags
};

struct OptionOptions {
  std::string help;
  std::string unit = {};
  std::optional<double> minimum = {}, maximum = {};
  std::vector<std::string> choices = {};
  std::string group = "Options";
  bool advanced = false;
};

namespace detail {

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {
  using Inner = T;
};

template <typename T>
constexpr OptionType option_type() {
  if constexpr (IsOptional<T>::value)
    return option_type<typename IsOptional<T>::Inner>();
  else if constexpr (std::is_same_v<T, bool>)
    return OptionType::Flag;
  else if constexpr (std::is_integral_v<T>)
    return OptionType::Integer;
  else if constexpr (std::is_floating_point_v<T>)
    return OptionType::Number;
  else {
    static_assert(std::is_same_v<T, std::string>,
                  "options are bool, integers, floating point or std::string");
    return OptionType::Text;
  }
}

template <typename T>
Value to_value(const T& value) {
  if constexpr (std::is_same_v<T, bool>)
    return value;
  else if constexpr (std::is_integral_v<T>)
    return static_cast<std::int64_t>(value);
  else if constexpr (std::is_floating_point_v<T>)
    return static_cast<double>(value);
  else
    return value;
}

template <typename T>
T from_value(const Value& value) {
  if constexpr (std::is_same_v<T, bool>)
    return std::get<bool>(value);
  else if constexpr (std::is_integral_v<T>)
    return static_cast<T>(std::get<std::int64_t>(value));
  else if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(std::get<double>(value));
  else
    return std::get<std::string>(value);
}

/// Limits of an integer option that follow from its C++ type.
template <typename T>
void limit_to_type(OptionSpec& spec) {
  if constexpr (IsOptional<T>::value)
    limit_to_type<typename IsOptional<T>::Inner>(spec);
  else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    if (!spec.minimum) spec.minimum = static_cast<double>(std::numeric_limits<T>::min());
    if (!spec.maximum) spec.maximum = static_cast<double>(std::numeric_limits<T>::max());
  }
}

}  // namespace detail

/// Describes an app whose parameters are the members of `Job`, a default-constructible struct.
///
/// \code
/// struct CountJob {
///   std::filesystem::path reads;
///   std::optional<std::filesystem::path> output;
///   int min_length = 15;
/// };
/// App count_app() {
///   Describe<CountJob> d{"genomics count", "Counts reads"};
///   d.input("reads", &CountJob::reads, {.kind = "fastq", .help = "reads to count"});
///   d.output("output", &CountJob::output, {.kind = "table", .file_name = "counts.tsv", .help =
///   "counts"}); d.option("min_length", &CountJob::min_length, {.help = "ignore shorter reads",
///   .unit = "bases", .minimum = 1}); return d.build([](const CountJob& job, RunContext& context) {
///   … });
/// }
/// \endcode
///
/// Every app also gets the options `threads` (0: all) and `strict` (warnings are errors), and the
/// outputs `report` (HTML) and `report_json`; the runner takes care of them.
template <typename Job>
class Describe {
  using Path = std::filesystem::path;

 public:
  Describe(std::string app_name, std::string summary) {
    description_.name = std::move(app_name);
    description_.summary = std::move(summary);
  }

  void help(std::string text) { description_.help = std::move(text); }
  void example(std::string command) { description_.example = std::move(command); }
  void resources(Resources resources) { description_.resources = resources; }
  void sample(Sample sample) { description_.samples.push_back(std::move(sample)); }

  /// One required file.
  void input(std::string name, Path Job::* member, InputOptions options) {
    add_input(name, options, true, false);
    bind([name, member](const Request& r, Job& job) { job.*member = r.inputs.at(name).front(); });
  }
  /// One file that may be left out.
  void input(std::string name, std::optional<Path> Job::* member, InputOptions options) {
    add_input(name, options, false, false);
    bind([name, member](const Request& r, Job& job) {
      if (const auto found = r.inputs.find(name); found != r.inputs.end())
        job.*member = found->second.front();
    });
  }
  /// Any number of files, in order.
  void input(std::string name, std::vector<Path> Job::* member, InputOptions options) {
    add_input(name, options, options.required, true);
    bind([name, member](const Request& r, Job& job) {
      if (const auto found = r.inputs.find(name); found != r.inputs.end())
        job.*member = found->second;
    });
  }

  /// A file to write if the caller asks for it. Write it through AtomicFile.
  void output(std::string name, std::optional<Path> Job::* member, OutputOptions options) {
    description_.outputs.push_back(
        {name, options.kind, options.file_name, options.help, options.extra, options.needs});
    bind([name, member](const Request& r, Job& job) {
      if (const auto found = r.outputs.find(name); found != r.outputs.end())
        job.*member = found->second;
    });
  }

  /// An option; its default is the member's initialiser.
  template <typename T>
  void option(std::string name, T Job::* member, OptionOptions options) {
    OptionSpec spec{.name = name,
                    .type = detail::option_type<T>(),
                    .help = options.help,
                    .unit = options.unit,
                    .default_value = {},
                    .minimum = options.minimum,
                    .maximum = options.maximum,
                    .choices = options.choices,
                    .group = options.group,
                    .advanced = options.advanced};
    detail::limit_to_type<T>(spec);
    add_default(spec, Job{}.*member);
    description_.options.push_back(std::move(spec));
    bind([name, member](const Request& r, Job& job) {
      const auto found = r.options.find(name);
      if (found == r.options.end()) return;
      if constexpr (detail::IsOptional<T>::value)
        job.*member = detail::from_value<typename detail::IsOptional<T>::Inner>(found->second);
      else
        job.*member = detail::from_value<T>(found->second);
    });
  }

  /// An amount of memory or disk such as "4G", in bytes.
  void size_option(std::string name, std::uint64_t Job::* member, OptionOptions options) {
    OptionSpec spec{.name = name,
                    .type = OptionType::Size,
                    .help = options.help,
                    .unit = "bytes",
                    .default_value = static_cast<std::int64_t>(Job{}.*member),
                    .minimum = options.minimum,
                    .maximum = options.maximum,
                    .choices = {},
                    .group = options.group,
                    .advanced = options.advanced};
    description_.options.push_back(std::move(spec));
    bind([name, member](const Request& r, Job& job) {
      if (const auto found = r.options.find(name); found != r.options.end())
        job.*member = static_cast<std::uint64_t>(std::get<std::int64_t>(found->second));
    });
  }

  /// Finishes the app. `run` reads the job, writes its outputs, reports through the context.
  [[nodiscard]] App build(std::function<void(const Job&, RunContext&)> run) {
    return {description_, [binders = binders_, run = std::move(run)](const Request& request,
                                                                     RunContext& context) {
              Job job;
              for (const auto& set : binders) set(request, job);
              run(job, context);
            }};
  }

 private:
  using Binder = std::function<void(const Request&, Job&)>;

  void bind(Binder binder) { binders_.push_back(std::move(binder)); }

  void add_input(const std::string& name, const InputOptions& options, bool required, bool many) {
    description_.inputs.push_back({name, options.kind, options.help, required, many});
  }

  template <typename T>
  static void add_default(OptionSpec& spec, const T& value) {
    if constexpr (detail::IsOptional<T>::value) {
      if (value) spec.default_value = detail::to_value(*value);
    } else {
      spec.default_value = detail::to_value(value);
    }
  }

  Description description_;
  std::vector<Binder> binders_;
};

}  // namespace aceso::app
