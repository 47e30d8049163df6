// The coding sequence of a transcript, and the same with changes in it.
#pragma once

#include "gene_models.hpp"
#include "genetic_code.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace aceso::genomics {

[[nodiscard]] std::string reverse_complement_codes(std::string_view bases);
/// The bases of `spans`, one after the other, as the contig has them.
[[nodiscard]] std::string bases_of(std::span<const Span> spans,
                                   std::span<const std::uint8_t> contig);

/// The coding sequence of a transcript, in its direction, from its first whole codon on.
struct CodingSequence {
  std::string bases;
  std::string behind;   ///< of the exons behind it
  std::string protein;  ///< up to the first stop, which is included
};
[[nodiscard]] CodingSequence coding_sequence(const Transcript& transcript,
                                             std::span<const std::uint8_t> contig,
                                             GeneticCode code);

/// A change in the coordinates of a coding sequence.
struct CodingChange {
  std::size_t at = 0, removed = 0;
  std::string added;
  /// The first codon and the last that count as changed. A gap's includes the base before it (on
  /// the contig), as VCF writes it.
  std::size_t first_codon = 0, last_codon = 0;

  [[nodiscard]] std::size_t end() const noexcept { return at + removed; }
};

/// A coding sequence with changes, and what lies behind it, without being written out.
class AlteredSequence {
 public:
  /// `changes` rise and do not overlap. Both are kept by reference.
  AlteredSequence(const CodingSequence& sequence, std::span<const CodingChange> changes,
                  GeneticCode code);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// `count` codons from base `from` on, up to the first stop, which is included.
  [[nodiscard]] std::string translated(std::size_t from, std::size_t count) const;

 private:
  [[nodiscard]] std::string_view part(std::size_t index) const noexcept;

  const CodingSequence& sequence_;
  std::span<const CodingChange> changes_;
  GeneticCode code_;
  std::size_t size_ = 0;
};

/// The coding sequences asked for lately, each made once. For one thread.
class CodingSequences {
 public:
  CodingSequences(std::span<const std::uint8_t> contig, GeneticCode code)
      : contig_(contig), code_(code) {}

  /// Valid until the next call.
  [[nodiscard]] const CodingSequence& of(const Transcript& transcript);
  [[nodiscard]] std::span<const std::uint8_t> contig() const noexcept { return contig_; }
  [[nodiscard]] GeneticCode code() const noexcept { return code_; }

 private:
  static constexpr std::size_t kKept = 256;

  std::span<const std::uint8_t> contig_;
  GeneticCode code_;
  std::unordered_map<const Transcript*, CodingSequence> made_;
};

/// Of a contig of the reference, by the code that its name tells.
[[nodiscard]] CodingSequences sequences_of(const Reference& reference, int contig);

}  // namespace aceso::genomics
