#include "call_evidence.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace aceso::genomics {
namespace {

// A read speaks for an allele if all others cost it so much more.
constexpr int kClearCost = 3;
// More than this no read is worth.
constexpr int kMostMargin = 60;

Vote vote_of(std::span<const int> costs, std::span<const AlleleSet> sets, const Site& site,
             std::vector<int>& least) {
  least.assign(site.alleles.size() + 1, ReadCosts::kMost);
  for (std::size_t h = 0; h < sets.size(); ++h) {
    int& known = least[static_cast<std::size_t>(site.number_on(sets[h]))];
    known = std::min(known, costs[h]);
  }
  const auto best = std::ranges::min_element(least);
  int second = ReadCosts::kMost;
  for (auto other = least.begin(); other != least.end(); ++other) {
    if (other != best) second = std::min(second, *other);
  }
  if (second < *best + kClearCost) return {};
  return {static_cast<int>(best - least.begin()), std::min(second - *best, kMostMargin)};
}

/// Figures of the reads that speak for the reference, or for an alternative.
struct Side {
  std::vector<double> mapping_qualities, read_positions;
  double margins = 0;
  std::size_t clipped = 0;

  void add(const CallRead& read, std::uint32_t position, int margin) {
    mapping_qualities.push_back(read.mapping_quality);
    const std::int64_t place = position;
    read_positions.push_back(static_cast<double>(
        std::max<std::int64_t>(0, std::min(place - read.left, read.right - 1 - place))));
    margins += margin;
    if (read.clipped_front + read.clipped_back > 0) ++clipped;
  }
  [[nodiscard]] std::size_t size() const { return mapping_qualities.size(); }
};

/// The longest run of one base that holds a base of [begin, end] or stands beside it.
std::uint32_t homopolymer_at(const Reference& reference, std::uint32_t begin, std::uint32_t end) {
  const auto codes = reference.codes();
  std::uint32_t longest = 0;
  for (std::uint32_t at = begin == 0 ? 0 : begin - 1; at <= end && at < codes.size();) {
    std::uint32_t from = at, to = at + 1;
    while (from > 0 && codes[from - 1] == codes[at]) --from;
    while (to < codes.size() && codes[to] == codes[at]) ++to;
    if (codes[at] < kCodeN) longest = std::max(longest, to - from);
    at = to;
  }
  return longest;
}

void note_place(const Reference& reference, std::span<const Allele> alleles, const Site& site,
                CallEvidence& out) {
  for (const std::size_t a : site.alleles) {
    out.homopolymer =
        std::max(out.homopolymer, homopolymer_at(reference, alleles[a].position, alleles[a].end()));
    if (alleles[a].is_indel()) out.room = std::max(out.room, room_right(alleles[a], reference));
  }
}

}  // namespace

double rank_sum(std::span<const double> some, std::span<const double> others) {
  const std::size_t n = some.size(), m = others.size(), all = n + m;
  if (n == 0 || m == 0) return 0;
  std::vector<std::pair<double, bool>> values;
  for (const double v : some) values.emplace_back(v, true);
  for (const double v : others) values.emplace_back(v, false);
  std::ranges::sort(values);
  double ranks = 0, ties = 0;
  for (std::size_t i = 0; i < all;) {
    std::size_t j = i;
    std::size_t mine = 0;
    for (; j < all && values[j].first == values[i].first; ++j) mine += values[j].second ? 1 : 0;
    const auto size = static_cast<double>(j - i);
    ranks += static_cast<double>(mine) * (static_cast<double>(i + j + 1) / 2);
    ties += size * size * size - size;
    i = j;
  }
  const auto dn = static_cast<double>(n), dm = static_cast<double>(m), d = static_cast<double>(all);
  const double u = ranks - dn * (dn + 1) / 2;
  const double variance = dn * dm / 12 * (d + 1 - ties / (d * std::max(d - 1, 1.0)));
  return variance <= 0 ? 0 : (u - dn * dm / 2) / std::sqrt(variance);
}

std::vector<Vote> votes_of(const ReadTable& table, std::span<const AlleleSet> sets,
                           const Site& site) {
  std::vector<Vote> out;
  std::vector<int> least;
  for (const std::vector<int>& costs : table.costs)
    out.push_back(vote_of(costs, sets, site, least));
  return out;
}

void weigh_reads(const Reference& reference, const CallReads& all, const ReadTable& table,
                 std::span<const Vote> votes, std::span<const Allele> alleles, const Site& site,
                 VariantCall& call) {
  call.depths.assign(site.alleles.size() + 1, 0);
  double squares = 0;
  Side with, without;
  const std::uint32_t place = alleles[site.alleles[0]].position;
  for (std::size_t r = 0; r < table.reads.size(); ++r) {
    const CallRead& read = all.reads[table.reads[r]];
    squares += read.mapping_quality * read.mapping_quality;
    const Vote& vote = votes[r];
    if (vote.number < 0) continue;
    ++call.depths[static_cast<std::size_t>(vote.number)];
    ++call.strands[(vote.number == 0 ? 0U : 2U) + (read.reversed ? 1U : 0U)];
    (vote.number == 0 ? without : with).add(read, place, vote.margin);
  }
  call.depth = static_cast<std::uint32_t>(table.reads.size());
  if (call.depth > 0) call.mapping_quality = std::sqrt(squares / call.depth);

  CallEvidence& evidence = call.evidence;
  const auto share = [](std::size_t part, std::size_t whole) {
    return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
  };
  const std::size_t clear = with.size() + without.size();
  evidence.alternative_share = share(with.size(), clear);
  evidence.clear_share = share(clear, call.depth);
  evidence.clipped_share = share(with.clipped, with.size());
  if (with.size() > 0) evidence.margin = with.margins / static_cast<double>(with.size());
  evidence.mapping_quality_rank_sum = rank_sum(with.mapping_qualities, without.mapping_qualities);
  evidence.read_position_rank_sum = rank_sum(with.read_positions, without.read_positions);
  note_place(reference, alleles, site, evidence);
}

}  // namespace aceso::genomics
