// From a read to the places where it may lie: seeds looked up in the index, hits gathered by
// diagonal.
#pragma once

#include "syncmers.hpp"

#include "aceso/genomics/seed_index.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace aceso::genomics {

/// A place where some seeds of a read lie on about one diagonal.
struct Candidate {
  std::int64_t diagonal = 0;  ///< global position of the read's first base, by most of the seeds
  std::int64_t least = 0, most = 0;  ///< diagonals of all its seeds
  std::uint32_t seeds = 0;
  std::uint32_t read_begin = 0, read_end = 0;  ///< of the read as it lies on the forward strand
  bool reversed = false;
};

/// One read while it is looked up. Keeps its memory.
struct SeededRead {
  std::vector<std::uint8_t> forward, reverse;  ///< codes, kCodeMargin to spare behind them
  std::uint32_t length = 0;
  std::vector<Syncmer> seeds;
  std::vector<Candidate> candidates;  ///< most seeds first
  bool common = false;                ///< there are seeds that stand in very many places
  std::uint32_t passed_over = 0;      ///< seeds that stand in so many that none was looked at

  /// Share of the read's seeds whose places are not known.
  [[nodiscard]] double unknown_share() const noexcept {
    return seeds.empty() ? 0 : static_cast<double>(passed_over) / static_cast<double>(seeds.size());
  }
};

/// Diagonals that differ by no more than this belong together: longest gap between seeds.
inline constexpr std::int64_t kMostGap = 24;
inline constexpr std::size_t kMostCandidates = 32;

class CandidateFinder {
 public:
  explicit CandidateFinder(const SeedIndex& index) : index_(index) {}

  /// Takes a read in: both strands, and its seeds; asks for the memory they will need.
  void begin(std::span<const std::uint8_t> codes, SeededRead& read);
  /// Looks its seeds up. Call it after begin(), better somewhat later.
  void finish(SeededRead& read);

 private:
  void add_hits(const SeededRead& read, std::size_t seed, std::span<const SeedEntry> entries);
  void look_up(SeededRead& read, bool narrow);
  void gather(SeededRead& read);
  void add_candidates(SeededRead& read, std::size_t begin, std::size_t end);
  void add_candidate(SeededRead& read, std::size_t begin, std::size_t end);

  const SeedIndex& index_;
  SyncmerFinder finder_;
  std::vector<std::uint64_t> hits_;  ///< strand, diagonal, place in the read: see pack()
};

}  // namespace aceso::genomics
