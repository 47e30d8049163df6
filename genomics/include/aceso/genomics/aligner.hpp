/// \file
/// Aligning short reads to an indexed reference.
///
/// Reads are seeded (see seed_index.hpp); hits on about the same diagonal make a candidate place;
/// candidates are compared with the read in place first, and aligned within a band of 32 diagonals
/// where that does not settle it. Candidates that are the two ends of a read at a larger gap are
/// joined. Mates are placed together; a mate without a place of its own, or with seeds in too many
/// places, is sought where the other one says it should be. Scores are those of bwa mem: match 1,
/// mismatch 4, gap 6 + 1 a base, 5 for an end that is not clipped.
#pragma once

#include "aceso/genomics/seed_index.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace aceso::genomics {

/// Operations of a CIGAR, numbered as in BAM.
enum class CigarOp : std::uint8_t {
  Match = 0,
  Insertion = 1,
  Deletion = 2,
  SoftClip = 4,
  HardClip = 5
};

/// `length` bases of `op`, as BAM packs it.
[[nodiscard]] constexpr std::uint32_t cigar(CigarOp op, std::uint32_t length) noexcept {
  return length << 4 | static_cast<std::uint32_t>(op);
}
[[nodiscard]] constexpr CigarOp cigar_op(std::uint32_t packed) noexcept {
  return static_cast<CigarOp>(packed & 15U);
}
[[nodiscard]] constexpr std::uint32_t cigar_length(std::uint32_t packed) noexcept {
  return packed >> 4;
}

/// How a read lies on the reference.
struct Alignment {
  bool mapped = false;
  bool reversed = false;             ///< its reverse complement lies on the forward strand
  std::uint8_t mapping_quality = 0;  ///< phred of the chance that the place is wrong, 0 to 60
  std::uint32_t position = 0;        ///< global, of the first base that is not clipped
  std::uint32_t end = 0;             ///< global, behind the last one
  int score = 0;                     ///< without the bonus for ends
  int second_score = 0;              ///< of the best other place; 0: none was found
  std::vector<std::uint32_t> cigar;  ///< in the direction of the reference

  /// Bases clipped in front of position and behind end.
  [[nodiscard]] std::uint32_t clipped_front() const noexcept;
  [[nodiscard]] std::uint32_t clipped_back() const noexcept;
  /// Global position of the read's 5' end as if nothing were clipped; may lie outside the contig.
  [[nodiscard]] std::int64_t unclipped_start() const noexcept;
};

/// Where a read was found.
struct ReadPlaces {
  Alignment primary;
  std::vector<Alignment> supplementary;  ///< parts of a split read (SAM flag 0x800)
  std::vector<Alignment> secondary;      ///< other places (SAM flag 0x100), if they are asked for
};

struct PairPlaces {
  std::array<ReadPlaces, 2> reads;
  bool proper = false;  ///< mates face each other at a distance that the library has
};

/// Lengths of fragments (outer distance of mates that face each other), in bases.
struct InsertModel {
  double mean = 0, deviation = 0;
  std::int32_t least = 0, most = 0;  ///< of proper pairs
  std::uint64_t pairs = 0;           ///< it was learnt from

  [[nodiscard]] bool known() const noexcept { return pairs > 0; }
  /// Learns from observed lengths. Fewer than kLeastPairs say too little: then the bounds are wide.
  [[nodiscard]] static InsertModel learn(std::vector<std::int32_t> lengths);
  static constexpr std::size_t kLeastPairs = 50;
};

/// Aligns reads. One per thread; the index is shared.
class Aligner {
 public:
  /// Up to `secondary` other places of each mapped read are told of, best first: those whose score
  /// is at least kSecondaryShare of the primary one's. At most 16 places of a read are aligned, so
  /// of a repeat in many copies not all are found. Nothing else depends on the number.
  explicit Aligner(const SeedIndex& index, std::size_t secondary = 0);
  static constexpr double kSecondaryShare = 0.8;
  ~Aligner();
  Aligner(Aligner&&) noexcept;

  /// Base codes (0 to 4) of a read; at most 10,000, longer reads stay unmapped.
  using Codes = std::span<const std::uint8_t>;

  [[nodiscard]] ReadPlaces align(Codes read);
  [[nodiscard]] PairPlaces align_pair(Codes read1, Codes read2, const InsertModel& model);
  /// The fragment's length if both mates have one clear place and face each other, else 0: what
  /// InsertModel::learn needs.
  [[nodiscard]] std::int32_t fragment_length(Codes read1, Codes read2);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceso::genomics
