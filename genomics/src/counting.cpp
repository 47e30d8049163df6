#include "counting.hpp"

#include <algorithm>
#include <cstring>

namespace aceso::genomics {
namespace {

// The finishing step of MurmurHash3 (public domain): every bit of the result depends on all of x.
std::uint64_t mix(std::uint64_t x) {
  x = (x ^ x >> 33) * 0xff51afd7ed558ccdULL;
  x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53ULL;
  return x ^ x >> 33;
}

constexpr std::string_view kKeyLetters = ".ACGTN";
constexpr std::size_t kKeyLength = 16;

}  // namespace

void CountTable::add(std::uint64_t key, std::uint64_t count) {
  if (key == 0) key = 1;
  if ((size_ + 1) * 2 > entries_.size()) grow();
  const std::size_t mask = entries_.size() - 1;
  std::size_t slot = mix(key) & mask;
  while (entries_[slot].key != key && entries_[slot].key != 0) slot = (slot + 1) & mask;
  if (entries_[slot].key == 0) {
    entries_[slot].key = key;
    ++size_;
  }
  entries_[slot].count += count;
}

void CountTable::add(const CountTable& other) {
  for (const Entry& entry : other.entries_) {
    if (entry.key != 0) add(entry.key, entry.count);
  }
}

void CountTable::grow() {
  std::vector<Entry> old(std::max<std::size_t>(1024, entries_.size() * 2));
  old.swap(entries_);
  size_ = 0;
  for (const Entry& entry : old) {
    if (entry.key != 0) add(entry.key, entry.count);
  }
}

void CountTable::keep_up_to(std::uint64_t limit) {
  std::vector<Entry> old(entries_.size());
  old.swap(entries_);
  size_ = 0;
  for (const Entry& entry : old) {
    if (entry.key != 0 && entry.key <= limit) add(entry.key, entry.count);
  }
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> CountTable::sorted() const {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> all;
  for (const Entry& entry : entries_) {
    if (entry.key != 0) all.emplace_back(entry.key, entry.count);
  }
  std::ranges::sort(all);
  return all;
}

void DuplicateSketch::add(std::uint64_t hash) {
  if (hash > limit_) return;
  table_.add(hash);
  thin();
}

void DuplicateSketch::thin() {
  while (table_.size() > kMostKept) {
    limit_ /= 2;
    table_.keep_up_to(limit_);
  }
}

void DuplicateSketch::add(const DuplicateSketch& other) {
  limit_ = std::min(limit_, other.limit_);
  CountTable theirs = other.table_;
  theirs.keep_up_to(limit_);
  table_.keep_up_to(limit_);
  table_.add(theirs);
  thin();
}

DuplicateSketch::Result DuplicateSketch::result() const {
  Result out;
  out.levels.resize(kLevels + 1);
  std::uint64_t reads = 0;
  for (const auto& [hash, count] : table_.sorted()) {
    reads += count;
    ++out.levels[std::min<std::uint64_t>(count, kLevels)];
  }
  if (reads > 0) out.rate = static_cast<double>(reads - table_.size()) / static_cast<double>(reads);
  out.sampled_fraction = static_cast<double>(limit_) / static_cast<double>(~std::uint64_t{0});
  return out;
}

std::uint64_t hash_bases(std::string_view bases, std::uint64_t seed) noexcept {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15ULL;
  std::uint64_t hash = seed ^ bases.size() * kOdd;
  std::size_t i = 0;
  for (; i + 8 <= bases.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, bases.data() + i, sizeof(word));
    hash = (hash ^ word) * kOdd;
    hash ^= hash >> 29;
  }
  std::uint64_t rest = 0;
  if (i < bases.size()) std::memcpy(&rest, bases.data() + i, bases.size() - i);
  return mix((hash ^ rest) * kOdd);
}

std::uint64_t prefix_key(std::string_view bases) noexcept {
  std::uint64_t key = 0;
  const std::size_t size = std::min(bases.size(), kKeyLength);
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t digit = std::min(kKeyLetters.find(bases[i]), kKeyLetters.size() - 1);
    key |= static_cast<std::uint64_t>(digit) << 4 * i;
  }
  return key;
}

std::string prefix_of_key(std::uint64_t key) {
  std::string bases;
  for (; key != 0; key >>= 4)
    bases.push_back(kKeyLetters[std::min<std::size_t>(key & 15, kKeyLetters.size() - 1)]);
  return bases;
}

}  // namespace aceso::genomics
