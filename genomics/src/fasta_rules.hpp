// What makes a FASTA file fit to be a reference: names that differ, and IUPAC letters. (There is no
// specification; names are held to that of SAM.)
#pragma once

#include "check_findings.hpp"
#include "fasta_lines.hpp"
#include "sam_header_rules.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace aceso::genomics {

/// Tells the first error of each contig and goes on at the next. Holds names, but no bases.
class FastaRules {
 public:
  explicit FastaRules(Findings& findings) : findings_(findings) {}

  /// Takes the next piece of the text.
  void add(std::string_view text) { lines_.add(text, *this); }
  /// Behind the last piece.
  void finish();

  [[nodiscard]] std::uint64_t contigs() const noexcept { return contigs_; }

 private:
  friend FastaLines;
  void begin_contig(std::string_view name);
  void take_bases(std::string_view text);
  void end_contig();

  Findings& findings_;
  FastaLines lines_;
  TextSet names_;
  std::string name_;           // of the contig
  std::uint64_t contigs_ = 0;  // begun
  std::uint64_t bases_ = 0;    // of the contig, up to its first error
  std::uint64_t line_ = 0;     // of its header
  bool skips_ = false;         // to the next contig
};

}  // namespace aceso::genomics
