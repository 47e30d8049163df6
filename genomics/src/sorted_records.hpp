// Records in order from BAM, CRAM or SAM, whatever they are aligned to. Included by source files
// only.
#pragma once

#include "hts_files.hpp"

#include "aceso/core/warnings.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace aceso::genomics {

struct SortedRecordsOptions {
  LentReference* reference = nullptr;   ///< CRAM is refused without
  const HtsThreads* threads = nullptr;  ///< for unpacking; null: none
  bool whole = false;                   ///< a file without its end marker is refused
};

class SortedRecords {
 public:
  /// \throws Error NotFound, Io; CorruptData if the file is neither BAM, CRAM nor SAM, empty or cut
  ///         short; InvalidArgument if it is CRAM and there is no reference.
  SortedRecords(const std::filesystem::path& path, Warnings& warnings,
                const SortedRecordsOptions& options);

  /// Reads the next record; false at the end.
  /// \throws Error CorruptData naming the record: not sorted, cut short, malformed.
  [[nodiscard]] bool next(bam1_t& record);

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] sam_hdr_t* header() const noexcept { return header_.get(); }
  [[nodiscard]] const std::shared_ptr<sam_hdr_t>& shared_header() const noexcept { return header_; }
  /// Reads on with another header, of the same contigs, which files may share.
  void use_header(std::shared_ptr<sam_hdr_t> header) { header_ = std::move(header); }
  /// The file, number and place of the record read last.
  [[nodiscard]] std::string where(const bam1_t& record) const;
  [[nodiscard]] std::uint64_t source_bytes() const { return bytes_read(*file_); }

  /// For each contig of the header its index in `reference`.
  /// \throws Error InvalidArgument if the reference lacks one, or has it otherwise.
  [[nodiscard]] std::vector<std::uint32_t> match_contigs(const Reference& reference) const;

 private:
  [[noreturn]] void refuse_format() const;
  void check_end(const SortedRecordsOptions& options, Warnings& warnings) const;
  void match_contig(const char* name, hts_pos_t length, const Contig& own) const;
  void check(const bam1_t& record) const;
  void check_order(const bam1_t& record);

  std::string path_;
  std::shared_ptr<sam_hdr_t> header_;
  HtsFile file_;
  std::uint64_t number_ = 0;
  std::int32_t contig_ = 0;
  hts_pos_t position_ = -1;
};

/// A tag of a line of a header: `tag` of the line of type `type` whose `id_key` is `id`; empty if
/// there is none.
[[nodiscard]] std::string header_tag(sam_hdr_t* header, const char* type, const char* id_key,
                                     const char* id, const char* tag);

}  // namespace aceso::genomics
