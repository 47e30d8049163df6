#include "repeat_errors.hpp"

#include "kernels/band.hpp"

#include "aceso/core/error.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <tuple>

namespace aceso::genomics {
namespace {

constexpr int kRounds = 60;
constexpr double kMostRate = 0.4;
// What the standard rates are worth.
constexpr double kPriorErrors = 0.2, kPriorRepeats = 10;
constexpr double kUnseen = 1e-3;

/// log of p^k (1 - p)^(n - k); the number of ways is the same for all components.
double log_chance(std::uint32_t n, std::uint32_t k, double p) {
  return k * std::log(p) + (n - k) * std::log1p(-p);
}

/// The phred of half of a rate, and back.
double one_way(double rate) { return -10 * std::log10(rate / 2); }
double both_ways(double phred) { return 2 * std::pow(10, -phred / 10); }

/// Calls `use(unit, copies)` for all kinds of repeats.
template <typename Use>
void for_each_repeat_kind(const Use& use) {
  for (std::uint32_t unit = 1; unit <= GapCosts::kMostUnit; ++unit) {
    for (std::uint32_t copies = GapCosts::free_copies(unit) + 1; copies <= GapCosts::kMostCopies;
         ++copies)
      use(unit, copies);
  }
}

/// By the number of copies of the genome that differ, out of `ploidy`: how large a share of repeats
/// is so. As in genotype.hpp, k copies have the weight 1 / k.
std::vector<double> standard_shares(double variant, int ploidy) {
  double sum = 0;
  for (int k = 1; k <= ploidy; ++k) sum += 1.0 / k;
  std::vector<double> out{1 - variant};
  for (int k = 1; k <= ploidy; ++k) out.push_back(variant / (k * sum));
  return out;
}

/// Likewise the chance that a read has another length than the reference.
std::vector<double> chances_of_change(double error, int ploidy) {
  std::vector<double> out;
  for (int k = 0; k < ploidy; ++k) {
    const double share = static_cast<double>(k) / ploidy;
    out.push_back(share + (1 - share) * error);
  }
  out.push_back(1 - error);
  return out;
}

/// Likewise the chance of it, when k of n reads have another length.
std::vector<double> posterior(std::span<const double> shares, std::span<const double> chances,
                              std::uint32_t n, std::uint32_t k) {
  std::vector<double> out;
  for (std::size_t i = 0; i < shares.size(); ++i)
    out.push_back(std::log(shares[i]) + log_chance(n, k, chances[i]));
  const double most = *std::ranges::max_element(out);
  double sum = 0;
  for (double& chance : out) sum += chance = std::exp(chance - most);
  for (double& chance : out) chance /= sum;
  return out;
}

/// Pools neighbours until no rate is above the next.
void make_rise(std::span<double> rates, std::span<const double> weights) {
  struct Pool {
    double rate, weight;
    std::size_t size;
  };
  std::vector<Pool> pools;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    pools.push_back({rates[i], weights[i], 1});
    while (pools.size() > 1 && pools[pools.size() - 2].rate > pools.back().rate) {
      const Pool last = pools.back();
      pools.pop_back();
      Pool& into = pools.back();
      into.rate = (into.rate * into.weight + last.rate * last.weight) / (into.weight + last.weight);
      into.weight += last.weight;
      into.size += last.size;
    }
  }
  std::size_t at = 0;
  for (const Pool& pool : pools) {
    std::fill_n(rates.begin() + static_cast<std::ptrdiff_t>(at), pool.size, pool.rate);
    at += pool.size;
  }
}

}  // namespace

RepeatModel standard_model() {
  const GapCosts costs;
  const Priors priors;
  RepeatModel out;
  for (std::uint32_t unit = 1; unit <= GapCosts::kMostUnit; ++unit) {
    for (std::uint32_t copies = 0; copies <= GapCosts::kMostCopies; ++copies) {
      out.errors[unit - 1][copies] =
          both_ways(costs.open(unit, copies) + ReadCosts::kGapExtend * static_cast<double>(unit));
      out.variants[unit - 1][copies] = both_ways(priors.indel(unit, copies, 1));
    }
  }
  return out;
}

