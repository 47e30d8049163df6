// Places where a sample seems to differ from the reference, told by its reads alone: what is seen
// there says nothing about errors of sequencing.
#pragma once

#include "packed_record.hpp"
#include "recalibration.hpp"

#include "aceso/genomics/reference.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace aceso::genomics {

/// Calls `use(in_read, position)` for each base of a record that stands on the reference.
template <typename Use>
void for_each_aligned_base(const PackedRecord& record, const Use& use) {
  std::uint32_t in_read = 0, place = record.position;
  for (const std::uint32_t op : record.cigar()) {
    const std::uint32_t length = cigar_length(op);
    switch (cigar_op(op)) {
      case CigarOp::Match:
        for (std::uint32_t i = 0; i < length; ++i) use(in_read++, place++);
        break;
      case CigarOp::Deletion:
        place += length;
        break;
      case CigarOp::Insertion:
      case CigarOp::SoftClip:
        in_read += length;
        break;
      case CigarOp::HardClip:
        break;
    }
  }
}

/// The sites of a stretch [begin, end) of the reference.
///
/// A site is variable if at least kLeastReads reads and 15 % of all show one and the same other
/// base, or if so many have a gap or a clipped end within kMargin bases of it, where bases are
/// often put onto a wrong place. Where fewer than kLeastDepth reads stand, it cannot be told: a
/// heterozygous base may be seen once.
class VariableSites {
 public:
  static constexpr std::uint32_t kLeastReads = 2, kLeastDepth = 8, kMargin = 10;

  explicit VariableSites(const Reference& reference) : reference_(reference) {}

  void begin(std::uint32_t begin, std::uint32_t end);
  void add(const PackedRecord& record);
  /// To be called when all reads are there.
  void finish();
  /// Whether bases that differ from the reference are errors at a place in [begin, end).
  [[nodiscard]] bool tells_errors(std::uint32_t position) const noexcept {
    return usable_[position - begin_];
  }

 private:
  [[nodiscard]] static bool enough(std::uint32_t reads, std::uint32_t depth) noexcept {
    return reads >= kLeastReads && reads * 20ULL >= depth * 3ULL;
  }
  void add_break(std::int64_t position);

  const Reference& reference_;
  std::uint32_t begin_ = 0, end_ = 0;
  std::vector<std::uint32_t> depth_;
  std::vector<std::array<std::uint32_t, 4>> others_;
  std::vector<std::uint32_t> breaks_;  ///< gaps and clips, from kMargin in front of begin_
  std::vector<bool> usable_;
};

}  // namespace aceso::genomics
