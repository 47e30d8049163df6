// Whole lines of VCF and BCF as text, for what hands on what it does not understand.
#pragma once

#include "aceso/core/warnings.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

/// The columns that every line has, by number.
enum class VcfColumn : std::uint8_t {
  Contig,
  Position,
  Id,
  Reference,
  Alternatives,
  Quality,
  Filter,
  Info
};

/// One record.
class VcfLine {
 public:
  /// Finds the columns of `text`; false if there are fewer than eight, or POS is no number.
  [[nodiscard]] bool assign(std::string_view text);

  [[nodiscard]] std::string_view column(VcfColumn column) const noexcept;
  /// FORMAT and what follows, without the tab before it; empty if the line ends with INFO.
  [[nodiscard]] std::string_view rest() const noexcept;
  [[nodiscard]] const std::string& text() const noexcept { return text_; }
  /// 0-based. (POS 0, in front of a contig, is 0 as well.)
  [[nodiscard]] std::uint32_t position() const noexcept { return position_; }

  std::uint64_t number = 0;  ///< of the record, from 1; 0: not known, behind a jump

 private:
  std::string text_;
  std::array<std::uint32_t, 9> begins_{};  ///< of the columns, and of what follows
  std::uint32_t position_ = 0;
};

/// The value of `key` in an INFO column: empty for a flag or a missing value; `present` tells
/// whether the key is there.
[[nodiscard]] std::string_view info_value(std::string_view info, std::string_view key,
                                          bool& present);
/// What an INFO line of a header says of `key` in `<ID=x,key=y,...>`; empty if nothing.
[[nodiscard]] std::string_view header_value(std::string_view line, std::string_view key);

/// Calls `use(part)` for the parts of `text` between separators, one at least.
template <typename Use>
void for_each_part(std::string_view text, char separator, const Use& use) {
  while (true) {
    const std::size_t end = std::min(text.find(separator), text.size());
    use(text.substr(0, end));
    if (end == text.size()) return;
    text.remove_prefix(end + 1);
  }
}
/// The parts of `text` between separators.
[[nodiscard]] std::vector<std::string_view> split_views(std::string_view text, char separator);

/// A file from its header to its end. Checks that it is sorted.
class VcfLines {
 public:
  /// Reads the header. \throws Error NotFound, Io; CorruptData if it is neither VCF nor BCF.
  VcfLines(const std::filesystem::path& path, Warnings& warnings);
  ~VcfLines();
  VcfLines(VcfLines&&) noexcept;
  VcfLines& operator=(VcfLines&&) noexcept;

  /// Lines that begin with ##, without line ends.
  [[nodiscard]] const std::vector<std::string>& header() const noexcept;
  /// The line that begins with #CHROM.
  [[nodiscard]] const std::string& columns() const noexcept;
  [[nodiscard]] const std::vector<std::string>& samples() const noexcept;
  [[nodiscard]] const std::string& path() const noexcept;

  /// The next record; false behind the last.
  /// \throws Error CorruptData naming file and record: too few columns, no position, no bases in
  ///         REF, not sorted.
  [[nodiscard]] bool next(VcfLine& line);
  /// Whether an index no older than the file (.tbi, .csi) lies beside it, of a compressed VCF.
  [[nodiscard]] bool has_index() const noexcept;
  /// What next() gives from now on: the records of a contig that reach `position` or lie behind it,
  /// to the contig's end. The contig is found by its plain name. False if the index lacks it.
  /// \pre has_index() \throws Error Io.
  [[nodiscard]] bool jump(const std::string& plain_contig, std::uint32_t position);
  /// "FILE: record 3 (chr1:200)".
  [[nodiscard]] std::string where(const VcfLine& line) const;
  /// Bytes read of the file since the last call.
  [[nodiscard]] std::uint64_t take_source_bytes() noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceso::genomics
