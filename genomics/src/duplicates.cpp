#include "duplicates.hpp"

#include "packed_record.hpp"

#include "aceso/core/error.hpp"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace aceso::genomics {
namespace {

/// Equal keys side by side, in each the one that is kept first: best quality, then read first.
/// Pairs and marks stand in front of reads without a mate.
bool before(const DuplicateKey& a, const DuplicateKey& b) {
  const auto rank = [](const DuplicateKey& k) { return k.second == DuplicateKey::kNoMate ? 1 : 0; };
  return std::tuple(a.first, rank(a), a.second, ~a.quality, a.number) <
         std::tuple(b.first, rank(b), b.second, ~b.quality, b.number);
}

void find_in(std::span<const DuplicateKey> keys, DuplicateSet& out) {
  bool pair_here = false, single_here = false;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const DuplicateKey& key = keys[i];
    const bool same_end = i > 0 && keys[i - 1].first == key.first;
    if (!same_end) pair_here = single_here = false;
    if (key.second == DuplicateKey::kNoMate) {
      if (pair_here || single_here) out.insert(key.number);
      single_here = true;
      continue;
    }
    pair_here = true;
    const bool copy = same_end && keys[i - 1].second == key.second && keys[i - 1].mark == 0;
    if (key.mark == 0 && copy) out.insert(key.number);
  }
}

}  // namespace

std::size_t duplicate_bucket(const DuplicateKey& key, std::size_t buckets) noexcept {
  return std::min<std::size_t>(key.first >> (kBucketBits + 1), buckets - 1);
}

DuplicateSet find_duplicates(BucketStore& store, std::uint64_t size, const std::stop_token& stop) {
  DuplicateSet out(size);
  std::vector<DuplicateKey> keys;
  for (std::size_t bucket = 0; bucket < store.size(); ++bucket) {
    if (stop.stop_requested()) fail(Errc::Cancelled, "marking duplicates was stopped");
    const std::vector<std::byte> bytes = store.take(bucket);
    keys.resize(bytes.size() / sizeof(DuplicateKey));
    if (keys.empty()) continue;
    std::memcpy(keys.data(), bytes.data(), bytes.size());
    std::ranges::sort(keys, before);
    find_in(keys, out);
  }
  return out;
}

}  // namespace aceso::genomics
