/// \file
/// A request to run an app, and the check that answers with all its mistakes at once.
#pragma once

#include "aceso/app/description.hpp"
#include "aceso/core/json.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace aceso::app {

/// A checked request. Every required input is there, every option has its type and range.
struct Request {
  std::map<std::string, std::vector<std::filesystem::path>> inputs;
  std::map<std::string, Value> options;  ///< given or default; absent: the option's "none"
  std::map<std::string, std::filesystem::path> outputs;
};

/// One thing that is wrong with a request.
struct Mistake {
  std::string pointer;  ///< JSON pointer (RFC 6901) into the request, e.g. "/options/min_length"
  std::string message;  ///< what was expected and what was found
};

/// Finds the file behind an input value of a kind. Returns it, or any path after setting `problem`.
using InputResolver = std::function<std::filesystem::path(const std::string& value,
                                                          const Kind& kind, std::string& problem)>;

/// Values are paths: they must exist, be readable, and be files or pipes; or folders, where the
/// kind of data comes as one.
[[nodiscard]] InputResolver paths_of_this_machine();

/// Checks `json` ({"inputs": {…}, "options": {…}, "outputs": {…}}) against `description`.
/// Names may be written with '-' or '_'. Returns the request; adds each mistake to `mistakes`.
[[nodiscard]] Request check_request(const Description& description, const Json& json,
                                    const InputResolver& resolve, std::vector<Mistake>& mistakes);

/// "--min-length: …" lines for people on a command line.
[[nodiscard]] std::string format_mistakes(const std::vector<Mistake>& mistakes);

}  // namespace aceso::app
