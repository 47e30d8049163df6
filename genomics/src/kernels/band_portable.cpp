#include "kernels/band.hpp"

namespace aceso::genomics {
namespace {

constexpr int kWidth = 8;

/// Which of 64 codes differ or are N.
std::uint64_t different(const std::uint8_t* a, const std::uint8_t* b) {
  std::uint64_t bits = 0;
  for (int i = 0; i < 64; ++i) bits |= static_cast<std::uint64_t>(a[i] != b[i] || a[i] > 3) << i;
  return bits;
}

}  // namespace
}  // namespace aceso::genomics

#include "kernels/band.inl"

namespace aceso::genomics {

const AlignKernels kBandPortable = {"portable", [] { return true; }, mismatches, align_band,
                                    read_cost};

}  // namespace aceso::genomics
