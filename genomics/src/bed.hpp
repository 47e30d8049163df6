// Intervals of a genome, from a BED file.
#pragma once

#include "aceso/genomics/reference.hpp"

#include "aceso/core/warnings.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

/// 0-based, half open.
struct BedInterval {
  std::uint32_t begin = 0, end = 0;
};

/// Sorted intervals that do not touch, one list per contig of a reference.
class BedRegions {
 public:
  /// All of every contig.
  explicit BedRegions(const Reference& reference);
  explicit BedRegions(std::vector<std::vector<BedInterval>> by_contig);

  [[nodiscard]] std::uint64_t base_count() const noexcept;
  [[nodiscard]] const std::vector<BedInterval>& of(std::uint32_t contig) const {
    return by_contig_[contig];
  }
  /// Whether all of [begin, end) lies in one interval. An empty span, an insertion, lies in the
  /// interval that holds the base before it.
  [[nodiscard]] bool contains(std::uint32_t contig, std::uint32_t begin, std::uint32_t end) const;
  /// Whether a base of [begin, end) lies in an interval.
  [[nodiscard]] bool touches(std::uint32_t contig, std::uint32_t begin, std::uint32_t end) const;

 private:
  std::vector<std::vector<BedInterval>> by_contig_;
};

/// An interval as a file tells it.
struct BedLine {
  std::uint32_t contig = 0;
  BedInterval interval;
  std::span<const std::string_view> columns;  ///< all of the line; while it is handed out
  const std::string& where;                   ///< "FILE: line 3"
};
/// Hands out the lines of a BED file, plain or compressed, in the file's order. Empty intervals,
/// contigs that the reference lacks and ends behind a contig's are warned of; the first two are
/// left out. \throws Error as read_bed does, and what `take` throws.
void read_bed_lines(const std::filesystem::path& path, const Reference& reference,
                    Warnings& warnings, const std::function<void(const BedLine&)>& take);

/// Reads BED, plain or compressed. Overlapping intervals are joined. Empty intervals, contigs that
/// the reference lacks and ends behind a contig's are warned of.
/// \throws Error CorruptData naming the file and line: fewer than three columns, no numbers, an
///         end before its beginning, no interval on any contig of the reference; NotFound, Io.
[[nodiscard]] BedRegions read_bed(const std::filesystem::path& path, const Reference& reference,
                                  Warnings& warnings);

/// What to say when `name` is no contig of `reference`: ", which calls it chr20 …" or nothing.
[[nodiscard]] std::string contig_hint(const Reference& reference, std::string_view name);

}  // namespace aceso::genomics
