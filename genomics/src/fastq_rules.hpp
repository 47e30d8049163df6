// Records of FASTQ checked one after the other, and found again behind one that is broken.
#pragma once

#include "check_findings.hpp"

#include "aceso/core/warnings.hpp"
#include "aceso/genomics/fastq.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

/// Takes lines; what they must be parse_fastq() decides. Behind a broken record it goes on at the
/// next line that begins a plausible one: '@', then a line of letters, then '+'. Memory: some
/// megabytes of lines.
class FastqRules {
 public:
  /// `path` names the file in warnings, which go to `warnings`.
  FastqRules(const std::filesystem::path& path, Warnings& warnings, Findings& findings);

  /// The next line, without its end. \throws Error CorruptData for lines of a size that no read
  /// has.
  void add(std::string_view line);
  /// Checks the records whose lines are there.
  void check_whole() { take_records(false); }
  /// Behind the last line.
  void finish();

  /// So far; broken ones that begin with '@' among them.
  [[nodiscard]] std::uint64_t records() const noexcept { return records_; }

 private:
  /// Where a line of text_ begins and ends.
  struct Line {
    std::size_t begin = 0, end = 0;
  };
  [[nodiscard]] std::string_view line(std::size_t i) const;
  [[nodiscard]] bool begins_record(std::size_t i, bool last) const;
  [[nodiscard]] FastqChunk chunk_of(std::size_t first, std::size_t records) const;
  void take_records(bool last);
  void parse(std::size_t records);
  bool find_record(bool last);
  void drop_blank_tail();
  void drop_lines(std::size_t count);

  // Fewer behind a broken record, so that a file full of them is not copied over and over.
  static constexpr std::size_t kRecordsAtOnce = 1024;

  std::shared_ptr<const std::vector<std::string>> files_;
  Warnings& warnings_;
  Findings& findings_;
  std::string text_;           // of lines, each with LF
  std::vector<Line> lines_;    // in text_
  std::size_t next_ = 0;       // of lines_: what is before was checked
  std::uint64_t dropped_ = 0;  // lines before text_
  std::uint64_t records_ = 0;
  std::size_t at_once_ = kRecordsAtOnce;
  bool lost_ = false;    // where the next record begins
  bool broken_ = false;  // any record
  ParsedChunk parsed_;
};

}  // namespace aceso::genomics
