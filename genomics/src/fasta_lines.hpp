// The text of FASTA, in pieces of any size: which of it names a contig, and which is bases.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace aceso::genomics {

/// What try_code_of_base gives for what is no IUPAC letter.
inline constexpr std::uint8_t kNoBase = 255;
/// As code_of_base(), but for letters that are none.
[[nodiscard]] std::uint8_t try_code_of_base(char letter) noexcept;

/// Hands what it is given to a sink: `begin_contig(name)`, whose name may be empty, and
/// `take_bases(text)` for a line or a part of one, without LF. Holds no more than a header line.
class FastaLines {
 public:
  template <typename Sink>
  void add(std::string_view text, Sink& sink) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      take(text.substr(at, end - at), sink);
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

 private:
  template <typename Sink>
  void take(std::string_view text, Sink& sink) {
    if (text.empty()) return;
    if (line_begins_) {
      line_begins_ = false;
      in_header_ = text.front() == '>';
    }
    if (in_header_)
      header_ += text;
    else
      sink.take_bases(text);
  }

  template <typename Sink>
  void end_line(Sink& sink) {
    if (in_header_) {
      const std::string_view name = std::string_view(header_).substr(1);
      sink.begin_contig(name.substr(0, name.find_first_of(" \t\r")));
      header_.clear();
    }
    in_header_ = false;
    line_begins_ = true;
    ++number_;
  }

  std::string header_;
  std::uint64_t number_ = 1;
  bool line_begins_ = true, in_header_ = false;
};

}  // namespace aceso::genomics
