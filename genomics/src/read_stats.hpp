// Figures over reads: totals, per cycle, histograms.
#pragma once

#include "kernels/kernels.hpp"

#include "aceso/genomics/fastq.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace aceso::genomics {

/// Cycles beyond this are in the totals, but not in the curves.
inline constexpr std::uint32_t kMostCycles = 1U << 17;

/// The letters that curves tell apart, in this order.
inline constexpr std::size_t kLetters = 5;  // A C G T, any other

/// For each cycle and letter: how often it was seen, and the sum of its qualities.
class CycleTable {
 public:
  /// Adds slices; the parts beyond kMostCycles are left out.
  void add(std::span<const Slice> slices);
  void add(const CycleTable& other);
  void subtract(const CycleTable& other);

  [[nodiscard]] std::uint32_t cycles() const noexcept { return cycles_; }
  [[nodiscard]] std::uint64_t count(std::size_t letter, std::uint32_t cycle) const noexcept {
    return values_[letter * capacity_ + cycle];
  }
  [[nodiscard]] std::uint64_t quality_sum(std::size_t letter, std::uint32_t cycle) const noexcept {
    return values_[(kLetters + letter) * capacity_ + cycle];
  }

 private:
  void reserve(std::uint32_t cycles);
  void add_others(const Slice& slice);

  std::uint32_t cycles_ = 0, capacity_ = 0;
  std::vector<std::uint64_t> values_;  ///< planes of capacity_: counts by letter, then sums
};

/// Totals and histograms of single reads.
struct ReadTotals {
  std::uint64_t reads = 0, bases = 0, q20 = 0, q30 = 0, gc = 0, n = 0;
  std::array<std::uint64_t, 128> by_mean_quality{};  ///< reads, by rounded mean quality
  std::array<std::uint64_t, 101> by_gc_percent{};
  std::vector<std::uint64_t> by_length;  ///< longer than kMostCycles: in the last

  void add(std::uint32_t length, const ReadFacts& facts);
  void add(const ReadTotals& other);
};

/// What only every 16th read is asked for, because it costs more.
struct SampledStats {
  static constexpr std::uint64_t kEvery = 16;
  static constexpr std::uint32_t kCycles = 1024;  ///< quality distributions are kept for these
  static constexpr std::size_t kQualities = 94;
  static constexpr std::size_t kKmerSize = 5;

  std::vector<std::uint32_t> quality_at;  ///< [cycle][quality]
  std::array<std::uint64_t, 1024>
      kmers{};  ///< by 2-bit code, A C G T = 0 1 2 3, first base highest

  void add(const FastqRecord& read);
  void add(const SampledStats& other);
  [[nodiscard]] std::uint32_t cycles() const noexcept {
    return static_cast<std::uint32_t>(quality_at.size() / kQualities);
  }
  /// The quality below which `fraction` of the sampled bases of `cycle` lie.
  [[nodiscard]] double quantile(std::uint32_t cycle, double fraction) const;
};

}  // namespace aceso::genomics
