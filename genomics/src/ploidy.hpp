// How many copies of each place of a genome a sample has.
#pragma once

#include "aceso/genomics/reference.hpp"

#include "aceso/core/warnings.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace aceso::genomics {

/// A stretch of the line of all contigs (global positions, half open) with its copies.
struct PloidyStretch {
  std::uint64_t begin = 0, end = 0;
  int ploidy = 2;
};

/// Copies by place; 0 where nothing is called.
class PloidyMap {
 public:
  /// `ploidy` copies everywhere.
  PloidyMap(const Reference& reference, int ploidy);

  /// From now on `ploidy` copies in [begin, end), global, within one contig.
  void set(std::uint64_t begin, std::uint64_t end, int ploidy);

  [[nodiscard]] int at(std::uint64_t global) const { return stretch_at(global).ploidy; }
  /// The stretch of one number of copies that holds a place. Stretches end where contigs do.
  [[nodiscard]] const PloidyStretch& stretch_at(std::uint64_t global) const;
  /// The greatest number of copies anywhere.
  [[nodiscard]] int most() const;

 private:
  void split(std::uint64_t at);

  std::map<std::uint64_t, PloidyStretch> stretches_;  ///< by beginning, one behind the other
};

struct PloidyOptions {
  int ploidy = 2;
  std::string haploid_contigs;                ///< names with commas between them
  std::string sex = "unknown";                ///< or male, female
  std::optional<std::filesystem::path> file;  ///< BED with the copies as fourth column
};

/// The copies that options tell; of a place of which several speak, the file counts most, then the
/// sex, then the haploid contigs.
///
/// A male has one copy of X and Y but two of X's pseudo-autosomal regions (PAR); those of Y are not
/// called: aligners send their reads to X where Y's are masked, and to either at random, with a
/// mapping quality of 0, where they are not. A female has no Y. The PARs are those of the Genome
/// Reference Consortium for GRCh38 and GRCh37, told by the length of the contig (chrX or X, chrY or
/// Y).
///
/// \throws Error InvalidArgument for a sex with a ploidy other than 2; CorruptData naming file and
///         line: as read_bed, a fourth column that is no number from 0 to 8, intervals that overlap
///         with different copies; NotFound, Io.
///         Warns of a sex where the reference has neither X nor Y, or an X or Y of another length.
[[nodiscard]] PloidyMap ploidy_map(const Reference& reference, const PloidyOptions& options,
                                   Warnings& warnings);

}  // namespace aceso::genomics
