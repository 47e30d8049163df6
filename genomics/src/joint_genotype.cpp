#include "joint_genotype.hpp"

#include "genotype_order.hpp"

#include <math.h>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace aceso::genomics {
namespace {

constexpr double kMostQuality = 10'000, kMostGenotypeQuality = 99;
constexpr int kMostRounds = 60;
/// Expected counts are summed as whole numbers of this fraction, so that the order is of no
/// account.
constexpr double kFraction = 1.0 / (1LL << 32);

double log_gamma(double x) {
  int sign = 0;  // (std::lgamma keeps it in a variable that all threads share)
  return ::lgamma_r(x, &sign);
}

using Genotype = std::span<const std::size_t>;

/// How many copies before the i-th have its allele. (The numbers rise.)
std::size_t alike_before(Genotype genotype, std::size_t i) {
  std::size_t out = 0;
  while (out < i && genotype[i - 1 - out] == genotype[i]) ++out;
  return out;
}

/// By the number of variant copies, and behind them the ploidy.
using CollapsedChances = std::array<double, kMostPloidy + 2>;

/// A sample that says something.
struct Informed {
  std::size_t index = 0;
  int ploidy = 2;
  std::vector<double> chances;         ///< of the reads by genotype, the greatest is 1
  std::vector<double> posterior;       ///< by genotype
  std::vector<std::int64_t> expected;  ///< alleles, in fractions
};

class SiteModel {
 public:
  SiteModel(const JointSite& site, const JointPriors& priors)
      : alleles_(site.alleles.size()), star_(site.has_star()) {
    base_.push_back(1);
    for (std::size_t i = 1; i < alleles_; ++i) {
      const bool same_size = site.alleles[i].size() == site.alleles[0].size();
      base_.push_back(same_size && site.alleles[i] != "*" ? priors.snv : priors.indel);
    }
    all_.assign(alleles_, 0);
  }

  void add(std::size_t index, int ploidy, const std::vector<double>& likelihoods) {
    Informed sample{index,
                    ploidy,
                    {},
                    std::vector<double>(likelihoods.size()),
                    std::vector<std::int64_t>(alleles_, 0)};
    for (const double phred : likelihoods) sample.chances.push_back(std::pow(10.0, -phred / 10));
    samples_.push_back(std::move(sample));
  }

  void fit() {
    for (int round = 0; round < kMostRounds; ++round) {
      for (Informed& sample : samples_) update(sample);
      const std::vector<std::int64_t> before = all_;
      all_.assign(alleles_, 0);
      for (const Informed& sample : samples_) {
        for (std::size_t a = 0; a < alleles_; ++a) all_[a] += sample.expected[a];
      }
      std::int64_t change = 0;
      for (std::size_t a = 0; a < alleles_; ++a)
        change = std::max(change, std::abs(all_[a] - before[a]));
      if (static_cast<double>(change) * kFraction < 1e-6) break;
    }
  }

  [[nodiscard]] const std::vector<Informed>& samples() const noexcept { return samples_; }

  /// Phred of the chance that all chromosomes are the reference or '*'.
  [[nodiscard]] double quality() const {
    std::vector<CollapsedChances> rows;
    for (const Informed& sample : samples_) rows.push_back(collapsed(sample));
    std::ranges::sort(rows);  // so that sums do not depend on the order of samples
    std::vector<double> ways{1};
    double scale = 0, none = 0;  // logarithms: of `ways`, and of the chance without alternatives
    for (const auto& row : rows) {
      none += std::log(std::max(row[0], 1e-300));
      const auto ploidy = static_cast<std::size_t>(row.back());
      std::vector<double> next(ways.size() + ploidy, 0);
      for (std::size_t k = 0; k < ways.size(); ++k) {
        for (std::size_t g = 0; g <= ploidy; ++g)
          next[k + g] += ways[k] * row[g] * static_cast<double>(binomial(ploidy, g));
      }
      const double most = *std::ranges::max_element(next);
      for (double& value : next) value /= most;
      scale += std::log(most);
      ways = std::move(next);
    }
    return phred_of_none(ways, scale, none);
  }

