#include "mate_rescue.hpp"

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

std::optional<std::int64_t> MateRescue::find(const Strand& read, std::int64_t first,
                                             std::int64_t last) {
  const auto size = static_cast<std::int64_t>(reference_.codes().size());
  first = std::max<std::int64_t>(first, 0);
  last = std::min<std::int64_t>(last, size - read.length);
  if (first > last || read.length < kWord) return std::nullopt;
  note_words(read);
  votes_.assign(static_cast<std::size_t>(last - first + 1), 0);
  for_each_word(reference_.codes().data() + first, last - first + read.length, kWord,
                [&](std::int64_t at, std::uint32_t word) {
                  const std::int16_t place = place_[slot_of(word, kTableBits)];
                  if (place < 0 || words_[place] != word) return;
                  const std::int64_t diagonal = at - place;
                  if (diagonal >= 0 && diagonal <= last - first) ++votes_[diagonal];
                });
  const auto best = std::ranges::max_element(votes_);
  if (*best < kLeastVotes) return std::nullopt;
  return first + (best - votes_.begin());
}

}  // namespace aceso::genomics
