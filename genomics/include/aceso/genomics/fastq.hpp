/// \file
/// Reading FASTQ: plain, gzip (any number of members) or BGZF; several files in order.
///
/// Accepted without a word: CRLF line ends, a missing last newline, blank lines at the end, a
/// repeated name behind '+', reads of length 0. Accepted with a warning and made uniform: lower
/// case letters (to upper case), '.' (to 'N'), 'U' (to 'T'). Accepted with a warning and kept:
/// other IUPAC letters, files without a read, BGZF without its end marker. Everything else is
/// refused with the file's name and the number of the record, counted from 1.
#pragma once

#include "aceso/core/tensor.hpp"
#include "aceso/core/warnings.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

/// Bytes that may be read (never used) before and behind the text of a chunk, so that vector
/// loads need no special case at its ends.
inline constexpr std::size_t kTextMargin = 64;

/// Where the records of a chunk come from.
struct Origin {
  std::uint32_t begin = 0;          ///< first record of the chunk this holds for
  std::uint32_t file = 0;           ///< index into FastqChunk::files
  std::uint64_t number_1based = 1;  ///< number of that record in its file
};

/// Whole records as text: four lines each, lines end with '\n' (after '\r' if the file has it).
struct FastqChunk {
  Buffer buffer;                   ///< text at kTextMargin, kTextMargin bytes behind it
  std::size_t size = 0;            ///< of the text, in bytes
  std::uint32_t record_count = 0;  ///< the last one may be cut off by the end of its file
  std::uint64_t first_record = 0;  ///< 0-based number of the first record over all files
  std::uint64_t source_bytes = 0;  ///< bytes of the files (compressed) read for it, for progress
  std::vector<Origin> origins;     ///< never empty
  std::shared_ptr<const std::vector<std::string>> files;

  [[nodiscard]] char* text() const noexcept {
    return buffer.size() == 0 ? nullptr : reinterpret_cast<char*>(buffer.data()) + kTextMargin;
  }
  /// "FILE: record N" for messages.
  [[nodiscard]] std::string place(std::uint32_t record) const;
};

/// One read. Points into its chunk.
struct FastqRecord {
  char* name = nullptr;  ///< behind '@', with the comment
  char* bases = nullptr;
  char* qualities = nullptr;  ///< phred+33
  std::uint32_t name_size = 0;
  std::uint32_t length = 0;
  std::uint32_t text_size = 0;  ///< of the four lines, which begin at name - 1
  bool plain = false;           ///< the four lines have no '\r' and nothing behind '+'

  [[nodiscard]] std::string_view name_view() const noexcept { return {name, name_size}; }
  [[nodiscard]] std::string_view bases_view() const noexcept { return {bases, length}; }
  [[nodiscard]] std::string_view qualities_view() const noexcept { return {qualities, length}; }
};

/// What one pass over a read tells. Counts of bases.
struct ReadFacts {
  std::uint32_t quality_sum = 0;  ///< phred
  std::uint32_t qualified = 0;    ///< quality at least the `qualified` asked for
  std::uint32_t q20 = 0;
  std::uint32_t q30 = 0;
  std::uint32_t gc = 0;
  std::uint32_t n = 0;
  std::uint32_t other = 0;      ///< letters that are none of A C G T N
  bool qualities_valid = true;  ///< all within '!'..'~'
};

/// The records of a chunk, checked.
struct ParsedChunk {
  std::vector<FastqRecord> records;
  std::vector<ReadFacts> facts;                        ///< one per record
  std::uint8_t quality_least = 255, quality_most = 0;  ///< letters; least > most if there is none

  void clear();
};

/// Parses `chunk` into `out`, whose memory is reused; `qualified` (phred) is the threshold of
/// ReadFacts::qualified. Makes letters uniform in place, as this file's comment tells.
/// \throws Error CorruptData naming file, record, what was expected and what was found.
void parse_fastq(const FastqChunk& chunk, std::uint8_t qualified, Warnings& warnings,
                 ParsedChunk& out);

/// Checks that records `a` and `b` are mates: equal names up to the first blank, apart from a
/// last letter 1 and 2 ("/1" and "/2"). \throws Error CorruptData with both names.
void check_mates(const FastqChunk& chunk_a, const FastqRecord& a, const FastqChunk& chunk_b,
                 const FastqRecord& b, std::uint32_t record);

/// Reads files one after the other, for callers that need no threads of their own.
///
/// \snippet fastq_test.cpp read all
class FastqReader {
 public:
  /// \throws Error NotFound, Io, Unsupported (another compression).
  FastqReader(std::vector<std::filesystem::path> files, Warnings& warnings,
              std::uint32_t records_per_chunk = 1024);
  ~FastqReader();
  FastqReader(FastqReader&&) noexcept;

  /// Parses the next records into `out`; returns false when there are none left. They stay
  /// valid until the next call. \throws Error CorruptData, Io, Cancelled.
  [[nodiscard]] bool next(ParsedChunk& out, const std::stop_token& stop = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceso::genomics
