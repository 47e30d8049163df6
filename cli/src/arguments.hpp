/// \file
/// From the words of a command line to a request, by an app's description.
#pragma once

#include "aceso/app/request.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace aceso::cli {

/// A command line of an app, taken apart.
struct Arguments {
  Json request;  ///< {"inputs", "options", "outputs"} as typed; not checked yet
  std::vector<app::Mistake> mistakes;  ///< words that mean nothing, options without a value
  bool help = false, json = false, quiet = false, log_json = false, report = true;
  std::string print_job;  ///< "", "json" or "slurm"
};

[[nodiscard]] Arguments parse_arguments(const app::Description& description,
                                        const std::vector<std::string>& words);

}  // namespace aceso::cli
