#if defined(__x86_64__)

#include "kernels/band.hpp"

#include <immintrin.h>

namespace aceso::genomics {
namespace {

constexpr int kWidth = 32;

std::uint64_t different(const std::uint8_t* a, const std::uint8_t* b) {
  const __m512i x = _mm512_loadu_si512(a), y = _mm512_loadu_si512(b);
  return _mm512_cmpneq_epi8_mask(x, y) | _mm512_cmpgt_epi8_mask(x, _mm512_set1_epi8(3));
}

}  // namespace
}  // namespace aceso::genomics

#include "kernels/band.inl"

namespace aceso::genomics {

const AlignKernels kBandAvx512 = {"avx512",
                                  [] {
                                    return __builtin_cpu_supports("avx512f") != 0 &&
                                           __builtin_cpu_supports("avx512bw") != 0 &&
                                           __builtin_cpu_supports("avx512vl") != 0;
                                  },
                                  mismatches, align_band, read_cost};

}  // namespace aceso::genomics

#endif
