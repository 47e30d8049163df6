// Where the records of a region begin, from a tabix index (.tbi).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace aceso::genomics {

/// The virtual offset from which records that overlap `position` (0-based) of `contig` are found,
/// by the index's table of 16 kb windows; nothing if it knows of none there or behind.
/// \throws Error CorruptData if the index is damaged, Io.
[[nodiscard]] std::optional<std::uint64_t> find_in_tabix(int descriptor, std::string_view name,
                                                         std::string_view contig,
                                                         std::uint64_t position);

}  // namespace aceso::genomics
