/// \file
/// Sequences from FASTA files, plain or gzip.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace aceso::lm {

struct FastaRecord {
  std::string id;        ///< first word behind '>'
  std::string header;    ///< all behind '>'
  std::string sequence;  ///< upper case, as written otherwise; a '*' at its end is dropped
};

/// Reads record by record; holds one in memory.
///
/// Tolerates Windows line ends, blank lines, lower case, spaces inside sequence lines and a last
/// line without an end. A header without a sequence gives an empty sequence.
class FastaReader {
 public:
  /// \throws Error NotFound, Io, CorruptData if the file begins like another format.
  explicit FastaReader(const std::filesystem::path& path);
  ~FastaReader();
  FastaReader(FastaReader&&) noexcept;
  FastaReader& operator=(FastaReader&&) noexcept;

  /// Fills `record` with the next one; false at the end.
  /// \throws Error CorruptData naming file and record: text before the first '>', control
  /// characters, a header without a word, a damaged or cut-off gzip stream.
  bool next(FastaRecord& record);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// All records of a file. \throws as FastaReader, and CorruptData if an id comes twice or there is
/// no record.
[[nodiscard]] std::vector<FastaRecord> read_fasta(const std::filesystem::path& path);

}  // namespace aceso::lm
