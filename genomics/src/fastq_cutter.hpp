// Cuts text into chunks of whole records, counting lines only: what the lines say is checked
// later, by any thread.
#pragma once

#include "text_source.hpp"

#include "aceso/genomics/fastq.hpp"

#include <functional>

namespace aceso::genomics {

class FastqCutter {
 public:
  using Emit = std::function<void(FastqChunk)>;

  /// Chunks hold `records` records, but for the last one.
  FastqCutter(std::uint32_t records, std::shared_ptr<const std::vector<std::string>> files);

  /// Takes the next piece of text (not of blocks). \throws Error CorruptData.
  void add(const TextPiece& piece, const Emit& emit);
  /// Emits what is left, if anything.
  void finish(const Emit& emit);

 private:
  void append(const char* text, std::size_t size);
  void reserve(std::size_t size);
  void end_file(const Emit& emit);
  void drop_blank_tail();
  void check_nothing_behind_blanks(const char* text, std::size_t size);
  void flush(const Emit& emit);
  [[nodiscard]] std::uint32_t records_begun() const noexcept {
    return static_cast<std::uint32_t>((lines_ + 3) / 4);
  }

  std::uint32_t records_;
  FastqChunk chunk_;
  std::size_t lines_ = 0;  ///< in chunk_
  std::uint64_t first_record_ = 0;
  std::uint32_t file_ = 0;
  bool blank_tail_ = false;  ///< blank lines were dropped: the file must have ended
  bool broken_ = false;      ///< a file ended inside a record: the parser will say so
};

}  // namespace aceso::genomics
