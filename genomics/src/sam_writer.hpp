// Writes sorted records as BAM, CRAM or SAM with an index beside it. htslib, kept in one file.
#pragma once

#include "align_job.hpp"
#include "sorted_reads.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace aceso::genomics {

struct SamWriterOptions {
  std::string header_lines;  ///< @RG and @PG lines, each with its newline
  int compression_level = 5;
  unsigned threads = 1;
  std::filesystem::path scratch;  ///< for what htslib wants as files
};

class SamWriter {
 public:
  /// The format is told by the ending: .bam, .cram or .sam. Nothing is at `path` before commit().
  /// \throws Error NotFound, Io, Unsupported (another ending).
  SamWriter(const std::filesystem::path& path, const Reference& reference,
            const SamWriterOptions& options);
  ~SamWriter();
  SamWriter(SamWriter&&) noexcept;

  /// `extra_flags` are set beside the record's own. \throws Error OutOfResources, Io.
  void write(const PackedRecord& record, std::uint16_t extra_flags);
  /// All records of a bucket, duplicates marked.
  void write(const SortedBucket& bucket);
  /// Ends the file and its index (.bai, .crai) and gives both their names.
  void commit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The writer of a job's alignments, if it asks for them.
[[nodiscard]] std::optional<SamWriter> open_alignments(const AlignJob& job,
                                                       const Reference& reference,
                                                       const app::RunContext& context);

}  // namespace aceso::genomics