GapCosts costs_of(const RepeatModel& model) {
  GapCosts out;
  for_each_repeat_kind([&](std::uint32_t unit, std::uint32_t copies) {
    const double cost = std::round(one_way(model.errors[unit - 1][copies]));
    const double open = cost - ReadCosts::kGapExtend * static_cast<double>(unit);
    out.set(unit, copies, static_cast<std::uint8_t>(std::clamp<double>(open, 0, GapCosts::kOpen)));
  });
  return out;
}

Priors priors_of(const RepeatModel& model) {
  Priors out;
  for_each_repeat_kind([&](std::uint32_t unit, std::uint32_t copies) {
    out.set(unit, copies, std::min(one_way(model.variants[unit - 1][copies]), Priors::kIndel));
  });
  return out;
}

void RepeatTable::add(std::uint32_t unit, std::uint32_t copies, std::uint32_t reads,
                      std::uint32_t changed) {
  if (reads < kLeastReads || reads > kMostReads) return;
  ++cells_[unit - 1][std::min(copies, GapCosts::kMostCopies)][{reads, changed}];
}

void RepeatTable::merge(const RepeatTable& other) {
  for (std::size_t u = 0; u < cells_.size(); ++u) {
    for (std::size_t c = 0; c < cells_[u].size(); ++c) {
      for (const auto& [seen, count] : other.cells_[u][c]) cells_[u][c][seen] += count;
    }
  }
}

std::uint64_t RepeatTable::count_of(const Seen& cell) noexcept {
  std::uint64_t sum = 0;
  for (const auto& [seen, count] : cell) sum += count;
  return sum;
}

std::uint64_t RepeatTable::repeats() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& of_unit : cells_) {
    for (const Seen& cell : of_unit) sum += count_of(cell);
  }
  return sum;
}

std::uint64_t RepeatTable::reads(std::uint32_t unit, std::uint32_t copies) const noexcept {
  std::uint64_t sum = 0;
  for (const auto& [seen, count] : cells_[unit - 1][copies]) sum += seen.first * count;
  return sum;
}

RepeatTable::Rates RepeatTable::rates_of(const Seen& seen, const Rates& prior, int ploidy) {
  const std::vector<double> prior_shares = standard_shares(prior.variant, ploidy);
  std::vector<double> shares = prior_shares;
  double rate = prior.error;
  for (int round = 0; round < kRounds; ++round) {
    const std::vector<double> chances = chances_of_change(rate, ploidy);
    double errors = kPriorErrors, trials = kPriorErrors / prior.error;
    std::vector<double> weights;
    for (const double share : prior_shares) weights.push_back(share * kPriorRepeats);
    for (const auto& [reads, count] : seen) {
      const auto [n, k] = reads;
      std::vector<double> part = posterior(shares, chances, n, k);
      for (std::size_t i = 0; i < part.size(); ++i) {
        part[i] *= static_cast<double>(count);
        weights[i] += part[i];
      }
      // Where some copies differ, the errors of the others cannot be told from them.
      errors += part.front() * k + part.back() * (n - k);
      trials += (part.front() + part.back()) * n;
    }
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (std::size_t i = 0; i < shares.size(); ++i) shares[i] = weights[i] / total;
    rate = std::min(errors / trials, kMostRate);
  }
  return {rate, 1 - shares.front()};
}

RepeatModel RepeatTable::model(int ploidy) const {
  RepeatModel out = standard_model();
  for (std::uint32_t unit = 1; unit <= GapCosts::kMostUnit; ++unit) {
    std::vector<double> reads_seen, repeats_seen;
    const std::uint32_t first = GapCosts::free_copies(unit) + 1;
    for (std::uint32_t copies = first; copies <= GapCosts::kMostCopies; ++copies) {
      const Seen& seen = cells_[unit - 1][copies];
      double &error = out.errors[unit - 1][copies], &variant = out.variants[unit - 1][copies];
      // Kinds that were not seen follow those that were.
      reads_seen.push_back(kUnseen + static_cast<double>(reads(unit, copies)));
      repeats_seen.push_back(kUnseen + static_cast<double>(count_of(seen)));
      const Rates learnt = rates_of(seen, {error, variant}, ploidy);
      error = learnt.error;
      variant = learnt.variant;
    }
    make_rise(std::span(out.errors[unit - 1]).subspan(first), reads_seen);
    make_rise(std::span(out.variants[unit - 1]).subspan(first), repeats_seen);
  }
  return out;
}

