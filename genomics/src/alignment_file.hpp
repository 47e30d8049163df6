// Reads BAM, CRAM and SAM as packed records, for the caller. htslib, kept in one file.
#pragma once

#include "record_builder.hpp"

#include "aceso/core/warnings.hpp"
#include "aceso/genomics/reference.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace aceso::genomics {

/// Global positions, half open.
struct GlobalInterval {
  std::uint64_t begin = 0, end = 0;
};

struct AlignmentFileOptions {
  std::optional<std::string> sample;  ///< whose reads are wanted, by the read groups
  unsigned threads = 1;
  std::filesystem::path scratch;  ///< for what htslib wants as files
  /// Records that begin elsewhere are not read: by the file's index, if it has one. Rising, apart
  /// from each other, each within one contig.
  std::optional<std::vector<GlobalInterval>> only;
  /// Of a file with several read groups each record tells its own (see read_group_tag.hpp).
  bool read_groups = false;
};

/// Records in any order; of each only what calling needs: no name, no tags. Mates have one number,
/// made from their name.
class AlignmentFile {
 public:
  /// \throws Error NotFound, Io; CorruptData if it is no such file, ends too early, or its contigs
  ///         are not the reference's; Unsupported if it has more than 65,534 read groups and they
  ///         are wanted; InvalidArgument if it holds several samples and none of them
  ///         is chosen.
  AlignmentFile(const std::filesystem::path& path, const Reference& reference, Warnings& warnings,
                const AlignmentFileOptions& options);
  ~AlignmentFile();
  AlignmentFile(AlignmentFile&&) noexcept;

  /// Appends some records; false behind the last.
  /// \throws Error CorruptData naming the file and record.
  [[nodiscard]] bool next(RecordBatch& out);
  /// As the read groups name it; empty: they do not.
  [[nodiscard]] const std::string& sample() const noexcept;
  /// Bytes of the file that were read.
  [[nodiscard]] std::uint64_t offset() const;
  /// Lengths of fragments, of the first pairs that are properly paired.
  [[nodiscard]] const std::vector<std::int32_t>& fragment_lengths() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceso::genomics
