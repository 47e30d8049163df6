// INFO/HCSQ: what alleles of one haplotype do together to a transcript.
#pragma once

#include "annotate_line.hpp"

#include <deque>
#include <stop_token>
#include <string>
#include <vector>

namespace aceso::genomics {

/// The header's line that declares INFO/HCSQ.
extern const std::string_view kHcsqHeader;

/// More haplotypes than these are counted, not named.
inline constexpr std::size_t kNamedHaplotypes = 10;

struct HaplotypeFigures {
  std::size_t entries = 0;      ///< written
  std::size_t overlapping = 0;  ///< alleles left out of a haplotype that has another one there
};

/// Fills `joint` of the first `used` lines, by their coding alleles and genotypes. Of changes of
/// one haplotype that overlap the later one is left out.
/// Cost: for each transcript its alleles times samples times ploidy; haplotypes of the same alleles
/// are judged once.
HaplotypeFigures add_haplotype_notes(std::deque<LineWork>& lines, std::size_t used,
                                     const std::vector<std::string>& samples,
                                     const Reference& reference, unsigned threads,
                                     const std::stop_token& stop);

}  // namespace aceso::genomics
