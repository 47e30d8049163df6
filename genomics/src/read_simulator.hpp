// Reads of a simulated sample, with errors as a sequencer makes them.
#pragma once

#include "sample_variants.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace aceso::genomics {

/// One haplotype of a contig, and where its bases are on the reference.
class SampleHaplotype {
 public:
  /// `pieces` are sorted and do not overlap on this haplotype.
  SampleHaplotype(std::span<const std::uint8_t> contig, std::span<const VariantPiece> pieces,
                  int which);

  [[nodiscard]] const std::string& codes() const noexcept { return codes_; }
  /// The reference's position of the base at `at`; of inserted bases, of the base behind them.
  [[nodiscard]] std::uint32_t on_reference(std::uint64_t at) const;

 private:
  struct Stretch {
    std::uint64_t begin;      ///< in the haplotype
    std::uint32_t reference;  ///< position of its first base
    bool inserted;            ///< all its bases are at that position
  };
  std::string codes_;
  std::vector<Stretch> stretches_;
};

/// Text of FASTQ.
struct SimulatedReads {
  std::string reads, reads2;
  std::uint64_t fragments = 0, duplicates = 0, bases = 0;
};

/// Makes reads of one contig, any part of them alone.
///
/// Names are sim.NUMBER:H:S:POS1:POS2:CONTIG, or dup.NUMBER… for a copy of another fragment: H is
/// the haplotype (1 or 2), S the strand of the first mate (the second's is the other one), POS1 and
/// POS2 the 1-based positions of each mate's leftmost base on the reference (POS2 is 0 for single
/// reads). The contig is last because its name may hold colons.
class ReadSimulator {
 public:
  /// \throws Error InvalidArgument if `job` is out of its ranges.
  ReadSimulator(const SimulateJob& job, std::string contig, std::uint32_t contig_index,
                std::span<const std::uint8_t> codes, std::span<const VariantPiece> variants,
                bool paired);

  static constexpr std::uint64_t kFragmentsPerBlock = 2000;
  /// How many fragments give the coverage asked for; contigs shorter than a read give none.
  [[nodiscard]] std::uint64_t fragment_count() const noexcept { return fragments_; }
  [[nodiscard]] std::uint64_t block_count() const noexcept {
    return (fragments_ + kFragmentsPerBlock - 1) / kFragmentsPerBlock;
  }
  /// The fragments of one block, numbered from `first_number`; the same whenever it is asked for.
  [[nodiscard]] SimulatedReads block(std::uint64_t index, std::uint64_t first_number) const;

 private:
  friend class BlockSimulator;

  const SimulateJob& job_;
  std::string contig_;
  std::uint32_t contig_index_;
  bool paired_;
  std::vector<SampleHaplotype> haplotypes_;
  std::uint64_t fragments_ = 0;
  std::vector<double> quality_curve_[2];  ///< mean quality by position, first and second mates
};

}  // namespace aceso::genomics
