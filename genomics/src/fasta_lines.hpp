// The text of FASTA, in pieces of any size: which of it names a contig, and which is bases.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace aceso::genomics {

/// What try_code_of_base gives for what is no IUPAC letter.
inline constexpr std::uint8_t kNoBase = 255;
/// Names are cut there, so that a file without line ends takes no memory.
inline constexpr std::size_t kLongestName = 1 << 16;
/// As code_of_base(), but for letters that are none.
[[nodiscard]] std::uint8_t try_code_of_base(char letter) noexcept;

/// Hands what it is given to a sink: `begin_contig(name)`, whose name may be empty, and
/// `take_bases(text)` for a line or a part of one, without LF; if the sink has it, `end_bases()` at
/// the end of each line that is no header. Of a header it holds kLongestName bytes at most.
class FastaLines {
 public:
  template <typename Sink>
  void add(std::string_view text, Sink& sink) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      take(text.substr(at, end - at), sink);
      line_size_ += end - at + (end < text.size() ? 1 : 0);
      if (end < text.size()) end_line(sink);
      at = end + 1;
    }
  }
  /// Behind the last piece.
  template <typename Sink>
  void finish(Sink& sink) {
    end_line(sink);
  }

  /// Of the line that the sink is called for, from 1.
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
  /// Bytes before the line that take_bases() is called for.
  [[nodiscard]] std::uint64_t offset() const noexcept { return offset_; }

 private:
  template <typename Sink>
  void take(std::string_view text, Sink& sink) {
    if (text.empty()) return;
    if (line_begins_) {
      line_begins_ = false;
      in_header_ = text.front() == '>';
    }
    if (!in_header_)
      sink.take_bases(text);
    else if (header_.size() <= kLongestName)
      header_ += text.substr(0, kLongestName + 1 - header_.size());
  }

  template <typename Sink>
  void end_line(Sink& sink) {
    offset_ += std::exchange(line_size_, 0);
    if (in_header_) {
      const std::string_view name = std::string_view(header_).substr(1);
      sink.begin_contig(name.substr(0, name.find_first_of(" \t\r")));
      header_.clear();
    } else if constexpr (requires { sink.end_bases(); }) {
      sink.end_bases();
    }
    in_header_ = false;
    line_begins_ = true;
    ++number_;
  }

  std::string header_;
  std::uint64_t number_ = 1, offset_ = 0, line_size_ = 0;
  bool line_begins_ = true, in_header_ = false;
};

}  // namespace aceso::genomics
