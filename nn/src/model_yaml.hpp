/// \file
/// model.yaml and JSON.
#pragma once

#include "aceso/core/json.hpp"

#include <string>
#include <string_view>

namespace aceso::nn {

/// Parses foreign YAML as JSON: plain true, false, null and numbers get their types.
/// \throws Error CorruptData naming `source` and the line.
[[nodiscard]] Json parse_yaml(const std::string& text, std::string_view source);

/// Block YAML that parse_yaml() reads back as `value`.
[[nodiscard]] std::string to_yaml(const Json& value);

}  // namespace aceso::nn
