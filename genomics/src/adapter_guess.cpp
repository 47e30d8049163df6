#include "adapter_guess.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace aceso::genomics {
namespace {

// Sequences as their makers publish them.
constexpr KnownAdapter kKnown[] = {
    {"Illumina TruSeq, read 1", "AGATCGGAAGAGCACACGTCTGAACTCCAGTCA"},
    {"Illumina TruSeq, read 2", "AGATCGGAAGAGCGTCGTGTAGGGAAAGAGTGT"},
    {"Illumina Nextera", "CTGTCTCTTATACACATCT"},
    {"Illumina small RNA, 3'", "TGGAATTCTCGGGTGCCAAGG"},
    {"Illumina small RNA, 5'", "GATCGTCGGACTGTAGAACTCTGAACGTGTAGA"},
    {"MGI/BGI, read 1", "AAGTCGGAGGCCAAGCGGTCTTAGGAAGACAA"},
    {"MGI/BGI, read 2", "AAGTCGGATCGTAGCCATGTCGTTCTGTGAGCCAAGGAGTTG"},
    {"QIAseq miRNA", "AACTGTAGGCACCATCAAT"},
};

constexpr std::int32_t kLeastMatch = 8;
constexpr std::int32_t kOneMismatchIn = 16;

bool fits_somewhere(std::string_view read, std::string_view adapter) {
  const auto length = static_cast<std::int32_t>(read.size()),
             size = static_cast<std::int32_t>(adapter.size());
  for (std::int32_t place = 0; place < length - kLeastMatch; ++place) {
    const std::int32_t compared = std::min(length - place, size),
                       allowed = compared / kOneMismatchIn;
    std::int32_t mismatches = 0;
    for (std::int32_t i = 0; i < compared && mismatches <= allowed; ++i)
      mismatches +=
          read[static_cast<std::size_t>(place + i)] != adapter[static_cast<std::size_t>(i)];
    if (mismatches <= allowed) return true;
  }
  return false;
}

std::string known_adapter_in(std::span<const std::string_view> reads) {
  constexpr std::size_t kEnoughHits = 1000, kOneReadIn = 50;
  std::array<std::size_t, std::size(kKnown)> hits{};
  std::size_t looked = 0;
  for (const std::string_view read : reads) {
    ++looked;
    for (std::size_t a = 0; a < hits.size(); ++a) {
      if (kKnown[a].bases.size() >= read.size()) continue;
      hits[a] += fits_somewhere(read, kKnown[a].bases);
    }
    if (*std::ranges::max_element(hits) > kEnoughHits) break;
  }
  const auto best = static_cast<std::size_t>(std::ranges::max_element(hits) - hits.begin());
  return hits[best] > looked / kOneReadIn ? std::string(kKnown[best].bases) : std::string();
}

// The search for unknown adapters: words of kWord letters, two bits each.

constexpr std::size_t kWord = 10;
constexpr std::size_t kWords = std::size_t{1} << 2 * kWord;
constexpr std::size_t kFirstPlace = 20;  // words before are more likely the sample's own
constexpr std::size_t kLastPlace = 500;
constexpr std::string_view kLetters = "ATCG";

std::string word_text(std::size_t word) {
  std::string text(kWord, 'N');
  for (std::size_t i = kWord; i-- > 0; word >>= 2) text[i] = kLetters[word & 3];
  return text;
}

/// Calls visit(word, place) for each word of A C G T in `read` that could be adapter.
template <typename Visit>
void for_each_word(std::string_view read, std::size_t tail, const Visit& visit) {
  std::size_t word = 0, known = 0;
  const std::size_t end = read.size() > tail ? read.size() - tail : 0;
  for (std::size_t i = kFirstPlace; i < end; ++i) {
    const std::size_t digit = kLetters.find(read[i]);
    known = digit == std::string_view::npos ? 0 : known + 1;
    word = (word << 2 | (digit & 3)) & (kWords - 1);
    const std::size_t place = i + 1 - kWord;
    if (i + 1 < kFirstPlace + kWord || known < kWord) continue;
    if (place >= kLastPlace) break;
    visit(word, place);
  }
}

/// Words of few different letters or mostly G and C turn up often without being adapter.
bool is_plain_word(std::size_t word) {
  std::array<std::size_t, 4> counts{};
  for (std::size_t i = 0; i < kWord; ++i) ++counts[word >> 2 * i & 3];
  if (std::ranges::max(counts) >= kWord - 4) return false;
  if (counts[2] + counts[3] >= kWord - 2) return false;
  return word >> 12 != 0xFF;
}

bool changes_often(std::string_view text) {
  std::size_t changes = 0;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) changes += text[i] != text[i + 1];
  return changes >= 3;
}

