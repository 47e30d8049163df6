// GELU, norms and quantisation over vectors.

namespace aceso::nn::kernels {
namespace {

/// 2^x for -126 <= x <= 0, 2^-126 below. The whole part goes to the exponent, 2^f of the rest
/// (|f| <= 1/2) is a polynomial with the smallest largest relative error: 7.5e-8, or 7.5e-5 for
/// results that are rounded to bf16 (`kRough`).
template <bool kRough>
inline Vec exp2_not_positive(Vec x) {
  x = larger(x, splat(-126.0F));
  const Vec shift = splat(12582912.0F);  // 1.5 * 2^23: adding it rounds to a whole number
  const Vec biased = x + shift;
  const Vec f = x - (biased - shift);
  Vec p;
  if constexpr (kRough) {
    p = f * 5.51716668e-2F + 2.42611135e-1F;
    p = p * f + 6.93260987e-1F;
    p = p * f + 9.99928073e-1F;
  } else {
    p = f * 1.32764717e-3F + 9.67554154e-3F;
    p = p * f + 5.55071328e-2F;
    p = p * f + 2.40221197e-1F;
    p = p * f + 6.93146967e-1F;
    p = p * f + 1.00000007F;
  }
  return (Vec)((Bits)p + ((Bits)biased << 23));
}

/// x * Phi(x) by 7.1.26 of Abramowitz and Stegun.
inline Vec gelu_close(Vec x) {
  const Vec z = x * 0.70710678F;
  const Vec a = magnitude(z);
  const Vec t = 1.0F / (a * 0.3275911F + 1.0F);
  Vec p = t * 1.061405429F + -1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t + -0.284496736F;
  p = (p * t + 0.254829592F) * t;
  const Vec tail = 0.5F * p * exp2_not_positive<false>(z * z * -1.44269504F);  // (1 - erf |z|) / 2
  const Vec phi = choose(x < Vec{}, tail, 1.0F - tail);
  return x * choose(x == x, phi, x);
}

/// The same for results that are rounded to bf16: Phi(x) - 1/2 as the odd polynomial with the
/// smallest largest error (1.5e-5) on [-4.3, 4.3], beyond which it is as at the ends. NaN stays
/// NaN.
inline Vec gelu_rough(Vec x) {
  const Vec above = larger(splat(-4.3F), x);
  const Vec within = smaller(splat(4.3F), above);
  const Vec t = within * within;
  Vec p = t * 5.14714278e-11F + -5.02607289e-9F;
  p = p * t + 2.16621871e-7F;
  p = p * t + -5.48738308e-6F;
  p = p * t + 9.21941100e-5F;
  p = p * t + -1.10250060e-3F;
  p = p * t + 9.80025064e-3F;
  p = p * t + -6.63264468e-2F;
  p = p * t + 3.98896396e-1F;
  return above * (p * within + 0.5F);
}

template <bool kRough>
inline Vec gelu_of(Vec x) {
  return kRough ? gelu_rough(x) : gelu_close(x);
}

template <bool kRough, typename T>
void gelu_all(T* x, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) store(x + i, gelu_of<kRough>(load(x + i)));
  for (; i < count; ++i) narrow(x + i, gelu_of<kRough>(splat(widen(x[i])))[0]);
}

void gelu_f32(float* x, std::int64_t count) { gelu_all<false>(x, count); }
void gelu_b16(Bf16* x, std::int64_t count) { gelu_all<true>(x, count); }

void widen_all(const Bf16* x, std::int64_t count, float* y) {
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) store(y + i, load(x + i));
  for (; i < count; ++i) y[i] = widen(x[i]);
}

struct Range {
  float low = 0, high = 0;  ///< 0 always lies within
};

template <typename T>
Range range_of(const T* x, std::int64_t width) {
  Vec low[2] = {}, high[2] = {};  // two, so that one need not wait for the other
  std::int64_t i = 0;
  for (; i + 2 * kWidth <= width; i += 2 * kWidth) {
    const Vec one = load(x + i), two = load(x + i + kWidth);
    low[0] = smaller(low[0], one);
    low[1] = smaller(low[1], two);
    high[0] = larger(high[0], one);
    high[1] = larger(high[1], two);
  }
  Range range{smallest(smaller(low[0], low[1])), largest(larger(high[0], high[1]))};
  for (; i < width; ++i) {
    const float value = widen(x[i]);
    range.low = value < range.low ? value : range.low;
    range.high = value > range.high ? value : range.high;
  }
  return range;
}

