// Aligned reads in order, from BAM, CRAM or SAM.
#pragma once

#include "aceso/core/warnings.hpp"
#include "aceso/genomics/reference.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

struct bam1_t;

namespace aceso::genomics {

struct FreeAlignment {
  void operator()(bam1_t* record) const noexcept;
};
using AlignmentPointer = std::unique_ptr<bam1_t, FreeAlignment>;

struct SortedAlignmentsOptions {
  unsigned threads = 1;           ///< for unpacking
  std::filesystem::path scratch;  ///< where CRAM gets its reference
};

/// A reader of records sorted by coordinate.
class SortedAlignments {
 public:
  /// \throws Error NotFound, Io; CorruptData if the file is neither BAM, CRAM nor SAM or empty;
  ///         InvalidArgument if its contigs are not those of `reference`.
  SortedAlignments(const std::filesystem::path& path, const Reference& reference,
                   Warnings& warnings, const SortedAlignmentsOptions& options);
  ~SortedAlignments();
  SortedAlignments(SortedAlignments&&) noexcept;

  /// The next record, or null at the end. Its contig is an index of contigs().
  /// \throws Error CorruptData naming the record: not sorted, cut short, malformed.
  [[nodiscard]] AlignmentPointer next();

  /// For each contig of the header its index in the reference.
  [[nodiscard]] const std::vector<std::uint32_t>& contigs() const noexcept;
  /// LB of the read groups, each once; empty names are left out.
  [[nodiscard]] const std::vector<std::string>& libraries() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceso::genomics
