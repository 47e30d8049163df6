// Haplotypes of a block of alleles, and what each read costs given each of them.
#pragma once

#include "allele.hpp"
#include "call_reads.hpp"
#include "gap_costs.hpp"
#include "kernels/band.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace aceso::genomics {

/// Alleles of a block are numbered; a haplotype is the set of those that it has.
using AlleleSet = std::uint64_t;
inline constexpr std::size_t kMostAlleles = 64;

/// All sets of alleles that can stand together, the empty one (the reference) first. If there were
/// more than `most`, alleles are left out, those at the end of `order` first.
[[nodiscard]] std::vector<AlleleSet> haplotype_sets(std::span<const Allele> alleles,
                                                    std::span<const std::size_t> order,
                                                    std::size_t most);

/// One haplotype over a window of the reference.
class Haplotype {
 public:
  /// `alleles` in rising order, without conflicts, inside [begin, end).
  Haplotype(const Reference& reference, std::uint32_t begin, std::uint32_t end,
            std::vector<const Allele*> alleles, const GapCosts& gaps);

  /// Cost of a read, in phred. Looks where its alignment says it begins, and where it ends.
  [[nodiscard]] int cost(const CallReads& all, const CallRead& read) const;

 private:
  // Room in front of the window and behind it, so that reads that hang over it can be compared.
  static constexpr std::uint32_t kRoom = 96;

  [[nodiscard]] std::int64_t place_of(std::int64_t global, bool behind) const;
  [[nodiscard]] int compare(const CallReads& all, const CallRead& read, std::int64_t at) const;
  [[nodiscard]] int banded(const CallReads& all, const CallRead& read, std::int64_t at) const;
  void price_gaps(const GapCosts& gaps);

  std::uint32_t begin_;
  std::vector<const Allele*> alleles_;
  std::vector<std::uint8_t> codes_, gap_open_;
  std::uint8_t least_open_ = 0;
  const AlignKernels& kernels_;
  mutable std::vector<std::uint64_t> mask_;
};

}  // namespace aceso::genomics
