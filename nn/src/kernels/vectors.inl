// Vectors of kWidth floats (a GCC and clang extension), on which the kernels are written once.
// Included by one source for each instruction set, which defines kWidth and kSums. Everything is
// in an unnamed namespace and no library template is used, so that no code compiled for one set
// can be taken for another's.

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace aceso::nn::kernels {
namespace {

typedef float Vec __attribute__((vector_size(kWidth * 4)));
typedef std::int32_t Int __attribute__((vector_size(kWidth * 4)));
typedef std::uint32_t Bits __attribute__((vector_size(kWidth * 4)));
typedef std::uint16_t Half __attribute__((vector_size(kWidth * 2)));

inline Vec splat(float value) { return Vec{} + value; }
inline Vec load(const float* p) {
  Vec v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, Vec v) { __builtin_memcpy(p, &v, sizeof v); }

inline Vec load(const Bf16* p) {
  Half h;
  __builtin_memcpy(&h, p, sizeof h);
  return (Vec)(__builtin_convertvector(h, Bits) << 16);
}
/// Rounds to the nearest, ties to even; NaN stays NaN.
inline void store(Bf16* p, Vec v) {
#if defined(__AVX512BF16__)
  const auto h = _mm512_cvtneps_pbh((__m512)v);
  __builtin_memcpy(p, &h, sizeof h);
#else
  const Bits bits = (Bits)v;
  Bits rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
  const Bits nan = (Bits)(v != v);
  rounded = (rounded & ~nan) | (((bits >> 16) | 0x40U) & nan);
  const Half h = __builtin_convertvector(rounded, Half);
  __builtin_memcpy(p, &h, sizeof h);
#endif
}

inline float widen(float value) { return value; }
inline float widen(Bf16 value) {
  const std::uint32_t bits = std::uint32_t{value} << 16;
  float f;
  __builtin_memcpy(&f, &bits, sizeof f);
  return f;
}
inline void narrow(float* p, float value) { *p = value; }
inline void narrow(Bf16* p, float value) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  *p = value != value ? static_cast<Bf16>((bits >> 16) | 0x40U)
                      : static_cast<Bf16>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}

/// The first `columns` of v, or all.
inline void put_part(float* to, Vec v, std::int64_t columns) {
  if (columns >= kWidth)
    store(to, v);
  else
    for (std::int64_t i = 0; i < columns; ++i) to[i] = v[i];
}
inline void put_part(Bf16* to, Vec v, std::int64_t columns) {
  if (columns >= kWidth)
    store(to, v);
  else
    for (std::int64_t i = 0; i < columns; ++i) narrow(to + i, v[i]);
}

inline Vec choose(Int mask, Vec yes, Vec no) { return mask ? yes : no; }
inline Vec larger(Vec a, Vec b) { return choose(a > b, a, b); }
inline Vec smaller(Vec a, Vec b) { return choose(a < b, a, b); }
inline Vec magnitude(Vec a) { return (Vec)((Bits)a & 0x7fffffffU); }

inline float sum(Vec v) {
  float total = 0;
  for (std::int64_t i = 0; i < kWidth; ++i) total += v[i];
  return total;
}
inline float largest(Vec v) {
  float most = v[0];
  for (std::int64_t i = 1; i < kWidth; ++i) most = v[i] > most ? v[i] : most;
  return most;
}
inline float smallest(Vec v) { return -largest(-v); }

constexpr std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}

}  // namespace
}  // namespace aceso::nn::kernels
