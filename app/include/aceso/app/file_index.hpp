/// \file
/// Ways to index files, so that a viewer finds the parts it wants by ranges of bytes.
#pragma once

#include "aceso/core/progress.hpp"

#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace aceso::app {

/// A file to be indexed. All of it is borrowed for the call.
struct IndexRequest {
  std::filesystem::path file;    ///< only read
  std::string_view file_name;    ///< what people call it, for messages
  std::filesystem::path folder;  ///< empty; where the files of the index go
  Progress& progress;
  std::stop_token stop = {};
};

/// How files of one kind are indexed.
struct FileIndex {
  std::string kind;  ///< of the files
  int version = 1;   ///< another one when what `make` writes changes: what is kept is made again
  /// Writes the files of the index, each called by its usual ending without a dot ("fai"), and
  /// advances `progress` by bytes of the file. Memory does not grow with the file. Thread-safe.
  /// \throws Error CorruptData or Unsupported naming file and record, Cancelled once `stop` was
  ///         requested, Io, OutOfResources.
  std::function<void(const IndexRequest&)> make;
};

}  // namespace aceso::app
