// Duplicates: pairs whose two 5' ends stand at the same places, which are copies of one fragment.
// The one of best quality is kept. After Picard MarkDuplicates.
#pragma once

#include "bucket_store.hpp"

#include <cstdint>
#include <stop_token>
#include <vector>

namespace aceso::genomics {

/// What decides whether a read or pair is a duplicate.
struct DuplicateKey {
  /// A 5' end: its unclipped global position and strand.
  static constexpr std::uint64_t end_key(std::int64_t unclipped_start, bool reversed) {
    constexpr std::int64_t kShift = 1 << 20;  // clipped bases may reach in front of the reference
    return static_cast<std::uint64_t>(unclipped_start + kShift) << 1 | (reversed ? 1 : 0);
  }
  static constexpr std::uint64_t kNoMate = ~0ULL;

  std::uint64_t first = 0;  ///< the lower end
  std::uint64_t second =
      kNoMate;                ///< the higher end; kNoMate: the mate is unmapped or there is none
  std::uint64_t number = 0;   ///< of the read or pair
  std::uint32_t quality = 0;  ///< sum of phreds of at least 15
  /// Tells only that some pair has this end, so that reads without a mate are its duplicates.
  std::uint32_t mark = 0;
};

/// One bit for each read or pair.
class DuplicateSet {
 public:
  explicit DuplicateSet(std::uint64_t size) : bits_(size) {}
  void insert(std::uint64_t number) { bits_[number] = true; }
  [[nodiscard]] bool contains(std::uint64_t number) const { return bits_[number]; }

 private:
  std::vector<bool> bits_;
};

/// The bucket of a key, so that keys that are equal are in one.
[[nodiscard]] std::size_t duplicate_bucket(const DuplicateKey& key, std::size_t buckets) noexcept;

/// Finds the duplicates among all keys in `store`, and takes them out of it. `size` is one more
/// than the highest number.
[[nodiscard]] DuplicateSet find_duplicates(BucketStore& store, std::uint64_t size,
                                           const std::stop_token& stop);

}  // namespace aceso::genomics
