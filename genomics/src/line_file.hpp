// Lines of an open file from any place on: plain text, or BGZF, where places are virtual offsets
// (SAM specification, section 4.1.1).
#pragma once

#include "bgzf.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace aceso::genomics {

class LineFile {
 public:
  /// `descriptor` is borrowed and only read with pread; `name` is for messages.
  /// \throws Error Unsupported if it is gzip without blocks; Io.
  LineFile(int descriptor, std::string_view name);

  /// Goes to a place that place() has told, or an index.
  void seek(std::uint64_t place);
  /// Where the next line begins.
  [[nodiscard]] std::uint64_t place() const noexcept;
  /// The next line without its end; false at the end of the file. Valid until the next call.
  /// \throws Error CorruptData naming the place, Io.
  [[nodiscard]] bool next(std::string_view& line);

  /// The share of the file before place(), 0 to 1.
  [[nodiscard]] double share() const noexcept;
  /// All that is left, at most `limit` bytes. \throws Error as next(), Unsupported if there is
  /// more.
  [[nodiscard]] std::string rest(std::size_t limit);

 private:
  bool load();
  bool load_block();
  std::size_t read_at(std::uint64_t offset, std::size_t size);

  int descriptor_;
  std::string name_;
  bool blocks_ = false;
  std::uint64_t size_ = 0;   ///< of the file
  std::uint64_t begin_ = 0;  ///< place in the file of what is loaded
  std::uint64_t end_ = 0;    ///< behind it
  std::string bytes_, text_, line_;
  std::size_t at_ = 0;  ///< in text_
  BgzfInflater inflater_;
};

}  // namespace aceso::genomics