 private:
  /// Alternatives that count as variants: not '*'.
  [[nodiscard]] bool is_variant(std::size_t allele) const {
    return allele > 0 && !(star_ && allele + 1 == alleles_);
  }

  void update(Informed& sample) {
    std::vector<double> weight(alleles_);
    double sum = 0;
    for (std::size_t a = 0; a < alleles_; ++a) {
      weight[a] = base_[a] + static_cast<double>(all_[a] - sample.expected[a]) * kFraction;
      sum += weight[a];
    }
    double total = 0;
    for_genotypes(sample.ploidy, alleles_, [&](std::size_t g, Genotype genotype) {
      sample.posterior[g] = prior_of(genotype, weight, sum) * sample.chances[g];
      total += sample.posterior[g];
    });
    std::vector<double> expected(alleles_, 0);
    for_genotypes(sample.ploidy, alleles_, [&](std::size_t g, Genotype genotype) {
      sample.posterior[g] /= total;
      for (const std::size_t allele : genotype) expected[allele] += sample.posterior[g];
    });
    for (std::size_t a = 0; a < alleles_; ++a)
      sample.expected[a] = std::llround(expected[a] / kFraction);
  }

  /// Dirichlet-multinomial: one copy drawn after the other, in any order.
  [[nodiscard]] static double prior_of(Genotype genotype, const std::vector<double>& weight,
                                       double sum) {
    double prior = 1;
    for (std::size_t i = 0; i < genotype.size(); ++i) {
      const auto drawn = static_cast<double>(i);
      const auto alike = static_cast<double>(alike_before(genotype, i));
      const double orders = (drawn + 1) / (alike + 1);
      prior *= (weight[genotype[i]] + alike) * orders / (sum + drawn);
    }
    return prior;
  }

  /// Chances of a sample by the number of its variant chromosomes, whichever they are.
  [[nodiscard]] CollapsedChances collapsed(const Informed& sample) const {
    std::array<double, 2> sums{};
    std::vector<double> weight(alleles_);
    for (std::size_t a = 0; a < alleles_; ++a) {
      weight[a] = base_[a] + static_cast<double>(all_[a]) * kFraction;
      sums[is_variant(a) ? 1 : 0] += weight[a];
    }
    CollapsedChances out{};
    out.back() = sample.ploidy;
    for_genotypes(sample.ploidy, alleles_, [&](std::size_t g, Genotype genotype) {
      std::array<std::size_t, 2> copies{};
      double share = 1;
      for (std::size_t i = 0; i < genotype.size(); ++i) {
        const std::size_t kind = is_variant(genotype[i]) ? 1 : 0;
        const auto orders = static_cast<double>(++copies[kind]) /
                            static_cast<double>(alike_before(genotype, i) + 1);
        share *= weight[genotype[i]] / sums[kind] * orders;
      }
      out[copies[1]] += share * sample.chances[g];
    });
    return out;
  }

  [[nodiscard]] double phred_of_none(const std::vector<double>& ways, double scale,
                                     double none) const {
    double theta = 0;
    for (std::size_t a = 1; a < alleles_; ++a) theta += is_variant(a) ? base_[a] : 0;
    const auto all = static_cast<double>(ways.size() - 1);
    // The chance of k of n chromosomes, by the number of ways to choose them: beta-binomial.
    const auto prior = [&](double k) {
      return log_gamma(k + theta) + log_gamma(all - k + 1) - log_gamma(all + theta + 1) +
             std::log(theta);
    };
    const double without = none + prior(0);
    double most = without;
    std::vector<double> terms{without};
    for (std::size_t k = 1; k < ways.size(); ++k) {
      if (ways[k] <= 0) continue;
      terms.push_back(std::log(ways[k]) + scale + prior(static_cast<double>(k)));
      most = std::max(most, terms.back());
    }
    double sum = 0;
    for (const double term : terms) sum += std::exp(term - most);
    const double phred = -10 * (without - most - std::log(sum)) / std::log(10.0);
    return std::clamp(phred, 0.0, kMostQuality);
  }

