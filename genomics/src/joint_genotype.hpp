// Genotypes of several samples at one site, each with what the others tell of how common its
// alleles are.
#pragma once

#include "joint_sites.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace aceso::genomics {

struct JointPriors {
  double snv = 1e-3;      ///< chance of a heterozygous difference at a place
  double indel = 1.6e-4;  ///< of one that changes the length
};

/// One sample's genotype.
struct JointGenotype {
  bool known = false;
  std::vector<std::size_t> alleles;  ///< of the site, one per copy, rising
  double quality = 0;                ///< phred of the chance that it is another one, at most 99
  std::vector<double> likelihoods;   ///< phred by genotype of the site's alleles, least is 0

  [[nodiscard]] int ploidy() const noexcept { return static_cast<int>(alleles.size()); }
  /// Whether all copies have one allele.
  [[nodiscard]] bool homozygous() const { return alleles.front() == alleles.back(); }
  [[nodiscard]] bool is_reference() const { return alleles.back() == 0; }
};

struct JointCall {
  double quality = 0;  ///< phred of the chance that no sample has an alternative, '*' aside
  std::vector<JointGenotype> samples;
  std::vector<std::uint32_t> counts;  ///< chromosomes called, by allele
};

/// Phred by genotype of the site's alleles of what a sample says: the least of the genotypes of the
/// record's alleles that are the site's; those that the record does not name are its last one.
[[nodiscard]] std::vector<double> site_likelihoods(const SampleEvidence& evidence,
                                                   std::size_t allele_count);

/// Genotypes each sample, whatever its number of copies, which need not be that of the others. The
/// prior of its genotype is that of drawing its chromosomes from a
/// population of unknown frequencies (Dirichlet, with 1 for the reference and the chance of a
/// difference for each alternative: the neutral spectrum, in which a variant seen k times in a
/// sample has a chance of theta/k) after the expected alleles of all other samples have been seen;
/// expectations are iterated until they stay (as the EM of Li 2011, Bioinformatics 27:2987). The
/// quality sums over all counts of alternatives as that paper's equation 20 does. With one sample
/// the priors are those of genomics germline.
///
/// The call does not depend on the order of samples. Cost: samples x genotypes x copies x
/// iterations, and chromosomes^2.
[[nodiscard]] JointCall genotype_site(const JointSite& site, const JointPriors& priors);

}  // namespace aceso::genomics
