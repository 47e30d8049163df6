// The read group of a record that was read from a file of several: a number, in a tag of two
// letters like any other of BAM (SAM specification, section 4.2.4; type S, 16 bits). Records of a
// run that aligns its reads are of one group, and have no such tag.
#pragma once

#include "packed_record.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace aceso::genomics {

inline constexpr std::size_t kReadGroupTagSize = 5;
inline constexpr std::array<char, 3> kReadGroupTag{'R', 'G', 'S'};

/// Puts the tag, which has to be a record's first, to kReadGroupTagSize bytes at `to`.
inline void write_read_group(std::uint16_t group, std::byte* to) noexcept {
  std::memcpy(to, kReadGroupTag.data(), kReadGroupTag.size());
  std::memcpy(to + kReadGroupTag.size(), &group, sizeof group);
}

/// 0 if the record has no such tag.
[[nodiscard]] inline std::uint16_t read_group_of_record(const PackedRecord& record) noexcept {
  std::uint16_t group = 0;
  if (record.tags_size < kReadGroupTagSize) return group;
  const std::uint8_t* tags = record.data() + record.data_size() - record.tags_size;
  if (std::memcmp(tags, kReadGroupTag.data(), kReadGroupTag.size()) == 0)
    std::memcpy(&group, tags + kReadGroupTag.size(), sizeof group);
  return group;
}

}  // namespace aceso::genomics
