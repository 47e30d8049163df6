/// \file
/// Uncompressed tar archives (ustar, POSIX.1-1988) that are read in place, and written.
#pragma once

#include "aceso/core/files.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace aceso::nn {

struct TarEntry {
  std::string name;
  std::uint64_t offset = 0, size = 0;
};

/// The files of an archive. Names are plain: no folders, no "..".
/// \throws Error CorruptData naming `source`, the entry and what is wrong.
[[nodiscard]] std::vector<TarEntry> list_tar(std::span<const std::byte> bytes,
                                             const std::string& source);

/// Writes the files of `folder` (sorted by name, without owners or times, so that the same files
/// give the same bytes) as an archive.
void write_tar(const std::filesystem::path& folder, const std::vector<std::string>& names,
               const std::filesystem::path& archive);

}  // namespace aceso::nn
