// Counts that are kept among the steps of a run.
#pragma once

#include "aceso/core/files.hpp"
#include "aceso/core/json.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <optional>

namespace aceso::genomics {

/// The table that the file `kept` holds, if it is there; else what `count` makes, which is kept if
/// there is a name for it. Shards that count at the same time write the same bytes.
/// \throws Error CorruptData if the file holds none; what `count` throws.
template <typename Table, typename Count>
[[nodiscard]] Table kept_or_counted(const std::optional<std::filesystem::path>& kept,
                                    const Count& count) {
  if (kept && std::filesystem::exists(*kept))
    return Table::from_json(parse_json(read_file(*kept), kept->string()), kept->string());
  Table table = count();
  if (kept) write_file(*kept, table.to_json().dump() + "\n");
  return table;
}

}  // namespace aceso::genomics
