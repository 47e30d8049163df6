// Duplicates: pairs whose two 5' ends stand at the same places, which are copies of one fragment.
// The one of best quality is kept. Optical duplicates are copies whose clusters stand side by side
// on the flow cell: one cluster that was seen as several. After Picard MarkDuplicates.
#pragma once

#include "bucket_store.hpp"

#include <cstdint>
#include <stop_token>
#include <string_view>
#include <vector>

namespace aceso::genomics {

/// Where a cluster stood on the flow cell.
struct ClusterPlace {
  std::uint32_t tile = 0;  ///< tells tiles apart (with lane, flow cell and run); 0: not known
  std::int32_t x = 0, y = 0;

  [[nodiscard]] bool near(const ClusterPlace& other, std::int64_t distance) const noexcept;
};
/// Reads Illumina's names: INSTRUMENT:RUN:FLOWCELL:LANE:TILE:X:Y, perhaps with :UMI behind, and the
/// older INSTRUMENT:LANE:TILE:X:Y. Of others nothing is known.
[[nodiscard]] ClusterPlace cluster_place(std::string_view read_name) noexcept;

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
  ClusterPlace place;
  std::uint32_t strands = 0;  ///< of both mates: only clusters that agree can be the same
};

/// As Picard's DuplicationMetrics counts.
struct DuplicateCounts {
  std::uint64_t pairs = 0, pair_duplicates = 0, optical_pairs = 0;
  std::uint64_t unpaired = 0, unpaired_duplicates = 0;  ///< reads without a mapped mate
};

/// One bit for each read or pair.
class DuplicateSet {
 public:
  explicit DuplicateSet(std::uint64_t size) : bits_(size) {}
  void insert(std::uint64_t number) { bits_[number] = true; }
  [[nodiscard]] bool contains(std::uint64_t number) const {
    return number < bits_.size() && bits_[number];
  }

 private:
  std::vector<bool> bits_;
};

/// The bucket of a key, so that keys that are equal are in one.
[[nodiscard]] std::size_t duplicate_bucket(const DuplicateKey& key, std::size_t buckets) noexcept;

/// All duplicates of a run.
struct Duplicates {
  DuplicateSet all, optical;  ///< optical ones are in both
  DuplicateCounts counts;
};

/// Finds the duplicates among all keys in `store`, and takes them out of it. `size` is one more
/// than the highest number. Duplicate pairs within `optical_distance` of each other in x and y, on
/// one tile, directly or over others between them, are one cluster; 0: none are sought.
[[nodiscard]] Duplicates find_duplicates(BucketStore& store, std::uint64_t size,
                                         std::int64_t optical_distance,
                                         const std::stop_token& stop);

}  // namespace aceso::genomics
