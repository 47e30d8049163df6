// Unique molecular identifiers: taken from the reads or the index in the name, put into the name.
#pragma once

#include "rules.hpp"
#include "trim.hpp"

#include <string>
#include <string_view>

namespace aceso::genomics {

/// The first index of a CASAVA comment ("1:N:0:ACGT+TTAA": "ACGT"), or "".
[[nodiscard]] std::string_view first_index(std::string_view name);
/// The last one ("TTAA").
[[nodiscard]] std::string_view last_index(std::string_view name);

/// Cuts the UMI off `read` and `mate` (null: none) as `rules` say; returns what is to be added
/// to the names of both, "" for nothing.
[[nodiscard]] std::string take_umi(std::string_view read_name, Window& read,
                                   std::string_view mate_name, Window* mate, const UmiRules& rules);

/// `name` with `umi` behind its identifier.
[[nodiscard]] std::string name_with_umi(std::string_view name, std::string_view umi,
                                        const UmiRules& rules);

}  // namespace aceso::genomics
