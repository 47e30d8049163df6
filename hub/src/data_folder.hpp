/// \file
/// The hub's data folder: where what is, and that one hub at a time works on it.
#pragma once

#include "aceso/core/files.hpp"

#include <filesystem>

namespace aceso::hub {

/// The layout is described in hub/README.md. Holding one keeps other hubs away.
class DataFolder {
 public:
  /// Makes the folder if it is not there, for its owner only.
  /// \throws Error OutOfResources if another hub works on it, Io, InvalidArgument for an empty
  /// path.
  explicit DataFolder(const std::filesystem::path& path);

  [[nodiscard]] std::filesystem::path token() const { return root_ / "token"; }
  [[nodiscard]] std::filesystem::path database() const { return root_ / "hub.sqlite"; }
  [[nodiscard]] std::filesystem::path blobs() const { return root_ / "blobs"; }
  [[nodiscard]] std::filesystem::path uploads() const { return root_ / "uploads"; }
  [[nodiscard]] std::filesystem::path indexes() const { return root_ / "indexes"; }
  [[nodiscard]] std::filesystem::path runs() const { return root_ / "runs"; }

 private:
  std::filesystem::path root_;  ///< absolute: links in run folders begin with it
  FileHandle lock_;
};

}  // namespace aceso::hub
