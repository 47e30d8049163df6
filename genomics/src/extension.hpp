// From a place to an alignment: the read compared as it lies; where that does not settle it, the
// best path within a band.
#pragma once

#include "kernels/band.hpp"

#include "aceso/genomics/aligner.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace aceso::genomics {

/// A read on one strand: `codes` may be read kCodeMargin beyond `length`.
struct Strand {
  const std::uint8_t* codes = nullptr;
  std::uint32_t length = 0;
  bool reversed = false;
};

/// What a base of a read on a base of the reference is worth.
[[nodiscard]] constexpr int base_gain(std::uint8_t read, std::uint8_t reference) noexcept {
  if (reference == kCodeGap) return AlignScores::kGap;
  if (reference > 3 || read > 3) return AlignScores::kN;
  return read == reference ? AlignScores::kMatch : AlignScores::kMismatch;
}

class Extender {
 public:
  explicit Extender(const Reference& reference)
      : reference_(reference), kernels_(align_kernels()) {}

  /// Aligns `read` near `diagonal` (global position of its first base). The band is moved to hold
  /// [least, most] where that is possible. Not mapped if the best score is below kLeastScore or the
  /// place lies outside the reference.
  [[nodiscard]] Alignment extend(const Strand& read, std::int64_t diagonal, std::int64_t least,
                                 std::int64_t most);
  /// Only compares the read in place; ends may be clipped.
  [[nodiscard]] Alignment compare(const Strand& read, std::int64_t diagonal);

  /// As bwa mem -T.
  static constexpr int kLeastScore = 30;

 private:
  [[nodiscard]] bool inside(const Strand& read, std::int64_t diagonal) const noexcept;
  [[nodiscard]] Alignment banded(const Strand& read, std::int64_t first_diagonal);
  [[nodiscard]] bool settled(std::uint32_t length) const;

  const Reference& reference_;
  const AlignKernels& kernels_;
  std::uint32_t differences_ = 0;  ///< of the last comparison
  std::vector<std::uint64_t> mask_;
  std::vector<std::uint8_t> moves_;
};

}  // namespace aceso::genomics