  std::size_t alleles_;
  bool star_;
  std::vector<double> base_;  ///< of the Dirichlet prior
  std::vector<Informed> samples_;
  std::vector<std::int64_t> all_;
};

JointGenotype best_genotype(const Informed& sample, std::size_t alleles) {
  JointGenotype out;
  out.known = true;
  double best = -1, others = 0;
  std::size_t chosen = 0;
  for_genotypes(sample.ploidy, alleles, [&](std::size_t g, Genotype genotype) {
    if (sample.posterior[g] <= best) return;
    best = sample.posterior[g];
    chosen = g;
    out.alleles.assign(genotype.begin(), genotype.end());
  });
  for (std::size_t g = 0; g < sample.posterior.size(); ++g)
    others += g == chosen ? 0 : sample.posterior[g];
  out.quality = std::clamp(-10 * std::log10(std::max(others, 1e-12)), 0.0, kMostGenotypeQuality);
  return out;
}

/// The least phred among all ways to take one of the record's alleles for each copy of a genotype.
class LeastLikelihood {
 public:
  LeastLikelihood(const GvcfRecord& record, const std::vector<std::vector<std::size_t>>& named)
      : record_(record), named_(named) {}

  [[nodiscard]] double of(Genotype genotype) {
    least_ = std::numeric_limits<double>::infinity();
    take(genotype, 0);
    return least_;
  }

 private:
  void take(Genotype genotype, std::size_t copy) {
    if (copy == genotype.size()) {
      std::array<std::size_t, kMostPloidy> sorted = taken_;
      const std::span<std::size_t> alleles = std::span(sorted).first(copy);
      std::ranges::sort(alleles);
      least_ = std::min(least_, record_.likelihoods[genotype_place(Genotype(alleles))]);
      return;
    }
    for (const std::size_t allele : named_[genotype[copy]]) {
      taken_[copy] = allele;
      take(genotype, copy + 1);
    }
  }

  const GvcfRecord& record_;
  const std::vector<std::vector<std::size_t>>& named_;
  std::array<std::size_t, kMostPloidy> taken_{};
  double least_ = 0;
};

}  // namespace

std::vector<double> site_likelihoods(const SampleEvidence& evidence, std::size_t allele_count) {
  const GvcfRecord& record = *evidence.record;
  std::vector<std::vector<std::size_t>> named(allele_count);
  for (std::size_t i = 0; i < evidence.allele_of.size(); ++i) {
    if (evidence.allele_of[i] < allele_count) named[evidence.allele_of[i]].push_back(i);
  }
  for (auto& list : named) {
    if (list.empty()) list.push_back(record.other());
  }
  std::vector<double> out(genotype_count(record.ploidy, allele_count));
  LeastLikelihood least_likelihood(record, named);
  for_genotypes(record.ploidy, allele_count,
                [&](std::size_t g, Genotype genotype) { out[g] = least_likelihood.of(genotype); });
  const double least = *std::ranges::min_element(out);
  for (double& value : out) value -= least;
  return out;
}

JointCall genotype_site(const JointSite& site, const JointPriors& priors) {
  const std::size_t alleles = site.alleles.size();
  JointCall out;
  out.samples.resize(site.samples.size());
  out.counts.assign(alleles, 0);
  SiteModel model(site, priors);
  for (std::size_t i = 0; i < site.samples.size(); ++i) {
    if (!site.samples[i].record) continue;
    out.samples[i].likelihoods = site_likelihoods(site.samples[i], alleles);
    // What makes all genotypes alike says nothing; the genotype stays missing.
    if (std::ranges::max(out.samples[i].likelihoods) <= 0) continue;
    model.add(i, site.samples[i].record->ploidy, out.samples[i].likelihoods);
  }
  model.fit();
  out.quality = model.quality();
  for (const Informed& sample : model.samples()) {
    JointGenotype called = best_genotype(sample, alleles);
    called.likelihoods = std::move(out.samples[sample.index].likelihoods);
    for (const std::size_t allele : called.alleles) ++out.counts[allele];
    out.samples[sample.index] = std::move(called);
  }
  return out;
}

}  // namespace aceso::genomics
