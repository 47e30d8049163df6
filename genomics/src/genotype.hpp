// From costs of reads to genotypes: diploid likelihoods of pairs of haplotypes, priors, and what
// they say about each allele.
#pragma once

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

 private:
  std::size_t haplotypes_;
  std::vector<int> costs_;
};

struct Priors {
  double snv = 30;  ///< phred of a heterozygous difference at a place: 1 in 1000
  double indel = 38;
  double both = 3;  ///< more for a homozygous one
};

/// Alleles of a block that exclude each other and are told of together. On a haplotype, number 0
/// means none of them, i + 1 means alleles[i].
struct Site {
  std::vector<std::size_t> alleles;

  [[nodiscard]] int number_on(AlleleSet set) const noexcept;
};

/// What is known of a site. Genotypes are in the order of VCF: for alleles j <= k, k (k + 1) / 2 +
/// j. With one copy of the genome they are the alleles themselves.
struct SiteCall {
  double quality = 0;               ///< phred of the chance that there is no allele
  double genotype_quality = 0;      ///< phred of the chance that the genotype is another one
  std::vector<double> likelihoods;  ///< phred by genotype, least is 0
};

/// A block's pairs of haplotypes with their costs: of reads and, apart, of alleles by their priors.
class PairTable {
 public:
  /// `ploidy` is 1 or 2.
  PairTable(const CostTable& costs, std::vector<AlleleSet> sets, std::vector<Allele> alleles,
            const Priors& priors, int ploidy);

  [[nodiscard]] AlleleSet first() const { return sets_[pairs_[best_].first]; }
  [[nodiscard]] AlleleSet second() const { return sets_[pairs_[best_].second]; }
  /// Sums over all pairs, so that a site's call takes in what is not known of its neighbours.
  [[nodiscard]] SiteCall call(const Site& site) const;

 private:
  struct Pair {
    std::size_t first, second;
    double cost;
  };

  [[nodiscard]] double prior(const Pair& pair, std::size_t allele) const;
  [[nodiscard]] std::size_t genotype(const Pair& pair, const Site& site) const;

  std::vector<AlleleSet> sets_;
  std::vector<Allele> alleles_;
  Priors priors_;
  int ploidy_;
  std::vector<Pair> pairs_;
  std::size_t best_ = 0;
};

}  // namespace aceso::genomics