/// Extends letter by letter as long as nearly all `tails` agree. `open` is set when they stop to
/// agree before they run out.
std::string common_beginning(const std::vector<std::string>& tails, bool& open) {
  constexpr double kAgree = 0.95;
  constexpr std::size_t kFewest = 50;
  std::vector<std::string_view> left(tails.begin(), tails.end());
  std::string path;
  while (true) {
    std::array<std::size_t, 4> counts{};
    for (const std::string_view tail : left) {
      if (tail.size() > path.size() && kLetters.find(tail[path.size()]) < 4)
        ++counts[kLetters.find(tail[path.size()])];
    }
    const std::size_t total = counts[0] + counts[1] + counts[2] + counts[3];
    if (total < kFewest) return path;
    const auto best = static_cast<std::size_t>(std::ranges::max_element(counts) - counts.begin());
    if (static_cast<double>(counts[best]) < kAgree * static_cast<double>(total)) {
      open = true;
      return path;
    }
    const std::size_t place = path.size();
    std::erase_if(left, [&](std::string_view tail) {
      return tail.size() <= place || tail[place] != kLetters[best];
    });
    path.push_back(kLetters[best]);
  }
}

std::string grow_from(std::size_t seed, std::span<const std::string_view> reads, std::size_t tail) {
  constexpr std::size_t kLongest = 60;
  std::vector<std::string> behind, ahead;
  for (const std::string_view read : reads) {
    for_each_word(read, tail, [&](std::size_t word, std::size_t place) {
      if (word != seed) return;
      behind.emplace_back(read.substr(place + kWord, read.size() - tail - place - kWord));
      ahead.emplace_back(read.rend() - static_cast<std::ptrdiff_t>(place), read.rend());
    });
  }
  bool open = false;
  const std::string forward = common_beginning(behind, open);
  std::string backward = common_beginning(ahead, open);
  std::ranges::reverse(backward);
  std::string adapter = (backward + word_text(seed) + forward).substr(0, kLongest);
  for (const KnownAdapter& known : kKnown) {
    if (adapter.starts_with(known.bases)) return std::string(known.bases);
  }
  return open ? std::string() : adapter;
}

std::string unknown_adapter_in(std::span<const std::string_view> reads, std::size_t tail) {
  constexpr std::size_t kSeeds = 10, kFold = 20;
  std::vector<std::uint32_t> counts(kWords);
  for (const std::string_view read : reads)
    for_each_word(read, tail, [&](std::size_t word, std::size_t) { ++counts[word]; });
  std::vector<std::size_t> seeds;
  std::uint64_t total = 0;
  for (std::size_t word = 1; word < kWords; ++word) {
    if (!is_plain_word(word)) continue;
    total += counts[word];
    seeds.push_back(word);
  }
  std::ranges::partial_sort(seeds, seeds.begin() + kSeeds, [&](std::size_t a, std::size_t b) {
    return counts[a] != counts[b] ? counts[a] > counts[b] : a > b;
  });
  seeds.resize(kSeeds);
  for (const std::size_t seed : seeds) {
    if (counts[seed] < 10 || counts[seed] * kWords < total * kFold) break;
    if (!changes_often(word_text(seed))) continue;
    if (std::string adapter = grow_from(seed, reads, tail); !adapter.empty()) return adapter;
  }
  return {};
}

}  // namespace

std::span<const KnownAdapter> known_adapters() noexcept { return kKnown; }

std::string_view adapter_name(std::string_view bases) noexcept {
  for (const KnownAdapter& known : kKnown) {
    const std::size_t shared = std::min(bases.size(), known.bases.size());
    if (shared >= 12 && bases.substr(0, shared) == known.bases.substr(0, shared)) return known.name;
  }
  return {};
}

std::string guess_adapter(std::span<const std::string_view> reads, int tail) {
  if (reads.size() < kGuessLeastReads) return {};
  if (std::string known = known_adapter_in(reads); !known.empty()) return known;
  return unknown_adapter_in(reads, static_cast<std::size_t>(std::max(1, tail)));
}

}  // namespace aceso::genomics
