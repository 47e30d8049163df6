/// \file
/// The JSON value used throughout the platform: keys keep the order in which they were added.
///
/// This header only declares it; include <nlohmann/json.hpp> in the source that uses one.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string_view>

namespace aceso {

using Json = nlohmann::ordered_json;

/// Parses foreign JSON. Refuses what is not JSON, repeated keys, and nesting deeper than
/// `max_depth`. `source` names the text in messages.
/// \throws Error CorruptData naming `source`, line and what was found.
[[nodiscard]] Json parse_json(std::string_view text, std::string_view source,
                              std::size_t max_depth = 64);

}  // namespace aceso
