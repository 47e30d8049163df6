// What a change of the genome does to a transcript, in the words of the Sequence Ontology as
// bcftools csq shortens them (Danecek and McCarthy 2017, Bioinformatics 33:2037). Each allele on
// its own.
#pragma once

#include "coding_sequence.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

/// From the gravest to the least, as Ensembl ranks them.
enum class Effect : std::uint8_t {
  SpliceAcceptor,
  SpliceDonor,
  StopGained,
  Frameshift,
  StopLost,
  StartLost,
  InframeInsertion,
  InframeDeletion,
  InframeAltering,
  Missense,
  SpliceRegion,
  StopRetained,
  Synonymous,
  CodingSequence,
  FivePrimeUtr,
  ThreePrimeUtr,
  NonCoding,
  Intron,
  Intergenic
};
inline constexpr std::array<std::string_view, 19> kEffectNames{
    "splice_acceptor", "splice_donor",      "stop_gained",      "frameshift",       "stop_lost",
    "start_lost",      "inframe_insertion", "inframe_deletion", "inframe_altering", "missense",
    "splice_region",   "stop_retained",     "synonymous",       "coding_sequence",  "5_prime_utr",
    "3_prime_utr",     "non_coding",        "intron",           "intergenic"};
[[nodiscard]] constexpr std::string_view name_of(Effect effect) noexcept {
  return kEffectNames[static_cast<std::size_t>(effect)];
}

/// Some effects.
class Effects {
 public:
  constexpr void add(Effect effect) noexcept { bits_ |= 1U << static_cast<unsigned>(effect); }
  [[nodiscard]] constexpr bool has(Effect effect) const noexcept {
    return (bits_ >> static_cast<unsigned>(effect) & 1U) != 0;
  }
  [[nodiscard]] constexpr bool empty() const noexcept { return bits_ == 0; }
  /// Calls `use(effect)` for each, the gravest first.
  template <typename Use>
  void for_each(const Use& use) const {
    for (std::uint32_t left = bits_; left != 0; left &= left - 1)
      use(static_cast<Effect>(std::countr_zero(left)));
  }
  /// \pre not empty
  [[nodiscard]] Effect gravest() const noexcept;
  /// Names with '&' between them, the gravest first.
  [[nodiscard]] std::string text() const;
  void add_text(std::string& out) const;

 private:
  std::uint32_t bits_ = 0;
};

/// Bases [begin, end) of a contig that become `added` (codes); trimmed: neither the first nor the
/// last base of both is the same.
struct SequenceChange {
  std::uint32_t begin = 0, end = 0;
  std::string added;

  [[nodiscard]] bool inserts() const noexcept { return begin == end; }
};

struct Consequence {
  Effects effects;
  std::string amino_acids;  ///< "119R>119H", or "119R" if they stay; empty: none is changed
  std::optional<CodingChange> coding;  ///< of one change whose consequence follows from its codons
};

/// The consequence for a transcript that the change touches, of the contig of `sequences`.
[[nodiscard]] Consequence consequence_of(const SequenceChange& change, const Transcript& transcript,
                                         CodingSequences& sequences);

/// Adds what changes of the codons do together; they rise and lie apart.
void add_coding_effects(std::span<const CodingChange> changes, const Transcript& transcript,
                        CodingSequences& sequences, Consequence& out);

/// Whether bases of the transcript change, or some come between them.
[[nodiscard]] bool touches(const SequenceChange& change, const Transcript& transcript) noexcept;

/// More amino acids than these are cut short if that leaves out more than kAminoAcidsSpared: "..",
/// and the number behind the last one.
inline constexpr std::size_t kShownAminoAcids = 20, kAminoAcidsSpared = 2;

}  // namespace aceso::genomics
