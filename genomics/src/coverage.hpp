// How often each base of a window was read, by the rules of Picard's CollectWgsMetrics and, for
// targets, CollectHsMetrics.
#pragma once

#include "bed.hpp"
#include "histogram.hpp"
#include "metrics_window.hpp"
#include "read_metrics.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace aceso::genomics {

/// Depths above count as this one.
inline constexpr std::uint32_t kCoverageCap = 250;
inline constexpr std::uint32_t kNearTarget = 250;  ///< bases; reads as near were selected too

struct CoverageSums {
  /// Bases that gave no depth, by the first reason that held.
  std::uint64_t adapter = 0, mapping_quality = 0, duplicate = 0, unpaired = 0, base_quality = 0,
                overlap = 0, capped = 0;
  Histogram depth;      ///< of places with any depth, capped
  Histogram raw_depth;  ///< before base qualities and overlaps, capped
  std::array<std::uint64_t, kQualities> raw_qualities{};

  void merge(const CoverageSums& other);
};

struct TargetSums {
  std::uint64_t reads = 0, passed = 0, bases = 0, unique_reads = 0, unique_aligned = 0,
                aligned_bases = 0, unique_bases = 0, on_bait = 0, near_bait = 0, off_bait = 0,
                selected_pairs = 0, selected_unique_pairs = 0, on_target = 0, off_target = 0,
                duplicate = 0, adapter = 0, mapping_quality = 0, base_quality = 0, overlap = 0;
  Histogram depth;  ///< of places of targets with any depth
  std::array<std::uint64_t, kQualities> raw_qualities{};
  Histogram raw_depth;
  std::vector<bool> covered;  ///< by target, in the order of contigs

  void merge(const TargetSums& other);
};

/// The targets of all contigs, numbered.
class Targets {
 public:
  Targets(const Reference& reference, BedRegions regions);

  [[nodiscard]] const std::vector<BedInterval>& of(std::uint32_t contig) const {
    return regions_.of(contig);
  }
  /// The number of the first target of a contig.
  [[nodiscard]] std::size_t first(std::uint32_t contig) const { return first_[contig]; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t base_count() const noexcept { return regions_.base_count(); }
  /// Bases of the targets without any depth.
  [[nodiscard]] std::uint64_t bases_uncovered(const std::vector<bool>& covered) const;

 private:
  BedRegions regions_;
  std::vector<std::size_t> first_;
  std::size_t count_ = 0;
};

/// Counts window after window. Memory: some bytes a base of a window.
class CoverageCounter {
 public:
  CoverageCounter(const Reference& reference, const Targets* targets);

  void add(const MetricsWindow& window);
  [[nodiscard]] const CoverageSums& sums() const noexcept { return sums_; }
  [[nodiscard]] const TargetSums& target_sums() const noexcept { return target_sums_; }

 private:
  /// Where a fragment has given depth already, for the mate that comes later.
  struct Seen {
    std::vector<std::uint32_t> places;  ///< rising
  };
  using SeenByName = std::unordered_map<std::string_view, Seen>;
  struct Layer {
    std::vector<std::uint32_t> depth, raw;
    SeenByName seen;
  };

  void filter(const bam1_t& record);
  void select(const bam1_t& record, std::uint32_t contig);
  void cover(const bam1_t& record, const MetricsWindow& window);
  template <bool kTargets>
  void add_depth(const bam1_t& record, const MetricsWindow& window, Layer& layer);
  void count_window(const MetricsWindow& window);
  void count_targets(const MetricsWindow& window);
  void mark_targets(const MetricsWindow& window);

  const Reference& reference_;
  const Targets* targets_;
  CoverageSums sums_;
  TargetSums target_sums_;
  Layer genome_, target_;
  std::vector<std::uint8_t> on_target_;  ///< by place of the window
};

}  // namespace aceso::genomics
