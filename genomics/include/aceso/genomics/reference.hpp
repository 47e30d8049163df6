/// \file
/// A reference genome in memory: contigs joined into one line of base codes.
///
/// Two coordinate systems are used all over this toolkit. A *contig position* is 0-based within a
/// contig. A *global position* is 0-based on the line of all contigs, which are kept apart by
/// kContigGap codes kCodeGap (also in front of the first and behind the last), so that a window
/// around a place in one contig never shows bases of another.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

/// Codes of bases: A 0, C 1, G 2, T 3, anything else 4; 5 is between contigs.
inline constexpr std::uint8_t kCodeN = 4, kCodeGap = 5;
inline constexpr std::uint32_t kContigGap = 1024;

/// The code of a letter of either case; U is T; IUPAC letters of more than one base are N.
[[nodiscard]] std::uint8_t code_of_base(char letter) noexcept;
/// 'A', 'C', 'G', 'T', or 'N' for any other code.
[[nodiscard]] constexpr char base_of_code(std::uint8_t code) noexcept {
  return code < kCodeN ? "ACGT"[code] : 'N';
}
/// The code of the complementary base.
[[nodiscard]] constexpr std::uint8_t complement(std::uint8_t code) noexcept {
  return code < kCodeN ? static_cast<std::uint8_t>(3 - code) : kCodeN;
}

/// A run of one letter that its codes do not tell apart: IUPAC letters of several bases, which are
/// coded as N, and U, coded as T.
struct LetterRun {
  std::uint32_t begin = 0;   ///< contig position
  std::uint32_t length = 0;  ///< bases
  char letter = 'N';         ///< upper case

  friend bool operator==(const LetterRun&, const LetterRun&) = default;
};

struct Contig {
  std::string name;          ///< first word of the FASTA header
  std::uint64_t begin = 0;   ///< global position of its first base
  std::uint32_t length = 0;  ///< bases
  std::string md5;           ///< of the upper-case letters as they stand in the file (SAM tag M5)
  std::vector<LetterRun> other_letters;  ///< in order; none in most genomes
};

/// A place on the reference.
struct Place {
  std::uint32_t contig = 0;    ///< index
  std::uint32_t position = 0;  ///< 0-based in the contig
};

/// The contigs of a genome. Borrows the codes from whatever it was made of: its own memory (read
/// from FASTA), or a mapped index.
class Reference {
 public:
  Reference() = default;
  Reference(std::vector<Contig> contigs, std::span<const std::uint8_t> codes)
      : contigs_(std::move(contigs)), codes_(codes) {}

  [[nodiscard]] const std::vector<Contig>& contigs() const noexcept { return contigs_; }
  /// Codes of the whole line, gaps included.
  [[nodiscard]] std::span<const std::uint8_t> codes() const noexcept { return codes_; }
  /// Codes of one contig.
  [[nodiscard]] std::span<const std::uint8_t> codes(std::uint32_t contig) const {
    return codes_.subspan(contigs_[contig].begin, contigs_[contig].length);
  }
  /// The upper-case letters of one contig as they stand in the file.
  [[nodiscard]] std::string letters(std::uint32_t contig) const;
  /// The contig whose bases, or the gap behind them, hold the global position.
  [[nodiscard]] std::uint32_t contig_at(std::uint64_t global) const;
  [[nodiscard]] Place place(std::uint64_t global) const;
  /// Index of the contig called `name`, or -1.
  [[nodiscard]] int find(std::string_view name) const noexcept;
  [[nodiscard]] std::uint64_t base_count() const noexcept;

 private:
  std::vector<Contig> contigs_;
  std::span<const std::uint8_t> codes_;
};

/// A reference with the memory that it borrows.
struct OwnedReference {
  std::vector<std::uint8_t> memory;
  Reference reference;
};

/// Reads FASTA, plain or compressed with gzip or BGZF.
/// \throws Error CorruptData naming the file and contig: no '>' at the beginning, two contigs of
///         one name, a letter that is no IUPAC code, no contig at all; Unsupported above 4.29 Gb;
///         NotFound, Io, Cancelled.
[[nodiscard]] OwnedReference read_reference(const std::filesystem::path& fasta,
                                            const std::stop_token& stop = {});

}  // namespace aceso::genomics
