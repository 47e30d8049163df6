// Sorted files of alignments as one sorted stream. Included by source files only.
#pragma once

#include "merged_header.hpp"
#include "sorted_records.hpp"

#include "aceso/core/warnings.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace aceso::genomics {

struct AlignmentMergeOptions {
  const Reference* reference = nullptr;  ///< its contigs must be those of the files
  LentReference* lent = nullptr;         ///< for CRAM
  const HtsThreads* threads = nullptr;   ///< for unpacking
};

/// Hands out the records of sorted files by place; of one place first those of the forward strand,
/// then by file, then as they stand there (as samtools merge does, and as genomics align orders
/// reads). Those without a place come last. Memory: a block and a record for each file.
class AlignmentMerge {
 public:
  /// \throws Error as SortedRecords and MergedHeader do; InvalidArgument if a file is given twice;
  ///         OutOfResources if more files are given than a process may open.
  AlignmentMerge(const std::vector<std::filesystem::path>& paths, Warnings& warnings,
                 const AlignmentMergeOptions& options);

  [[nodiscard]] const MergedHeader& header() const noexcept { return header_; }
  /// The next record, with the names of the merged header; null at the end. It may be used until
  /// the next call. \throws Error CorruptData naming file and record.
  [[nodiscard]] const bam1_t* next();
  /// Bytes read since the last call.
  [[nodiscard]] std::uint64_t take_source_bytes() noexcept {
    return std::exchange(source_bytes_, 0);
  }

 private:
  struct FreeRecord {
    void operator()(bam1_t* record) const noexcept { bam_destroy1(record); }
  };
  struct Input {
    SortedRecords records;
    HeaderNames names;
    std::unique_ptr<bam1_t, FreeRecord> head;
    std::uint64_t bytes = 0;
    std::string last_group, last_name;  ///< neighbours tend to be of one read group
  };
  /// Where the head of a file comes.
  struct Turn {
    std::uint32_t contig = 0;
    std::uint64_t position_and_strand = 0;
    std::size_t input = 0;
    auto operator<=>(const Turn&) const = default;
  };

  void open(const std::vector<std::filesystem::path>& paths, Warnings& warnings,
            const AlignmentMergeOptions& options);
  [[nodiscard]] bool advance(std::size_t input);
  void rename(Input& input);
  [[nodiscard]] const std::string& name_of_group(Input& input, const std::string& group);
  [[nodiscard]] Turn turn_of(std::size_t input) const;
  void sink();

  Warnings& warnings_;
  MergedHeader header_;
  std::vector<Input> inputs_;
  std::vector<Turn> turns_;  ///< a heap, the first in front
  bool handed_out_ = false;  ///< the head in front was
  std::uint64_t source_bytes_ = 0;
};

}  // namespace aceso::genomics
