// What single records say: alignment, fragments, G and C, qualities, duplicates. The sums behind
// Picard's metrics of the same names; all of them whole numbers, so that parts can be added in any
// order.
#pragma once

#include "histogram.hpp"

#include "aceso/genomics/reference.hpp"

#include <htslib/sam.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace aceso::genomics {

/// Reads are of good mapping quality, and bases of good quality, from here on.
inline constexpr int kGoodMapping = 20, kGoodBase = 20;
inline constexpr int kLongestFragment = 100'000;  ///< longer pairs are chimeras
inline constexpr std::uint32_t kGcWindow = 100;   ///< bases
inline constexpr int kGcBins = 101;
inline constexpr int kQualities = 128;

/// The code of the read's base.
[[nodiscard]] inline std::uint8_t read_code(const std::uint8_t* packed, std::uint32_t index) {
  static constexpr std::array<std::uint8_t, 16> kCodes = {4, 0, 1, 4, 2, 4, 4, 4,
                                                          3, 4, 4, 4, 4, 4, 4, 4};
  return kCodes[bam_seqi(packed, index)];
}

/// Whether the record has qualities at all.
[[nodiscard]] inline bool has_qualities(const bam1_t& record) {
  return record.core.l_qseq > 0 && bam_get_qual(&record)[0] != 0xFF;
}

/// Calls `visit(read index, contig position, length)` for each run of aligned bases.
template <typename Visit>
void for_each_block(const bam1_t& record, Visit visit) {
  std::uint32_t read = 0, place = static_cast<std::uint32_t>(record.core.pos);
  const std::uint32_t* cigar = bam_get_cigar(&record);
  for (std::uint32_t i = 0; i < record.core.n_cigar; ++i) {
    const int type = bam_cigar_type(bam_cigar_op(cigar[i]));
    const std::uint32_t length = bam_cigar_oplen(cigar[i]);
    if (type == 3) visit(read, place, length);
    if ((type & 1) != 0) read += length;
    if ((type & 2) != 0) place += length;
  }
}

/// Bases that are aligned to a base of the reference.
[[nodiscard]] std::uint64_t aligned_bases(const bam1_t& record);

/// Whether the first 16 bases of a read without a sure place are part of an Illumina adapter, with
/// one error at most.
[[nodiscard]] bool is_adapter(const bam1_t& record);

/// Sums of AlignmentSummaryMetrics of one category.
struct AlignmentSums {
  std::uint64_t reads = 0, passed = 0, noise = 0, aligned = 0, aligned_bases = 0, good_reads = 0,
                good_bases = 0, good_q20_bases = 0, mismatches = 0, good_mismatches = 0, indels = 0,
                in_pairs = 0, improper = 0, forward = 0, chimeras = 0, chimera_reads = 0,
                adapters = 0, hard_clipped = 0, soft_clipped = 0, end_clipped_reads = 0,
                end_clipped_bases = 0;
  Histogram lengths, aligned_lengths, good_mismatches_a_read;
  std::vector<std::uint64_t> bad_by_cycle;  ///< no-calls and mismatches

  void merge(const AlignmentSums& other);
};

enum class PairOrientation : std::uint8_t { FR, RF, Tandem };

/// How the mates of a mapped pair stand to each other, by SamPairUtil's rule.
[[nodiscard]] PairOrientation orientation_of(const bam1_t& record);

struct GcSums {
  std::array<std::uint64_t, kGcBins> reads{}, bases{}, errors{};
  std::uint64_t aligned = 0, clusters = 0;
};

struct QualitySums {
  std::array<std::uint64_t, kQualities> bases{};
  std::array<std::vector<std::uint64_t>, 2> sum_by_cycle, count_by_cycle;  ///< by mate
};

struct DuplicateSums {
  std::uint64_t unpaired = 0, paired = 0, secondary = 0, unmapped = 0, unpaired_duplicates = 0,
                paired_duplicates = 0,
                optical = 0;  ///< reads of duplicate pairs with DT:Z:SQ
};

class ReadMetrics {
 public:
  enum Category { Unpaired, First, Second, kCategories };

  /// Adds a record; `codes` are those of its contig (empty without a place).
  void add(const bam1_t& record, std::span<const std::uint8_t> codes);
  void merge(const ReadMetrics& other);

  [[nodiscard]] const AlignmentSums& alignment(Category category) const {
    return alignment_[category];
  }
  /// First and second reads together.
  [[nodiscard]] AlignmentSums pairs() const;
  [[nodiscard]] const Histogram& inserts(PairOrientation orientation) const {
    return inserts_[static_cast<std::size_t>(orientation)];
  }
  [[nodiscard]] const GcSums& gc() const { return gc_; }
  [[nodiscard]] const QualitySums& qualities() const { return qualities_; }
  [[nodiscard]] const DuplicateSums& duplicates() const { return duplicates_; }
  [[nodiscard]] const Histogram& mapping_qualities() const { return mapping_qualities_; }
  [[nodiscard]] std::uint64_t records() const { return records_; }
  [[nodiscard]] std::uint64_t without_qualities() const { return without_qualities_; }

 private:
  struct Differences {
    std::uint64_t mismatches = 0, inserted = 0, deleted = 0, gaps = 0;
  };

  void add_alignment(const bam1_t& record, AlignmentSums& sums);
  void add_mapped(const bam1_t& record, AlignmentSums& sums);
  void add_insert(const bam1_t& record);
  void add_gc(const bam1_t& record, std::span<const std::uint8_t> codes, const Differences& found);
  void add_qualities(const bam1_t& record);
  void add_duplicate(const bam1_t& record);
  Differences compare(const bam1_t& record, std::span<const std::uint8_t> codes,
                      AlignmentSums* sums) const;

  std::array<AlignmentSums, kCategories> alignment_;
  std::array<Histogram, 3> inserts_;
  GcSums gc_;
  QualitySums qualities_;
  DuplicateSums duplicates_;
  Histogram mapping_qualities_;
  std::uint64_t records_ = 0, without_qualities_ = 0;
};

/// Percent of G and C in the window that begins at `begin`; -1 with more than four other letters.
[[nodiscard]] int gc_of_window(std::span<const std::uint8_t> codes, std::size_t begin);

/// For each percent of G and C the number of windows of a contig.
void count_gc_windows(std::span<const std::uint8_t> codes,
                      std::array<std::uint64_t, kGcBins>& windows);

}  // namespace aceso::genomics
