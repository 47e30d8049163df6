// Which alleles the haplotypes of samples have, of a line of a VCF.
#pragma once

#include "vcf_lines.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace aceso::genomics {

/// What is made of genotypes that do not tell which haplotype has which allele (0/1), by the
/// letters of bcftools csq --phase.
enum class PhaseMode : char {
  AsIs = 'a',          ///< alleles as they stand: 0/1 is 0|1
  Merge = 'm',         ///< all genotypes, phased ones too, are one haplotype: 0/1 is 1, 1/2 is 1
  Require = 'r',       ///< an error
  NotReference = 'R',  ///< an alternative instead of the reference: 0/1 is 1|1, 1/2 is 1|2
  Skip = 's'           ///< on no haplotype
};

/// The haplotypes of a sample at a line.
struct SampleHaplotypes {
  std::span<const int> alleles;  ///< one for each; 0 the reference, -1 not known
  bool everywhere = false;       ///< in all phase sets, as all haplotypes have the same allele
  std::string_view set;          ///< PS; empty: none is told, and the contig is one set
};

class PhasedGenotypes {
 public:
  /// Reads GT and PS. What of() gives stays valid while `line` does. A line without GT has no
  /// samples. \throws Error CorruptData naming the sample by number: GT is no genotype, or with
  ///                 Require is not phased.
  void read(const VcfLine& line, PhaseMode mode);

  [[nodiscard]] std::size_t samples() const noexcept { return samples_.size(); }
  [[nodiscard]] SampleHaplotypes of(std::size_t sample) const noexcept;

 private:
  struct Sample {
    std::uint32_t begin = 0, end = 0;
    bool everywhere = false;
    std::string_view set;
  };
  void add(std::string_view genotype, std::string_view set, PhaseMode mode);

  std::vector<int> alleles_;
  std::vector<Sample> samples_;
};

}  // namespace aceso::genomics
