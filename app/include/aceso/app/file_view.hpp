/// \file
/// Ways to look into files that are too long to be shown whole: pages of rows, with filters.
#pragma once

#include "aceso/core/json.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::app {

/// Something by which rows are left out; people fill it in.
struct ViewFilter {
  std::string name;                       ///< in the query
  std::string label;                      ///< for people
  std::string placeholder = {};           ///< an example
  std::vector<std::string> choices = {};  ///< empty: any text
};

/// An open file. Descriptors are borrowed, and only read with pread.
struct ViewSource {
  int file = -1;
  int index = -1;  ///< of the file beside it with one of `index_endings`; -1: none
  std::string_view file_name;
};

/// What of a file is wanted: values of filters, "cursor" and "limit".
using ViewQuery = std::map<std::string, std::string>;

/// How files of one kind are shown row by row.
struct FileView {
  std::string kind;                        ///< of the files
  std::string noun;                        ///< what a row is, in the plural
  std::vector<std::string> index_endings;  ///< tried in this order behind the file's name
  std::vector<ViewFilter> filters;
  /// Returns {"columns": [text], "rows": [[text]], "next": cursor or null, "share": 0 to 1}. A page
  /// may have few rows or none and still a next one, for no call looks at more than some
  /// megabytes; `share` is how much of the file has been looked through. Thread-safe.
  /// \throws Error InvalidArgument for a query that makes no sense, CorruptData naming the record,
  ///         Unsupported, Io.
  std::function<Json(const ViewSource&, const ViewQuery&)> page;
};

}  // namespace aceso::app
