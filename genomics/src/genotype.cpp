#include "genotype.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace aceso::genomics {
namespace {

constexpr int kTableSize = 256;
constexpr std::size_t kMostMultisets = 5000;

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

/// Of any multiset: (number, times) of its haplotypes.
double mixture_cost(const CostTable& costs,
                    std::span<const std::pair<std::size_t, double>> haplotypes, int ploidy) {
  // Costs are cut off, so that a few dozen fragments can be multiplied before the logarithm.
  constexpr double kSmall = 1e-200;
  double sum = 0, product = 1;
  for (std::size_t f = 0; f < costs.fragments(); ++f) {
    double chance = 0;
    for (const auto& [h, times] : haplotypes) chance += times * costs.chance(f, h);
    product *= chance / ploidy;
    if (product > kSmall) continue;
    sum -= 10 * std::log10(product);
    product = 1;
  }
  return sum - 10 * std::log10(product);
}

double cost_of(const CostTable& costs, std::span<const std::uint8_t> members) {
  if (members.front() == members.back()) return single_cost(costs, members[0]);
  if (members.size() == 2) return pair_cost(costs, members[0], members[1]);
  std::vector<std::pair<std::size_t, double>> haplotypes;
  for (const std::uint8_t h : members) {
    if (haplotypes.empty() || haplotypes.back().first != h) haplotypes.emplace_back(h, 0);
    haplotypes.back().second += 1;
  }
  return mixture_cost(costs, haplotypes, static_cast<int>(members.size()));
}

/// Makes the multiset that comes next, the first number changing slowest; false behind the last.
bool next_multiset(std::span<std::uint8_t> members, std::size_t haplotypes) {
  for (std::size_t i = members.size(); i-- > 0;) {
    if (members[i] + 1U >= haplotypes) continue;
    std::ranges::fill(members.subspan(i), static_cast<std::uint8_t>(members[i] + 1));
    return true;
  }
  return false;
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

double CostTable::chance(std::size_t fragment, std::size_t haplotype) const {
  static const std::array<double, kTableSize> table = [] {
    std::array<double, kTableSize> out{};
    for (int c = 0; c < kTableSize; ++c) out[c] = std::pow(10.0, -c / 10.0);
    return out;
  }();
  return table[std::min(at(fragment, haplotype), kTableSize - 1)];
}

int Site::number_on(AlleleSet set) const noexcept {
  for (std::size_t i = 0; i < alleles.size(); ++i) {
    if ((set >> alleles[i] & 1) != 0) return static_cast<int>(i) + 1;
  }
  return 0;
}

std::size_t most_haplotypes(int ploidy, std::size_t most) {
  std::size_t out = 2;
  while (out < most && genotype_count(ploidy, out + 1) <= kMostMultisets) ++out;
  return out;
}

GenotypeTable::GenotypeTable(const CostTable& costs, std::vector<AlleleSet> sets,
                             std::vector<double> priors, int ploidy)
    : sets_(std::move(sets)),
      priors_(std::move(priors)),
      ploidy_(static_cast<std::size_t>(ploidy)) {
  double least = PhredSum::kNone;
  std::vector<std::uint8_t> now(ploidy_, 0);
  do {
    const double of_reads = cost_of(costs, now);
    double all = of_reads;
    for (std::size_t v = 0; v < priors_.size(); ++v) all += prior(now, v);
    if (all < least) {
      least = all;
      best_ = size();
    }
    members_.insert(members_.end(), now.begin(), now.end());
    costs_.push_back(of_reads);
  } while (next_multiset(now, sets_.size()));
}

std::vector<AlleleSet> GenotypeTable::best() const {
  std::vector<AlleleSet> out;
  for (const std::uint8_t h : members(best_)) out.push_back(sets_[h]);
  return out;
}

double GenotypeTable::prior(Members members, std::size_t allele) const {
  const auto copies =
      std::ranges::count_if(members, [&](std::uint8_t h) { return (sets_[h] >> allele & 1) != 0; });
  if (copies == 0) return 0;
  constexpr double kDoubled = 3;  // more for twice as many copies
  return priors_[allele] + kDoubled * std::log2(static_cast<double>(copies));
}

std::size_t GenotypeTable::genotype(Members members, const Site& site) const {
  std::array<int, kMostPloidy> numbers{};
  const std::span<int> own = std::span(numbers).first(members.size());
  std::ranges::transform(members, own.begin(),
                         [&](std::uint8_t h) { return site.number_on(sets_[h]); });
  std::ranges::sort(own);
  return genotype_place(std::span<const int>(own));
}

SiteCall GenotypeTable::call(const Site& site) const {
  const std::size_t genotypes = genotype_count(static_cast<int>(ploidy_), site.alleles.size() + 1);
  std::vector<PhredSum> likelihood(genotypes), posterior(genotypes);
  for (std::size_t i = 0; i < size(); ++i) {
    double others = 0, own = 0;
    for (std::size_t v = 0; v < priors_.size(); ++v)
      (std::ranges::find(site.alleles, v) != site.alleles.end() ? own : others) +=
          prior(members(i), v);
    const std::size_t g = genotype(members(i), site);
    likelihood[g].add(costs_[i] + others);
    posterior[g].add(costs_[i] + others + own);
  }
  constexpr double kMost = 10'000;
  SiteCall out;
  PhredSum all, wrong;
  const std::size_t best = genotype(members(best_), site);
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