Json RepeatTable::to_json() const {
  Json out = Json::array();
  for (std::size_t u = 0; u < cells_.size(); ++u) {
    for (std::size_t c = 0; c < cells_[u].size(); ++c) {
      for (const auto& [seen, count] : cells_[u][c])
        out.push_back({u + 1, c, seen.first, seen.second, count});
    }
  }
  return {{"repeats", std::move(out)}};
}

RepeatTable RepeatTable::from_json(const Json& json, const std::string& name) {
  const auto refuse = [&] {
    fail(Errc::CorruptData, "{}: expected lengths of repeats; remove it to count them again", name);
  };
  RepeatTable out;
  try {
    for (const Json& row : json.at("repeats")) {
      const auto [unit, copies, n, k, count] = row.get<
          std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, std::uint32_t, std::uint64_t>>();
      if (unit < 1 || unit > GapCosts::kMostUnit || copies <= GapCosts::free_copies(unit) ||
          copies > GapCosts::kMostCopies || k > n || n > kMostReads)
        refuse();
      out.cells_[unit - 1][copies][{n, k}] += count;
    }
  } catch (const Json::exception&) {
    refuse();
  }
  return out;
}

RepeatSites::RepeatSites(const Reference& reference, std::uint32_t begin, std::uint32_t end) {
  const std::span<const std::uint8_t> codes =
      std::span<const std::uint8_t>(reference.codes()).subspan(begin, end - begin);
  for (std::uint32_t unit = 1; unit <= GapCosts::kMostUnit; ++unit) {
    for_each_repeat(codes, unit, [&](const TandemRepeat& repeat) {
      if (repeat.copies <= GapCosts::free_copies(unit) || repeat.begin < kFlank ||
          repeat.end + kFlank > codes.size())
        return;
      sites_.push_back({.begin = begin + static_cast<std::uint32_t>(repeat.begin),
                        .end = begin + static_cast<std::uint32_t>(repeat.end),
                        .unit = unit,
                        .copies = repeat.copies});
    });
  }
  std::ranges::sort(sites_, {}, [](const Site& s) { return std::pair(s.begin, s.unit); });
}

void RepeatSites::add(const PackedRecord& record) {
  struct Gap {
    std::uint32_t begin, end;  // of the reference; alike for an insertion
    std::int64_t growth;
  };
  std::vector<Gap> gaps;
  std::uint32_t place = record.position;
  for (const std::uint32_t op : record.cigar()) {
    const std::uint32_t length = cigar_length(op);
    switch (cigar_op(op)) {
      case CigarOp::Match:
        place += length;
        break;
      case CigarOp::Deletion:
        gaps.push_back({place, place + length, -static_cast<std::int64_t>(length)});
        place += length;
        break;
      case CigarOp::Insertion:
        gaps.push_back({place, place, static_cast<std::int64_t>(length)});
        break;
      case CigarOp::SoftClip:
      case CigarOp::HardClip:
        break;
    }
  }
  auto site = std::ranges::lower_bound(sites_, record.position + kFlank, {}, &Site::begin);
  for (; site != sites_.end() && site->begin + kFlank < place; ++site) {
    if (site->end + kFlank > place) continue;
    std::int64_t growth = 0;
    for (const Gap& gap : gaps) {
      if (gap.begin <= site->end && gap.end >= site->begin) growth += gap.growth;
    }
    ++site->reads;
    site->changed += growth != 0 ? 1 : 0;
  }
}

void RepeatSites::add_to(RepeatTable& table) const {
  for (const Site& site : sites_) table.add(site.unit, site.copies, site.reads, site.changed);
}

}  // namespace aceso::genomics
