#include "genotype.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace aceso::genomics {
namespace {

constexpr int kTableSize = 256;

/// -10 log10((1 + 10^(-d/10)) / 2): the cost of a fragment beside that of its better haplotype, if
/// the other one costs d more.
const std::array<double, kTableSize>& mixing_costs() {
  static const std::array<double, kTableSize> table = [] {
    std::array<double, kTableSize> out{};
    for (int d = 0; d < kTableSize; ++d)
      out[d] = -10 * std::log10(0.5 * (1 + std::pow(10.0, -d / 10.0)));
    return out;
  }();
  return table;
}

double pair_cost(const CostTable& costs, std::size_t a, std::size_t b) {
  const auto& mixing = mixing_costs();
  double sum = 0;
  for (std::size_t f = 0; f < costs.fragments(); ++f) {
    const int x = costs.at(f, a), y = costs.at(f, b);
    sum += std::min(x, y) + mixing[std::min(std::abs(x - y), kTableSize - 1)];
  }
  return sum;
}

double single_cost(const CostTable& costs, std::size_t a) {
  double sum = 0;
  for (std::size_t f = 0; f < costs.fragments(); ++f) sum += costs.at(f, a);
  return sum;
}

/// -10 log10 of a sum of 10^(-x/10), built up term by term.
class PhredSum {
 public:
  void add(double phred) {
    if (phred == kNone) return;
    if (least_ == kNone || phred < least_) {
      sum_ = least_ == kNone ? 0 : sum_ * std::pow(10.0, (phred - least_) / 10);
      least_ = phred;
    }
    sum_ += std::pow(10.0, (least_ - phred) / 10);
  }
  [[nodiscard]] double value() const {
    return least_ == kNone ? kNone : least_ - 10 * std::log10(sum_);
  }

  static constexpr double kNone = std::numeric_limits<double>::infinity();

 private:
  double least_ = kNone, sum_ = 0;
};

}  // namespace

void CostTable::add(std::vector<int> costs, int most) {
  const int least = *std::ranges::min_element(costs);
  for (int& cost : costs) cost = std::min(cost - least, most);
  costs_.insert(costs_.end(), costs.begin(), costs.end());
}

int Site::number_on(AlleleSet set) const noexcept {
  for (std::size_t i = 0; i < alleles.size(); ++i) {
    if ((set >> alleles[i] & 1) != 0) return static_cast<int>(i) + 1;
  }
  return 0;
}

PairTable::PairTable(const CostTable& costs, std::vector<AlleleSet> sets,
                     std::vector<Allele> alleles, const Priors& priors, int ploidy)
    : sets_(std::move(sets)), alleles_(std::move(alleles)), priors_(priors), ploidy_(ploidy) {
  double least = PhredSum::kNone;
  for (std::size_t a = 0; a < sets_.size(); ++a) {
    for (std::size_t b = a; b < (ploidy == 1 ? a + 1 : sets_.size()); ++b) {
      Pair pair{a, b, a == b ? single_cost(costs, a) : pair_cost(costs, a, b)};
      double all = pair.cost;
      for (std::size_t v = 0; v < alleles_.size(); ++v) all += prior(pair, v);
      if (all < least) {
        least = all;
        best_ = pairs_.size();
      }
      pairs_.push_back(pair);
    }
  }
}

double PairTable::prior(const Pair& pair, std::size_t allele) const {
  const bool first = (sets_[pair.first] >> allele & 1) != 0;
  const bool second = (sets_[pair.second] >> allele & 1) != 0;
  if (!first && !second) return 0;
  const double one = alleles_[allele].is_indel() ? priors_.indel : priors_.snv;
  return first && second && ploidy_ == 2 ? one + priors_.both : one;
}

std::size_t PairTable::genotype(const Pair& pair, const Site& site) const {
  const auto a = static_cast<std::size_t>(site.number_on(sets_[pair.first]));
  if (ploidy_ == 1) return a;
  const auto b = static_cast<std::size_t>(site.number_on(sets_[pair.second]));
  const std::size_t low = std::min(a, b), high = std::max(a, b);
  return high * (high + 1) / 2 + low;
}

SiteCall PairTable::call(const Site& site) const {
  const std::size_t numbers = site.alleles.size() + 1;
  const std::size_t genotypes = ploidy_ == 1 ? numbers : numbers * (numbers + 1) / 2;
  std::vector<PhredSum> likelihood(genotypes), posterior(genotypes);
  for (const Pair& pair : pairs_) {
    double others = 0, own = 0;
    for (std::size_t v = 0; v < alleles_.size(); ++v)
      (std::ranges::find(site.alleles, v) != site.alleles.end() ? own : others) += prior(pair, v);
    const std::size_t g = genotype(pair, site);
    likelihood[g].add(pair.cost + others);
    posterior[g].add(pair.cost + others + own);
  }
  constexpr double kMost = 10'000;
  SiteCall out;
  PhredSum all, wrong;
  const std::size_t best = genotype(pairs_[best_], site);
  double least = PhredSum::kNone;
  for (std::size_t g = 0; g < genotypes; ++g) {
    all.add(posterior[g].value());
    if (g != best) wrong.add(posterior[g].value());
    least = std::min(least, likelihood[g].value());
  }
  out.quality = std::clamp(posterior[0].value() - all.value(), 0.0, kMost);
  out.genotype_quality = std::clamp(wrong.value() - all.value(), 0.0, 99.0);
  for (const PhredSum& l : likelihood)
    out.likelihoods.push_back(std::min(l.value() - least, kMost));
  return out;
}

}  // namespace aceso::genomics
