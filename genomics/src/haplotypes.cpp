#include "haplotypes.hpp"

#include <algorithm>
#include <bit>

namespace aceso::genomics {
namespace {

bool can_add(AlleleSet set, std::size_t allele, std::span<const Allele> alleles) {
  for (std::size_t i = 0; i < alleles.size(); ++i) {
    if ((set >> i & 1) != 0 && conflict(alleles[i], alleles[allele])) return false;
  }
  return true;
}

}  // namespace

std::vector<AlleleSet> haplotype_sets(std::span<const Allele> alleles,
                                      std::span<const std::size_t> order, std::size_t most) {
  std::vector<AlleleSet> sets{0};
  for (const std::size_t allele : order) {
    std::vector<AlleleSet> more;
    for (const AlleleSet set : sets) {
      if (can_add(set, allele, alleles)) more.push_back(set | 1ULL << allele);
    }
    if (sets.size() + more.size() > most) break;
    sets.insert(sets.end(), more.begin(), more.end());
  }
  return sets;
}

Haplotype::Haplotype(const Reference& reference, std::uint32_t begin, std::uint32_t end,
                     std::vector<const Allele*> alleles, const GapCosts& gaps)
    : begin_(begin), alleles_(std::move(alleles)), kernels_(align_kernels()) {
  const std::uint8_t* codes = reference.codes().data();
  codes_.assign(kRoom, kCodeN);
  std::uint32_t at = begin;
  for (const Allele* allele : alleles_) {
    codes_.insert(codes_.end(), codes + at, codes + allele->position);
    codes_.insert(codes_.end(), allele->added.begin(), allele->added.end());
    at = allele->end();
  }
  codes_.insert(codes_.end(), codes + at, codes + end);
  codes_.insert(codes_.end(), kRoom + kCodeMargin, kCodeN);
  price_gaps(gaps);
}

void Haplotype::price_gaps(const GapCosts& gaps) {
  gap_open_.assign(codes_.size(), GapCosts::kOpen);
  for (std::uint32_t unit = 1; unit <= GapCosts::kMostUnit; ++unit) {
    for_each_repeat(codes_, unit, [&](const TandemRepeat& repeat) {
      const std::uint8_t open = gaps.open(unit, repeat.copies);
      for (std::size_t i = repeat.begin; i < repeat.end; ++i)
        gap_open_[i] = std::min(gap_open_[i], open);
    });
  }
  least_open_ = *std::ranges::min_element(gap_open_);
}

std::int64_t Haplotype::place_of(std::int64_t global, bool behind) const {
  std::int64_t place = global - begin_ + kRoom;
  for (const Allele* allele : alleles_) {
    // A read that begins within a change is taken to begin in front of it, one that ends within it,
    // behind it.
    const bool passed = behind ? global > allele->position : global >= allele->end();
    if (passed) place += allele->growth();
  }
  return place;
}

int Haplotype::compare(const CallReads& all, const CallRead& read, std::int64_t at) const {
  if (at < 0 || at + read.length + static_cast<std::int64_t>(kCodeMargin) >
                    static_cast<std::int64_t>(codes_.size()))
    return ReadCosts::kMost;
  mask_.resize(read.length / 64 + 1);
  const std::uint8_t *codes = all.codes_of(read), *costs = all.costs_of(read);
  kernels_.mismatches(codes, codes_.data() + at, read.length, mask_.data());
  int cost = 0;
  for (std::uint32_t word = 0; word * 64 < read.length; ++word) {
    for (std::uint64_t bits = mask_[word]; bits != 0; bits &= bits - 1) {
      const auto i = word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
      cost += codes[i] > 3 || codes_[at + i] > 3 ? ReadCosts::kUnknown : costs[i];
    }
  }
  return cost;
}

int Haplotype::banded(const CallReads& all, const CallRead& read, std::int64_t at) const {
  const std::int64_t last = static_cast<std::int64_t>(codes_.size()) - read.length - kBandLanes - 1;
  if (last < 0) return ReadCosts::kMost;
  const std::int64_t first = std::clamp<std::int64_t>(at - kBandLanes / 2, 0, last);
  return kernels_.read_cost(all.codes_of(read), all.costs_of(read), read.length,
                            codes_.data() + first, gap_open_.data() + first);
}

int Haplotype::cost(const CallReads& all, const CallRead& read) const {
  const std::int64_t from_front = place_of(read.position, false) - read.clipped_front;
  const std::int64_t from_back = place_of(read.end, true) + read.clipped_back - read.length;
  int least = compare(all, read, from_front);
  if (from_back != from_front) least = std::min(least, compare(all, read, from_back));
  // Any gap costs more.
  if (least <= least_open_ + ReadCosts::kGapExtend) return least;
  const std::int64_t apart = std::abs(from_back - from_front);
  if (apart <= kBandLanes / 2)
    return std::min(least, banded(all, read, (from_front + from_back) / 2));
  return std::min({least, banded(all, read, from_front), banded(all, read, from_back)});
}

}  // namespace aceso::genomics
