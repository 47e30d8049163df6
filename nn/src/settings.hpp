/// \file
/// Reading an architecture's settings.
#pragma once

#include "aceso/core/error.hpp"
#include "aceso/core/json.hpp"
#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::nn {

/// Reads settings of one source and names it in every complaint.
class Settings {
 public:
  Settings(const Json& config, std::string_view source, std::string_view what)
      : config_(config), source_(source) {
    if (!config.is_object())
      fail(Errc::CorruptData, "{}: config: expected settings of {}, found none", source, what);
  }

  [[nodiscard]] std::int64_t count(const char* name, std::int64_t minimum, std::int64_t maximum,
                                   std::int64_t missing = -1) const {
    const auto found = config_.find(name);
    if (found == config_.end() && missing >= 0) return missing;
    if (found == config_.end() || !found->is_number_integer() ||
        found->get<std::int64_t>() < minimum || found->get<std::int64_t>() > maximum)
      fail(Errc::CorruptData, "{}: config.{}: expected a whole number from {} to {}, found {}",
           source_, name, minimum, maximum, shown(found));
    return found->get<std::int64_t>();
  }

  [[nodiscard]] bool flag(const char* name, bool missing) const {
    const auto found = config_.find(name);
    if (found == config_.end()) return missing;
    if (!found->is_boolean())
      fail(Errc::CorruptData, "{}: config.{}: expected true or false, found {}", source_, name,
           shown(found));
    return found->get<bool>();
  }

  [[nodiscard]] std::string one_of(const char* name,
                                   const std::vector<std::string>& choices) const {
    const auto found = config_.find(name);
    if (found == config_.end()) return choices.front();
    for (const std::string& choice : choices)
      if (*found == choice) return choice;
    fail(Errc::CorruptData, "{}: config.{}: expected one of {}; found {}", source_, name,
         join(choices, ", "), shown(found));
  }

  [[nodiscard]] double small(const char* name, double missing) const {
    const auto found = config_.find(name);
    if (found == config_.end()) return missing;
    const double value = found->is_number() ? found->get<double>() : -1;
    if (!(value >= 0 && value < 1))
      fail(Errc::CorruptData, "{}: config.{}: expected a number from 0 to 1, found {}", source_,
           name, shown(found));
    return value;
  }

  /// A list of 1 to `most` texts.
  [[nodiscard]] std::vector<std::string> texts(const char* name, std::size_t most) const {
    const auto found = config_.find(name);
    const bool list =
        found != config_.end() && found->is_array() && !found->empty() && found->size() <= most;
    if (!list || !std::ranges::all_of(*found, [](const Json& one) { return one.is_string(); }))
      fail(Errc::CorruptData, "{}: config.{}: expected a list of texts, found {}", source_, name,
           shown(found));
    return found->get<std::vector<std::string>>();
  }

 private:
  [[nodiscard]] std::string shown(Json::const_iterator found) const {
    if (found == config_.end()) return "nothing";
    return printable(found->dump(-1, ' ', false, Json::error_handler_t::replace), 60);
  }

  const Json& config_;
  std::string source_;
};

}  // namespace aceso::nn
