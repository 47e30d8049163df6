// GELU, norms and quantisation over vectors.

namespace aceso::nn::kernels {
namespace {

/// 2^x for -126 <= x <= 127, 2^-126 below; NaN stays NaN. The whole part goes to the exponent, 2^f
/// of the rest
/// (|f| <= 1/2) is a polynomial with the smallest largest relative error, 7.5e-8.
inline Vec exp2_of(Vec x) {
  x = larger(splat(-126.0F), x);
  const Vec shift = splat(12582912.0F);  // 1.5 * 2^23: adding it rounds to a whole number
  const Vec biased = x + shift;
  const Vec f = x - (biased - shift);
  Vec p = f * 1.32764717e-3F + 9.67554154e-3F;
  p = p * f + 5.55071328e-2F;
  p = p * f + 2.40221197e-1F;
  p = p * f + 6.93146967e-1F;
  p = p * f + 1.00000007F;
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
  const Vec tail = 0.5F * p * exp2_of(z * z * -1.44269504F);  // (1 - erf |z|) / 2
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

/// Two vectors of numbers from x on, in an order of their own.
inline void load_two(const float* x, Vec (&two)[2]) {
  two[0] = load(x);
  two[1] = load(x + kWidth);
}
inline void load_two(const Bf16* x, Vec (&two)[2]) {
  Bits pairs;
  __builtin_memcpy(&pairs, x, sizeof pairs);
  two[0] = (Vec)(pairs << 16);
  two[1] = (Vec)(pairs & 0xffff0000U);
}

template <typename T>
Range range_of(const T* x, std::int64_t width) {
  Vec low[2] = {}, high[2] = {};  // two, so that one need not wait for the other
  std::int64_t i = 0;
  for (; i + 2 * kWidth <= width; i += 2 * kWidth) {
    Vec two[2];
    load_two(x + i, two);
    for (int v = 0; v < 2; ++v) {
      low[v] = smaller(low[v], two[v]);
      high[v] = larger(high[v], two[v]);
    }
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

#if defined(__AVX512F__)
/// The same as whole numbers; NaN becomes 0, as the lowest of all numbers.
inline Bits whole(Vec x, float inverse, float zero) {
  const __m512i whole = _mm512_maskz_cvtps_epi32(0xffff, (__m512)(x * inverse + zero));
  const __m512i low = _mm512_maskz_max_epi32(0xffff, whole, _mm512_setzero_si512());
  return (Bits)_mm512_maskz_min_epi32(0xffff, low, _mm512_set1_epi32(255));
}
#else
inline Bits whole(Vec x, float inverse, float zero) {
  return __builtin_convertvector(__builtin_convertvector(rounded(x, inverse, zero), Int), Bits);
}
#endif

/// 2 * kWidth numbers as quantised ones, less `centre`.
inline void put_rounded(std::uint8_t* to, const float* x, float inverse, float zero, float) {
  typedef std::uint8_t Bytes __attribute__((vector_size(kWidth)));
  for (int v = 0; v < 2; ++v) {
    const Bytes bytes = __builtin_convertvector(whole(load(x + v * kWidth), inverse, zero), Bytes);
    __builtin_memcpy(to + v * kWidth, &bytes, sizeof bytes);
  }
}
inline void put_rounded(std::uint8_t* to, const Bf16* x, float inverse, float zero, float) {
  Vec two[2];
  load_two(x, two);  // of which one holds every other number
  const Bits pairs = whole(two[0], inverse, zero) | whole(two[1], inverse, zero) << 8;
#if defined(__AVX512F__)
  const __m256i bytes = _mm512_maskz_cvtepi32_epi16(0xffff, (__m512i)pairs);
#else
  const Half bytes = __builtin_convertvector(pairs, Half);
#endif
  __builtin_memcpy(to, &bytes, sizeof bytes);
}
template <typename T>
inline void put_rounded(float* to, const T* x, float inverse, float zero, float centre) {
  for (int v = 0; v < 2 * kWidth; v += kWidth)
    store(to + v, rounded(load(x + v), inverse, zero) - centre);
}

/// Numbers of one row as q - centre, the ones from `width` to `padded` as 0.
template <typename T, typename Q>
void put_quantised(const T* x, std::int64_t width, std::int64_t padded, float inverse, float zero,
                   float centre, Q* q) {
  std::int64_t i = 0;
  for (; i + 2 * kWidth <= width; i += 2 * kWidth) put_rounded(q + i, x + i, inverse, zero, centre);
  for (; i < width; ++i)
    q[i] = static_cast<Q>(rounded(splat(widen(x[i])), inverse, zero)[0] - centre);
  for (; i < padded; ++i) q[i] = 0;
}

template <typename T>
void quantise_row(const T* x, const Range& range, const Quantised& rows, std::int64_t row) {
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

/// Calls put(r, measure(r)) for each row. A few rows are measured before the first of them is
/// put: a sum or the largest of a vector takes long, and the next row need not wait for it.
template <typename Measure, typename Put>
inline void in_turns(std::int64_t rows, const Measure& measure, const Put& put) {
  constexpr std::int64_t kRows = 8;
  decltype(measure(0)) measured[kRows];
  for (std::int64_t first = 0; first < rows; first += kRows) {
    const std::int64_t many = rows - first < kRows ? rows - first : kRows;
    for (std::int64_t r = 0; r < many; ++r) measured[r] = measure(first + r);
    for (std::int64_t r = 0; r < many; ++r) put(first + r, measured[r]);
  }
}

template <typename T>
void quantise_all(const T* x, const Quantised& rows) {
  in_turns(
      rows.rows, [&](std::int64_t r) { return range_of(x + r * rows.width, rows.width); },
      [&](std::int64_t r, const Range& range) {
        quantise_row(x + r * rows.width, range, rows, r);
      });
}

void quantise_rows(const Quantised& rows) {
  if (rows.bf16)
    quantise_all(static_cast<const Bf16*>(rows.x), rows);
  else
    quantise_all(static_cast<const float*>(rows.x), rows);
}

/// Calls add(sum, i) for vectors from i on, of which there are width / kWidth; four sums, so that
/// one need not wait for the other.
template <typename Add>
inline float sum_over(std::int64_t width, const Add& add) {
  Vec sums[4] = {};
  std::int64_t i = 0;
  for (; i + 4 * kWidth <= width; i += 4 * kWidth)
    for (int v = 0; v < 4; ++v) add(sums[v], i + v * kWidth);
  for (; i + kWidth <= width; i += kWidth) add(sums[0], i);
  return sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

template <typename T>
void norm_row(const float* x, const float* gain, const float* bias, float epsilon,
              std::int64_t width, T* y) {
  const std::int64_t whole = width / kWidth * kWidth;
  float mean = sum_over(width, [&](Vec& total, std::int64_t i) { total += load(x + i); });
  for (std::int64_t i = whole; i < width; ++i) mean += x[i];
  mean /= static_cast<float>(width);
  float variance = sum_over(width, [&](Vec& squares, std::int64_t i) {
    const Vec d = load(x + i) - mean;
    squares += d * d;
  });
  for (std::int64_t i = whole; i < width; ++i) variance += (x[i] - mean) * (x[i] - mean);
  const float scale = 1.0F / __builtin_sqrtf(variance / static_cast<float>(width) + epsilon);
  for (std::int64_t i = 0; i < whole; i += kWidth)
    store(y + i, (load(x + i) - mean) * scale * load(gain + i) + load(bias + i));
  for (std::int64_t i = whole; i < width; ++i)
    narrow(y + i, (x[i] - mean) * scale * gain[i] + bias[i]);
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