/// Whole numbers nearest to x * inverse + zero, kept within 0 and 255; NaN becomes 0.
inline Vec rounded(Vec x, float inverse, float zero) {
  const Vec shift = splat(12582912.0F);
  const Vec whole = (x * inverse + zero + shift) - shift;
  return larger(smaller(whole, splat(255.0F)), Vec{});
}

/// Numbers as quantised ones, less `centre`.
inline void put_rounded(std::uint8_t* to, Vec x, float inverse, float zero, float) {
#if defined(__AVX512F__)
  // The instructions round as rounded() does; NaN becomes the lowest number.
  const __m512i whole = _mm512_maskz_cvtps_epi32(0xffff, (__m512)(x * inverse + zero));
  const __m512i low = _mm512_maskz_max_epi32(0xffff, whole, _mm512_setzero_si512());
  const __m128i bytes = _mm512_maskz_cvtusepi32_epi8(0xffff, low);
#else
  typedef std::uint8_t Bytes __attribute__((vector_size(kWidth)));
  const Int whole = __builtin_convertvector(rounded(x, inverse, zero), Int);
  const Bytes bytes = __builtin_convertvector(whole, Bytes);
#endif
  __builtin_memcpy(to, &bytes, sizeof bytes);
}

inline void put_rounded(float* to, Vec x, float inverse, float zero, float centre) {
  store(to, rounded(x, inverse, zero) - centre);
}

/// Numbers of one row as q - centre, the ones from `width` to `padded` as 0.
template <typename T, typename Q>
void put_quantised(const T* x, std::int64_t width, std::int64_t padded, float inverse, float zero,
                   float centre, Q* q) {
  std::int64_t i = 0;
  for (; i + kWidth <= width; i += kWidth) put_rounded(q + i, load(x + i), inverse, zero, centre);
  for (; i < width; ++i)
    q[i] = static_cast<Q>(rounded(splat(widen(x[i])), inverse, zero)[0] - centre);
  for (; i < padded; ++i) q[i] = 0;
}

template <typename T>
void quantise_row(const T* x, const Quantised& rows, std::int64_t row) {
  const Range range = range_of(x, rows.width);
  const float scale = (range.high - range.low) * (1.0F / 255.0F);
  const float inverse = scale > 0 ? 1.0F / scale : 0.0F;
  const float zero = rounded(splat(-range.low), inverse, 0.0F)[0];
  rows.scale[row] = scale;
  rows.zero[row] = static_cast<std::int32_t>(zero);
  const std::int64_t start = row * rows.padded;
  if (rows.q != nullptr)
    put_quantised(x, rows.width, rows.padded, inverse, zero, 0.0F, rows.q + start);
  else
    put_quantised(x, rows.width, rows.padded, inverse, zero, zero, rows.centred + start);
}

void quantise_rows(const Quantised& rows) {
  for (std::int64_t r = 0; r < rows.rows; ++r) {
    if (rows.bf16)
      quantise_row(static_cast<const Bf16*>(rows.x) + r * rows.width, rows, r);
    else
      quantise_row(static_cast<const float*>(rows.x) + r * rows.width, rows, r);
  }
}

template <typename T>
void norm_row(const float* x, const float* gain, const float* bias, float epsilon,
              std::int64_t width, T* y) {
  Vec total{};
  std::int64_t i = 0;
  for (; i + kWidth <= width; i += kWidth) total += load(x + i);
  float mean = sum(total);
  for (; i < width; ++i) mean += x[i];
  mean /= static_cast<float>(width);
  Vec squares{};
  for (i = 0; i + kWidth <= width; i += kWidth) {
    const Vec d = load(x + i) - mean;
    squares += d * d;
  }
  float variance = sum(squares);
  for (; i < width; ++i) variance += (x[i] - mean) * (x[i] - mean);
  const float scale = 1.0F / __builtin_sqrtf(variance / static_cast<float>(width) + epsilon);
  for (i = 0; i + kWidth <= width; i += kWidth)
    store(y + i, (load(x + i) - mean) * scale * load(gain + i) + load(bias + i));
  for (; i < width; ++i) narrow(y + i, (x[i] - mean) * scale * gain[i] + bias[i]);
}

void norm_rows(const float* x, const float* gain, const float* bias, float epsilon,
               std::int64_t rows, std::int64_t width, float* y, Bf16* y_bf16) {
  for (std::int64_t r = 0; r < rows; ++r, x += width) {
    if (y != nullptr)
      norm_row(x, gain, bias, epsilon, width, y + r * width);
    else
      norm_row(x, gain, bias, epsilon, width, y_bf16 + r * width);
  }
}

}  // namespace
}  // namespace aceso::nn::kernels
