#if defined(__x86_64__)

#include "kernels/band.hpp"

#include <immintrin.h>

namespace aceso::genomics {
namespace {

constexpr int kWidth = 16;

std::uint64_t different_half(const std::uint8_t* a, const std::uint8_t* b) {
  const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a));
  const __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b));
  const __m256i n = _mm256_cmpgt_epi8(x, _mm256_set1_epi8(3));
  const __m256i same = _mm256_andnot_si256(n, _mm256_cmpeq_epi8(x, y));
  return static_cast<std::uint32_t>(~_mm256_movemask_epi8(same));
}

std::uint64_t different(const std::uint8_t* a, const std::uint8_t* b) {
  return different_half(a, b) | different_half(a + 32, b + 32) << 32;
}

}  // namespace
}  // namespace aceso::genomics

#include "kernels/band.inl"

namespace aceso::genomics {

const AlignKernels kBandAvx2 = {"avx2", [] { return __builtin_cpu_supports("avx2") != 0; },
                                mismatches, align_band, read_cost};

}  // namespace aceso::genomics

#endif
