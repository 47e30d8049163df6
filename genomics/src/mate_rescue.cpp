#include "mate_rescue.hpp"

#include "candidates.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {

constexpr std::uint32_t slot_of(std::uint32_t word, std::uint32_t bits) {
  return (word * 0x9e3779b1U) >> (32 - bits);
}

/// Calls `take(first base, word)` for each word of `width` bases without N.
template <typename Take>
void for_each_word(const std::uint8_t* codes, std::int64_t count, std::uint32_t width,
                   const Take& take) {
  const std::uint32_t mask = (1U << (2 * width)) - 1;
  std::uint32_t word = 0, known = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    known = codes[i] > 3 ? 0 : known + 1;
    word = ((word << 2) | (codes[i] & 3U)) & mask;
    if (known >= width) take(i + 1 - width, word);
  }
}

}  // namespace

void MateRescue::note_words(const Strand& read) {
  place_.fill(-1);
  words_.assign(read.length, ~0U);
  for_each_word(read.codes, read.length, kWord, [&](std::int64_t at, std::uint32_t word) {
    words_[at] = word;
    place_[slot_of(word, kTableBits)] = static_cast<std::int16_t>(at);
  });
}

void MateRescue::count_words(const Strand& read, std::int64_t first) {
  note_words(read);
  const auto count = static_cast<std::int64_t>(votes_.size());
  for_each_word(reference_.codes().data() + first, count - 1 + read.length, kWord,
                [&](std::int64_t at, std::uint32_t word) {
                  const std::int16_t place = place_[slot_of(word, kTableBits)];
                  if (place < 0 || words_[place] != word) return;
                  const std::int64_t diagonal = at - place;
                  if (diagonal >= 0 && diagonal < count) ++votes_[diagonal];
                });
}

void MateRescue::count_matches(const Strand& read, std::int64_t first) {
  using S = AlignScores;
  mask_.resize(read.length / 64 + 1);
  const auto length = static_cast<int>(read.length);
  for (std::size_t d = 0; d < votes_.size(); ++d) {
    const std::uint8_t* reference = reference_.codes().data() + first + d;
    const auto differences =
        static_cast<int>(kernels_.mismatches(read.codes, reference, read.length, mask_.data()));
    const int score = (length - differences) * S::kMatch + differences * S::kMismatch;
    votes_[d] = static_cast<std::uint16_t>(std::max(score, 0));
  }
}

void MateRescue::find_best(std::int64_t first) {
  std::uint32_t least = kLeastVotes;
  while (found_.size() < kMostFound) {
    const auto best = std::ranges::max_element(votes_);
    if (*best < least) break;
    least = std::max<std::uint32_t>(least, *best / 3);
    found_.push_back(first + (best - votes_.begin()));
    const auto aside = std::min(best - votes_.begin(), std::ptrdiff_t{kMostGap});
    const auto behind = std::min(votes_.end() - best, std::ptrdiff_t{kMostGap} + 1);
    std::fill(best - aside, best + behind, std::uint16_t{0});
  }
}

std::span<const std::int64_t> MateRescue::find(const Strand& read, std::int64_t first,
                                               std::int64_t last, bool repetitive) {
  found_.clear();
  const auto size = static_cast<std::int64_t>(reference_.codes().size());
  first = std::max<std::int64_t>(first, 0);
  last = std::min<std::int64_t>(last, size - read.length);
  if (first > last || read.length < kWord) return found_;
  votes_.assign(static_cast<std::size_t>(last - first + 1), 0);
  if (repetitive)
    count_matches(read, first);
  else
    count_words(read, first);
  find_best(first);
  return found_;
}

}  // namespace aceso::genomics
