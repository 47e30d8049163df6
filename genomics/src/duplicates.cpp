#include "duplicates.hpp"

#include "packed_record.hpp"

#include "aceso/core/error.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <optional>
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

/// Which of some clusters are one: a forest in which each tree has its lowest member as root.
class ClusterGroups {
 public:
  explicit ClusterGroups(std::size_t size) : parents_(size) {
    std::iota(parents_.begin(), parents_.end(), std::size_t{0});
  }
  [[nodiscard]] std::size_t root(std::size_t member) {
    while (parents_[member] != member) member = parents_[member] = parents_[parents_[member]];
    return member;
  }
  void join(std::size_t a, std::size_t b) {
    const auto [low, high] = std::minmax({root(a), root(b)});
    parents_[high] = low;
  }

 private:
  std::vector<std::size_t> parents_;
};

/// `copies` are pairs with the same ends, the one that is kept first. Of each group of clusters
/// one, the best, is no optical duplicate.
void find_optical(std::span<const DuplicateKey> copies, std::int64_t distance, Duplicates& out) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < copies.size(); ++i)
    if (copies[i].place.tile != 0) order.push_back(i);
  const auto along = [&](std::size_t i) {
    const DuplicateKey& k = copies[i];
    return std::tuple(k.strands, k.place.tile, k.place.x, k.place.y, i);
  };
  std::ranges::sort(order, {}, along);
  ClusterGroups groups(copies.size());
  for (std::size_t a = 0; a < order.size(); ++a) {
    const DuplicateKey& key = copies[order[a]];
    for (std::size_t b = a + 1; b < order.size(); ++b) {
      const DuplicateKey& other = copies[order[b]];
      if (other.strands != key.strands || other.place.tile != key.place.tile ||
          std::int64_t{other.place.x} - key.place.x > distance)
        break;
      if (!key.place.near(other.place, distance)) continue;
      groups.join(order[a], order[b]);
      // Clusters at one and the same place have the same neighbours.
      if (other.place.x == key.place.x && other.place.y == key.place.y) break;
    }
  }
  for (const std::size_t i : order) {
    if (groups.root(i) == i) continue;
    out.optical.insert(copies[i].number);
    ++out.counts.optical_pairs;
  }
}

/// Pairs with the same ends.
void find_copies(std::span<const DuplicateKey> copies, std::int64_t distance, Duplicates& out) {
  out.counts.pairs += copies.size();
  out.counts.pair_duplicates += copies.size() - 1;
  for (const DuplicateKey& copy : copies.subspan(1)) out.all.insert(copy.number);
  if (copies.size() > 1 && distance > 0) find_optical(copies, distance, out);
}

void find_in(std::span<const DuplicateKey> keys, std::int64_t distance, Duplicates& out) {
  bool pair_here = false, single_here = false;
  for (std::size_t i = 0; i < keys.size();) {
    const DuplicateKey& key = keys[i];
    if (i == 0 || keys[i - 1].first != key.first) pair_here = single_here = false;
    std::size_t end = i + 1;
    if (key.second == DuplicateKey::kNoMate) {
      ++out.counts.unpaired;
      if (pair_here || single_here) {
        out.all.insert(key.number);
        ++out.counts.unpaired_duplicates;
      }
      single_here = true;
    } else {
      pair_here = true;
      if (key.mark == 0) {
        while (end < keys.size() && keys[end].first == key.first && keys[end].second == key.second)
          ++end;
        find_copies(keys.subspan(i, end - i), distance, out);
      }
    }
    i = end;
  }
}

/// The number that `text` is; nothing if it is none.
std::optional<std::int32_t> number_in(std::string_view text) noexcept {
  std::int32_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

}  // namespace

bool ClusterPlace::near(const ClusterPlace& other, std::int64_t distance) const noexcept {
  return tile == other.tile && std::abs(std::int64_t{x} - other.x) <= distance &&
         std::abs(std::int64_t{y} - other.y) <= distance;
}

ClusterPlace cluster_place(std::string_view name) noexcept {
  const auto colons = std::ranges::count(name, ':');
  if (colons == 7) name = name.substr(0, name.rfind(':'));  // the UMI
  if (colons != 7 && colons != 6 && colons != 4) return {};
  const std::size_t before_y = name.rfind(':'), before_x = name.rfind(':', before_y - 1),
                    before_tile = name.rfind(':', before_x - 1);
  const auto tile = number_in(name.substr(before_tile + 1, before_x - before_tile - 1));
  const auto x = number_in(name.substr(before_x + 1, before_y - before_x - 1));
  // (Old names end in #INDEX.)
  const std::string_view last = name.substr(before_y + 1);
  const auto y = number_in(last.substr(0, last.find('#')));
  if (!tile || !x || !y) return {};
  // FNV-1a, as 32 bits.
  std::uint32_t hash = 2166136261U;
  for (const char letter : name.substr(0, before_x))
    hash = (hash ^ static_cast<unsigned char>(letter)) * 16777619U;
  return {std::max(hash, 1U), *x, *y};
}

std::size_t duplicate_bucket(const DuplicateKey& key, std::size_t buckets) noexcept {
  return std::min<std::size_t>(key.first >> (kBucketBits + 1), buckets - 1);
}

Duplicates find_duplicates(BucketStore& store, std::uint64_t size, std::int64_t optical_distance,
                           const std::stop_token& stop) {
  Duplicates out{DuplicateSet(size), DuplicateSet(optical_distance > 0 ? size : 0), {}};
  std::vector<DuplicateKey> keys;
  for (std::size_t bucket = 0; bucket < store.size(); ++bucket) {
    if (stop.stop_requested()) fail(Errc::Cancelled, "marking duplicates was stopped");
    const std::vector<std::byte> bytes = store.take(bucket);
    keys.resize(bytes.size() / sizeof(DuplicateKey));
    if (keys.empty()) continue;
    std::memcpy(keys.data(), bytes.data(), bytes.size());
    std::ranges::sort(keys, before);
    find_in(keys, optical_distance, out);
  }
  return out;
}

}  // namespace aceso::genomics
