// Inner loops of alignment: comparing a read with the reference in place, and aligning it within a
// band. One set per instruction set, all compared with the portable one in align_kernels_test.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace aceso::genomics {

/// Scores of bwa mem, so that clips and mapping qualities stay comparable with its.
struct AlignScores {
  static constexpr int kMatch = 1, kMismatch = -4, kN = -1;
  static constexpr int kGap = -1000;                  ///< beyond the end of a contig: never aligned
  static constexpr int kGapOpen = 6, kGapExtend = 1;  ///< a gap of n bases costs open + n * extend
  static constexpr int kEndBonus = 5;  ///< for each end of the read that is not clipped
};

/// Costs of a read given a haplotype, in phred; see AlignKernels::read_cost.
struct ReadCosts {
  static constexpr int kGapExtend = 10;  ///< each base of a gap, beside the cost of opening it
  static constexpr int kUnknown = 2;     ///< a base that lies on N
  static constexpr int kMost = 16'000;   ///< no read costs more
};

/// Diagonals in a band.
inline constexpr int kBandLanes = 32;
/// Longest read that can be aligned: scores have 16 bits.
inline constexpr std::uint32_t kMostReadLength = 10'000;
/// Codes that may be read, but are never used, behind a read or window.
inline constexpr std::size_t kCodeMargin = 64;

/// How each cell of a band was reached.
enum BandMove : std::uint8_t {
  kFromDiagonal = 0,
  kFromStart = 1,     ///< diagonally, and the alignment begins here
  kFromDeletion = 2,  ///< along the reference
  kFromInsertion = 3,
  kMoveMask = 3,
  kDeletionExtends = 4,   ///< a deletion that ends here is longer than one base
  kInsertionExtends = 8,  ///< likewise an insertion
};

/// The end of the best alignment in a band.
struct BandEnd {
  int score = 0;           ///< with the bonus of each end reached
  std::uint32_t row = 0;   ///< last base of the read that is aligned
  std::uint32_t lane = 0;  ///< it lies on window[row + lane]
};

struct AlignKernels {
  const char* name;
  bool (*runs_here)();

  /// Sets bit i of `mask` (64 per word) where read and reference differ or one is N, for i below
  /// `length`; returns how many are set.
  std::uint32_t (*mismatches)(const std::uint8_t* read, const std::uint8_t* reference,
                              std::uint32_t length, std::uint64_t* mask);
  /// Aligns all rows (bases) of `read` to `window`, of length + kBandLanes - 1 codes: lane j of row
  /// i compares read[i] with window[i + j]. Ends may be clipped. Writes kBandLanes moves per row.
  /// Affine gaps after Gotoh 1982 (doi:10.1016/0022-2836(82)90398-9); deletions within a row are
  /// found by a prefix maximum. Of equal scores the first row, then the first lane wins.
  BandEnd (*align_band)(const std::uint8_t* read, std::uint32_t length, const std::uint8_t* window,
                        std::uint8_t* moves);
  /// The cost of the cheapest path of all of `read` through the band, its ends being free to stand
  /// anywhere on `window` (lanes as in align_band): `mismatch[i]` for base i on another base, and
  /// for a gap that begins at window base w `gap_open[w]` and ReadCosts::kGapExtend a base. The
  /// best path stands for the sum over all paths of a pair hidden Markov model.
  int (*read_cost)(const std::uint8_t* read, const std::uint8_t* mismatch, std::uint32_t length,
                   const std::uint8_t* window, const std::uint8_t* gap_open);
};

/// Best first; the last one runs everywhere.
[[nodiscard]] std::span<const AlignKernels* const> all_align_kernels() noexcept;
[[nodiscard]] const AlignKernels& align_kernels() noexcept;

extern const AlignKernels kBandPortable;
#if defined(__x86_64__)
extern const AlignKernels kBandAvx2, kBandAvx512;
#endif

}  // namespace aceso::genomics
