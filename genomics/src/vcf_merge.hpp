// Files of calls of pieces of a genome, one behind the other.
#pragma once

#include "gvcf_records.hpp"
#include "vcf_lines.hpp"

#include "aceso/core/warnings.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

/// The records of several sorted files that follow each other, in any order given. Where one file
/// goes on behind the beginning of the next, both must say the same there, line by line; it is told
/// once.
class VcfMerge {
 public:
  /// \throws Error as VcfLines does; CorruptData naming the file if its contigs or samples are not
  ///         those of the first. Warns of lines of the header of one ID that differ.
  VcfMerge(const std::vector<std::filesystem::path>& paths, Warnings& warnings);

  /// All lines of the header: those of the file that comes first, and what others have beside them.
  [[nodiscard]] const std::string& header() const noexcept { return header_; }
  [[nodiscard]] std::uint64_t longest_contig() const noexcept { return longest_contig_; }
  /// The next line, with its end; false behind the last.
  /// \throws Error CorruptData naming file and record: pieces that overlap and differ.
  [[nodiscard]] bool next(std::string& line);
  /// How many lines two files told.
  [[nodiscard]] std::uint64_t repeated() const noexcept { return repeated_; }
  [[nodiscard]] std::uint64_t take_source_bytes() noexcept;

 private:
  struct Piece {
    VcfLines lines;
    VcfLine head;
    std::uint64_t place = 0;  ///< of head
    bool any = false;         ///< there is a head
  };

  void check_same(const Piece& piece) const;
  void read_contigs();
  void join_headers(Warnings& warnings);
  void advance(Piece& piece);
  void pass_over(Piece& next);

  std::vector<Piece> pieces_;  ///< in the order of what they begin with
  std::size_t at_ = 0;
  std::vector<std::pair<std::string, std::uint64_t>> contigs_;  ///< sorted by name, with the order
  std::string header_;
  std::uint64_t longest_contig_ = 0, repeated_ = 0;
};

}  // namespace aceso::genomics
