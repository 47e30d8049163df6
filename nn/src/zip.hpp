/// \file
/// Stored (not compressed) members of a zip archive (APPNOTE 6.3), as torch.save writes them.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

namespace aceso::nn {

using ZipMembers = std::map<std::string, std::span<const std::byte>>;

/// \throws Error CorruptData naming `source`, the member and what is wrong; Unsupported for
/// compressed or encrypted members.
[[nodiscard]] ZipMembers read_zip(std::span<const std::byte> bytes, const std::string& source);

}  // namespace aceso::nn
