// Genotypes in their smallest pieces: trimmed, complex alleles aligned to the reference and cut
// where the sample's alleles all agree with it, substitutions one base each.
#pragma once

#include "vcf_records.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace aceso::genomics {

/// A change of the reference within [begin, end), 0-based; both equal for an insertion in front of
/// `begin`.
struct VariantPiece {
  std::uint32_t begin = 0, end = 0;
  /// Base codes that stand in place of [begin, end), by copy of the genome.
  std::vector<std::string> alleles = std::vector<std::string>(2);
  /// Whether that copy has the change at all, one for each; at least one has.
  std::vector<bool> alters = std::vector<bool>(2);
  std::uint64_t record = 0;  ///< number of the line it is from
  double quality = -1, score = -1;

  [[nodiscard]] std::size_t copies() const noexcept { return alleles.size(); }
  /// The first copy with the allele that copy `h` has.
  [[nodiscard]] std::size_t first_alike(std::size_t h) const;
  /// Whether copy `h` is the first with its alternative.
  [[nodiscard]] bool brings_alternative(std::size_t h) const {
    return alters[h] && first_alike(h) == h;
  }
  /// All copies have one alternative.
  [[nodiscard]] bool homozygous() const;
  [[nodiscard]] bool several_alternatives() const;
  /// Whether both change the same bases in the same way, phase aside. Between different numbers of
  /// copies the share of each allele has to be the same.
  [[nodiscard]] bool same_as(const VariantPiece& other) const;
};

/// Bases over which an allele can be shifted without another outcome (Tan, Abecasis and Kang 2015,
/// Bioinformatics 31:2202: the same variant in all its representations).
struct ShiftedAllele {
  std::uint32_t begin = 0, end = 0;  ///< of its leftmost place
  std::uint32_t reach = 0;           ///< end of its rightmost place
  std::string bases;                 ///< of its leftmost place
};

/// The allele of one copy trimmed and moved left. `contig` are codes.
/// Cost: as far as it can be shifted, at most kMaxShift bases either way.
[[nodiscard]] ShiftedAllele shift_left(std::span<const std::uint8_t> contig,
                                       const VariantPiece& piece, std::size_t copy);
inline constexpr std::uint32_t kMaxShift = 10000;

/// Why a record gives no pieces.
enum class Unused { No, Filtered, NoGenotype, ReferenceGenotype, Symbolic, Polyploid, NoPlace };

/// Appends the pieces of `record` (whose contig must be known), sorted by place. A missing allele
/// beside one that is not ('./1') and '*' count as the reference; one allele alone as two of it.
/// Genotypes of more than kMostPloidy alleles are Unused::Polyploid.
[[nodiscard]] Unused cut_to_pieces(std::span<const std::uint8_t> contig,
                                   const GenotypeRecord& record, std::vector<VariantPiece>& out);

}  // namespace aceso::genomics
