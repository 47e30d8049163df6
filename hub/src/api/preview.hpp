/// \file
/// A look at the beginning of a file, whatever its size.
#pragma once

#include "aceso/core/files.hpp"
#include "aceso/core/json.hpp"

#include <string_view>

namespace aceso::hub {

/// Makes the answer PREVIEW for `file`, called `file_name`, of a kind shown by `viewer`.
///
/// Reads a bounded part of the file and undoes gzip; the content is only looked at, never followed.
/// \throws Error Io.
[[nodiscard]] Json preview(const FileHandle& file, std::string_view file_name,
                           std::string_view viewer);

/// The rows of CSV or TSV text, at most `limit`; a row that `text` cuts off is left out unless
/// `complete`. Quotes as in RFC 4180 when `separator` is a comma.
[[nodiscard]] Json parse_table(std::string_view text, char separator, std::size_t limit,
                               bool complete);

}  // namespace aceso::hub
