// An aligned read as it travels from the aligner to the sorted stream: a fixed head, and the data
// of a BAM record behind it (SAM specification, section 4.2) in htslib's layout, where the name is
// filled up to a multiple of four bytes.
#pragma once

#include "aceso/genomics/aligner.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace aceso::genomics {

/// Flags of SAM.
enum SamFlag : std::uint16_t {
  kPaired = 0x1,
  kProper = 0x2,
  kUnmapped = 0x4,
  kMateUnmapped = 0x8,
  kReversed = 0x10,
  kMateReversed = 0x20,
  kFirst = 0x40,
  kLast = 0x80,
  kSecondary = 0x100,
  kFailed = 0x200,
  kDuplicate = 0x400,
  kSupplementary = 0x800,
};

/// The position of reads without any place.
inline constexpr std::uint32_t kNowhere = ~0U;

struct PackedRecord {
  std::uint64_t number = 0;                ///< of its read or pair in the input
  std::uint32_t size = 0;                  ///< of head and data, a multiple of 8
  std::uint32_t position = kNowhere;       ///< global; an unmapped read stands at its mate's
  std::uint32_t mate_position = kNowhere;  ///< global
  std::int32_t template_length = 0;
  std::uint32_t read_length = 0;
  std::uint32_t tags_size = 0;
  std::uint16_t cigar_count = 0;
  std::uint16_t flags = 0;
  std::uint8_t mapping_quality = 0;
  std::uint8_t name_size = 0;     ///< with the NULs behind it
  std::uint8_t name_padding = 0;  ///< NULs behind the first
  std::uint8_t order = 0;         ///< among the records of its pair

  [[nodiscard]] const std::uint8_t* data() const noexcept {
    return reinterpret_cast<const std::uint8_t*>(this + 1);
  }
  [[nodiscard]] std::size_t data_size() const noexcept {
    return std::size_t{name_size} + cigar_count * 4UL + (read_length + 1) / 2 + read_length +
           tags_size;
  }
  [[nodiscard]] std::string_view name() const noexcept {
    return {reinterpret_cast<const char*>(data()), std::size_t{name_size} - name_padding - 1U};
  }
  [[nodiscard]] std::span<const std::uint32_t> cigar() const noexcept {
    return {reinterpret_cast<const std::uint32_t*>(data() + name_size), cigar_count};
  }
  /// Two bases a byte, the first in the higher half: 1 A, 2 C, 4 G, 8 T, 15 N.
  [[nodiscard]] const std::uint8_t* bases() const noexcept {
    return data() + name_size + cigar_count * 4UL;
  }
  /// Phred, without an offset.
  [[nodiscard]] const std::uint8_t* qualities() const noexcept {
    return bases() + (read_length + 1) / 2;
  }
  [[nodiscard]] bool mapped() const noexcept { return (flags & kUnmapped) == 0; }
};
static_assert(std::is_trivially_copyable_v<PackedRecord> && sizeof(PackedRecord) % 8 == 0);

/// The order of a sorted file: by place; records at one place by strand, then as they were read.
[[nodiscard]] inline bool stands_before(const PackedRecord& a, const PackedRecord& b) noexcept {
  if (a.position != b.position) return a.position < b.position;
  const bool ra = (a.flags & kReversed) != 0, rb = (b.flags & kReversed) != 0;
  if (ra != rb) return rb;
  return a.number != b.number ? a.number < b.number : a.order < b.order;
}

/// Genome buckets: the records of kBucketBases positions, and one bucket for those without a place.
inline constexpr int kBucketBits = 18;
[[nodiscard]] inline std::size_t bucket_count(std::uint64_t code_count) noexcept {
  return (code_count >> kBucketBits) + 2;
}
[[nodiscard]] inline std::size_t bucket_of(std::uint32_t position, std::size_t buckets) noexcept {
  return position == kNowhere ? buckets - 1 : position >> kBucketBits;
}

}  // namespace aceso::genomics
