// The lines of a text file, plain or compressed with gzip or BGZF, one after the other.
#pragma once

#include "text_source.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace aceso::genomics {

class TextLines {
 public:
  /// `expected` names the format in messages. \throws Error as TextSource does.
  TextLines(const std::filesystem::path& path, Warnings& warnings, std::string_view expected);

  /// The next line without its end (LF or CRLF); false behind the last. `line` is valid until the
  /// next call. \throws Error as TextSource and BgzfInflater do; CorruptData for a line of more
  /// than kLongestLine bytes.
  [[nodiscard]] bool next(std::string_view& line);
  [[nodiscard]] std::uint64_t number() const noexcept { return number_; }  ///< of the line, from 1
  /// Whether that line ended with LF, and with CR before it.
  [[nodiscard]] bool complete() const noexcept { return complete_; }
  [[nodiscard]] bool carriage_return() const noexcept { return carriage_return_; }
  /// Bytes read of the file since the last call.
  [[nodiscard]] std::uint64_t take_source_bytes() noexcept;

  static constexpr std::size_t kLongestLine = 1ULL << 30;

 private:
  [[nodiscard]] bool read_more();

  std::string path_;
  TextSource source_;
  BgzfInflater inflater_;
  std::string text_;
  std::size_t at_ = 0;
  bool complete_ = true, carriage_return_ = false;
  std::uint64_t number_ = 0, source_bytes_ = 0;
};

}  // namespace aceso::genomics
