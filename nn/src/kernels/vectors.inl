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
// b where either is NaN, as the instructions have it.
#if defined(__AVX512F__)
inline Vec larger(Vec a, Vec b) { return (Vec)_mm512_maskz_max_ps(0xffff, (__m512)a, (__m512)b); }
inline Vec smaller(Vec a, Vec b) { return (Vec)_mm512_maskz_min_ps(0xffff, (__m512)a, (__m512)b); }
#elif defined(__AVX2__)
inline Vec larger(Vec a, Vec b) { return (Vec)_mm256_max_ps((__m256)a, (__m256)b); }
inline Vec smaller(Vec a, Vec b) { return (Vec)_mm256_min_ps((__m256)a, (__m256)b); }
#else
inline Vec larger(Vec a, Vec b) { return choose(a > b, a, b); }
inline Vec smaller(Vec a, Vec b) { return choose(a < b, a, b); }
#endif
inline Vec magnitude(Vec a) { return (Vec)((Bits)a & 0x7fffffffU); }

/// Halves of v laid upon each other by `fold` until one number is left.
template <typename Fold>
inline float folded(Vec v, const Fold& fold) {
  typedef float Quarter __attribute__((vector_size(16)));
  Quarter parts[kWidth / 4];
  __builtin_memcpy(parts, &v, sizeof parts);
#pragma GCC unroll 2
  for (std::int64_t half = kWidth / 8; half > 0; half /= 2)
#pragma GCC unroll 2
    for (std::int64_t i = 0; i < half; ++i) parts[i] = fold(parts[i], parts[i + half]);
  const Quarter q = parts[0];
  const Quarter two = fold(q, Quarter{q[2], q[3], q[2], q[3]});
  return fold(two, Quarter{two[1], two[1], two[1], two[1]})[0];
}

inline float sum(Vec v) {
  return folded(v, [](auto a, auto b) { return a + b; });
}
inline float largest(Vec v) {
  return folded(v, [](auto a, auto b) { return a > b ? a : b; });
}
inline float smallest(Vec v) { return -largest(-v); }

constexpr std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}

}  // namespace
}  // namespace aceso::nn::kernels
