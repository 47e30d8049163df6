// Records into a BAM, CRAM or SAM file with an index beside it. Included by source files only.
#pragma once

#include "hts_files.hpp"

#include "aceso/core/files.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace aceso::genomics {

/// A format that can be written.
struct AlignmentFormat {
  std::string_view ending, mode, index_ending;
};
/// \throws Error InvalidArgument for another ending than .bam, .cram and .sam.
[[nodiscard]] const AlignmentFormat& alignment_format(const std::filesystem::path& path);

struct AlignmentWriterOptions {
  int compression_level = 5;            ///< of BAM
  LentReference* reference = nullptr;   ///< CRAM is refused without
  const HtsThreads* threads = nullptr;  ///< for packing; null: none
  std::filesystem::path scratch;        ///< for what htslib wants as files
};

class AlignmentWriter {
 public:
  /// The format is told by the ending. Nothing is at `path` before commit(). `header` is text.
  /// \throws Error NotFound, Io, InvalidArgument.
  AlignmentWriter(const std::filesystem::path& path, const std::string& header,
                  const AlignmentWriterOptions& options);

  /// \throws Error OutOfResources, Io.
  void write(const bam1_t& record);
  /// Ends the file and its index (.bai, .csi, .crai) and gives both their names.
  void commit();

 private:
  void begin_threads(const HtsThreads* threads);
  void begin_index(const std::filesystem::path& scratch);
  [[noreturn]] void refused() const;

  const AlignmentFormat& format_;
  AtomicFile target_;
  HtsHeader header_;
  std::optional<HtsThreads> beside_;
  HtsFile file_;
  std::filesystem::path index_path_;
  bool csi_ = false;
};

}  // namespace aceso::genomics
