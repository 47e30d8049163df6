#include "candidates.hpp"

#include "kernels/band.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {

// A seed in at most kFew places is looked at everywhere; a more common one only where its link
// follows as well, and not at all if that leaves more than kMany places.
constexpr std::size_t kFew = 16, kMany = 128;

// A hit in 64 bits, so that sorting hits sorts by strand, then diagonal, then place in the read.
constexpr int kPlaceBits = 14;
constexpr std::uint64_t kPlaceMask = (1ULL << kPlaceBits) - 1;
constexpr int kStrandBit = 62;
static_assert(kMostReadLength < kPlaceMask);
// Diagonals may lie in front of the first contig's gap by a read's length at most.
constexpr std::int64_t kShift = kMostReadLength;

constexpr std::uint64_t pack(bool reversed, std::int64_t diagonal, std::uint32_t place) {
  return static_cast<std::uint64_t>(reversed) << kStrandBit |
         static_cast<std::uint64_t>(diagonal + kShift) << kPlaceBits | place;
}
constexpr bool strand_of(std::uint64_t hit) { return (hit >> kStrandBit & 1) != 0; }
constexpr std::int64_t diagonal_of(std::uint64_t hit) {
  return static_cast<std::int64_t>((hit & ((1ULL << kStrandBit) - 1)) >> kPlaceBits) - kShift;
}
constexpr std::uint32_t place_of(std::uint64_t hit) {
  return static_cast<std::uint32_t>(hit & kPlaceMask);
}

/// Links of a read's seed, as its strand and the other one see them.
std::uint64_t link_forward(std::span<const Syncmer> seeds, std::size_t i) {
  const std::size_t first = std::min(i + kLinkFirst, seeds.size());
  const std::size_t last = std::min(i + kLinkLast + 1, seeds.size());
  return link_of(seeds[i].hash, seeds.subspan(first, last - first));
}

std::uint64_t link_backward(std::span<const Syncmer> seeds, std::size_t i) {
  const std::size_t last = i >= kLinkFirst ? i - kLinkFirst + 1 : 0;
  const std::size_t first = i >= kLinkLast ? i - kLinkLast : 0;
  return link_of(seeds[i].hash, seeds.subspan(first, last - first));
}

}  // namespace

void CandidateFinder::begin(std::span<const std::uint8_t> codes, SeededRead& read) {
  read.length = static_cast<std::uint32_t>(codes.size());
  read.forward.assign(codes.begin(), codes.end());
  read.forward.resize(codes.size() + kCodeMargin, kCodeN);
  read.reverse.resize(codes.size() + kCodeMargin, kCodeN);
  for (std::size_t i = 0; i < codes.size(); ++i)
    read.reverse[codes.size() - 1 - i] = complement(codes[i]);
  read.seeds.clear();
  read.candidates.clear();
  read.common = false;
  read.passed_over = 0;
  finder_.find(codes, 0, read.seeds);
  for (const Syncmer& seed : read.seeds) index_.prefetch(seed.hash);
}

void CandidateFinder::finish(SeededRead& read) {
  for (const Syncmer& seed : read.seeds) index_.prefetch_entries(seed.hash);
  hits_.clear();
  look_up(read, true);
  if (hits_.empty() && read.common) look_up(read, false);
  gather(read);
}

void CandidateFinder::look_up(SeededRead& read, bool narrow) {
  for (std::size_t i = 0; i < read.seeds.size(); ++i) {
    const Syncmer& seed = read.seeds[i];
    const std::span<const SeedEntry> found = index_.find(seed.hash);
    if (found.size() <= kFew) {
      add_hits(read, i, found);
    } else if (narrow) {
      read.common = true;
      const auto forward = SeedIndex::narrow(
          found, linked_tag(seed.hash, seed.reversed, link_forward(read.seeds, i)));
      const auto backward = SeedIndex::narrow(
          found, linked_tag(seed.hash, !seed.reversed, link_backward(read.seeds, i)));
      const std::size_t before = hits_.size();
      if (forward.size() <= kMany) add_hits(read, i, forward);
      if (backward.size() <= kMany) add_hits(read, i, backward);
      if (hits_.size() == before && found.size() > kMany) ++read.passed_over;
    } else {
      // Nothing but repeats: some of the places, spread evenly, are as good as any other.
      const std::size_t step = found.size() / kMany + 1;
      for (std::size_t e = 0; e < found.size(); e += step) add_hits(read, i, found.subspan(e, 1));
    }
  }
}

void CandidateFinder::add_hits(const SeededRead& read, std::size_t seed,
                               std::span<const SeedEntry> entries) {
  const Syncmer& s = read.seeds[seed];
  for (const SeedEntry& entry : entries) {
    const bool reversed = ((entry.tag & 0x8000U) != 0) != s.reversed;
    const std::uint32_t place = reversed ? read.length - kSeedLength - s.position : s.position;
    hits_.push_back(pack(reversed, static_cast<std::int64_t>(entry.position) - place, place));
  }
}

void CandidateFinder::gather(SeededRead& read) {
  std::ranges::sort(hits_);
  for (std::size_t begin = 0; begin < hits_.size();) {
    std::size_t end = begin + 1;
    while (end < hits_.size() && strand_of(hits_[end]) == strand_of(hits_[begin]) &&
           diagonal_of(hits_[end]) - diagonal_of(hits_[end - 1]) <= kMostGap)
      ++end;
    add_candidates(read, begin, end);
    begin = end;
  }
  std::ranges::stable_sort(read.candidates, std::ranges::greater{}, &Candidate::seeds);
  if (read.candidates.size() > kMostCandidates) read.candidates.resize(kMostCandidates);
}

void CandidateFinder::add_candidates(SeededRead& read, std::size_t begin, std::size_t end) {
  if (diagonal_of(hits_[end - 1]) - diagonal_of(hits_[begin]) <= kMostGap) {
    add_candidate(read, begin, end);
    return;
  }
  // A tandem repeat: each copy is a place of its own.
  while (begin < end) {
    std::size_t same = begin;
    while (same < end && diagonal_of(hits_[same]) == diagonal_of(hits_[begin])) ++same;
    add_candidate(read, begin, same);
    begin = same;
  }
}

void CandidateFinder::add_candidate(SeededRead& read, std::size_t begin, std::size_t end) {
  Candidate out;
  out.reversed = strand_of(hits_[begin]);
  out.least = diagonal_of(hits_[begin]);
  out.most = diagonal_of(hits_[end - 1]);
  out.seeds = static_cast<std::uint32_t>(end - begin);
  out.read_begin = read.length;
  std::size_t most = 0;
  for (std::size_t i = begin; i < end;) {
    std::size_t same = i;
    while (same < end && diagonal_of(hits_[same]) == diagonal_of(hits_[i])) {
      out.read_begin = std::min(out.read_begin, place_of(hits_[same]));
      out.read_end = std::max(out.read_end, place_of(hits_[same]) + kSeedLength);
      ++same;
    }
    if (same - i > most) {
      most = same - i;
      out.diagonal = diagonal_of(hits_[i]);
    }
    i = same;
  }
  read.candidates.push_back(out);
}

}  // namespace aceso::genomics
