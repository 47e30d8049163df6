// From costs of reads to genotypes: likelihoods of sets of haplotypes, priors, and what they say
// about each allele.
//
// With p copies of the genome a sample has p haplotypes, some of them alike: a multiset G in which
// haplotype h stands m_h times. A fragment comes from each copy with the same chance, so that
//
//   P(reads | G) = product over fragments f of  sum over h of (m_h / p) P(f | h)
//
// with P(f | h) = 10^(-cost / 10). (Li 2011, Bioinformatics 27:2987, equation 2, has it for the two
// alleles of a place; here they are haplotypes, any number of them.) An allele that k of the p
// copies have has the prior theta / k, the neutral spectrum of a variant seen k times (Watterson
// 1975, Theor Popul Biol 7:256); with two copies a homozygote is half as likely as a heterozygote.
#pragma once

#include "genotype_order.hpp"
#include "haplotypes.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace aceso::genomics {

/// Costs in phred of the fragments (reads and their mates) of a block, by haplotype.
class CostTable {
 public:
  explicit CostTable(std::size_t haplotypes) : haplotypes_(haplotypes) {}

  /// Adds a fragment. Costs above the least one are cut off at `most`: so sure can no read be, as
  /// its place may be wrong.
  void add(std::vector<int> costs, int most);
  [[nodiscard]] std::size_t fragments() const noexcept { return costs_.size() / haplotypes_; }
  [[nodiscard]] std::size_t haplotypes() const noexcept { return haplotypes_; }
  [[nodiscard]] int at(std::size_t fragment, std::size_t haplotype) const {
    return costs_[fragment * haplotypes_ + haplotype];
  }
  /// 10^(-at / 10).
  [[nodiscard]] double chance(std::size_t fragment, std::size_t haplotype) const;

 private:
  std::size_t haplotypes_;
  std::vector<int> costs_;
};

/// Alleles of a block that exclude each other and are told of together. On a haplotype, number 0
/// means none of them, i + 1 means alleles[i].
struct Site {
  std::vector<std::size_t> alleles;

  [[nodiscard]] int number_on(AlleleSet set) const noexcept;
};

/// What is known of a site. Genotypes are in the order of VCF (genotype_order.hpp).
struct SiteCall {
  double quality = 0;               ///< phred of the chance that there is no allele
  double genotype_quality = 0;      ///< phred of the chance that the genotype is another one
  std::vector<double> likelihoods;  ///< phred by genotype, least is 0
};

/// So many haplotypes may be weighed with `ploidy` copies: their multisets are 5,000 at most, and
/// the haplotypes no more than `most`.
[[nodiscard]] std::size_t most_haplotypes(int ploidy, std::size_t most);

/// A block's multisets of haplotypes with their costs: of reads and, apart, of alleles by their
/// priors. Cost: fragments x multisets x haplotypes in one.
class GenotypeTable {
 public:
  /// `priors`: phred of the chance that one copy has an allele, by allele. `ploidy` is 1 to
  /// kMostPloidy.
  GenotypeTable(const CostTable& costs, std::vector<AlleleSet> sets, std::vector<double> priors,
                int ploidy);

  /// The haplotypes of the best multiset, one for each copy.
  [[nodiscard]] std::vector<AlleleSet> best() const;
  /// Sums over all multisets, so that a site's call takes in what is not known of its neighbours.
  [[nodiscard]] SiteCall call(const Site& site) const;

 private:
  /// Numbers of haplotypes, in rising order.
  using Members = std::span<const std::uint8_t>;

  [[nodiscard]] std::size_t size() const { return costs_.size(); }
  [[nodiscard]] Members members(std::size_t i) const {
    return Members(members_).subspan(i * ploidy_, ploidy_);
  }
  [[nodiscard]] double prior(Members members, std::size_t allele) const;
  [[nodiscard]] std::size_t genotype(Members members, const Site& site) const;

  std::vector<AlleleSet> sets_;
  std::vector<double> priors_;
  std::size_t ploidy_;
  std::vector<std::uint8_t> members_;  ///< of all multisets, ploidy_ each
  std::vector<double> costs_;          ///< of reads, by multiset
  std::size_t best_ = 0;
};

}  // namespace aceso::genomics
