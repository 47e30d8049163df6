// The kernels, written once over vectors of kWidth floats (a GCC and clang extension). Included
// by one source for each instruction set, which defines kWidth and KERNEL_TABLE. Everything here
// is in an unnamed namespace and no library template is used, so that no code compiled for one
// set can be taken for another's.

namespace aceso::nn::kernels {
namespace {

typedef float Vec __attribute__((vector_size(kWidth * 4)));
typedef std::int32_t Int __attribute__((vector_size(kWidth * 4)));
typedef std::uint32_t Bits __attribute__((vector_size(kWidth * 4)));
typedef std::uint16_t Half __attribute__((vector_size(kWidth * 2)));

constexpr std::int64_t kRows = 4;  ///< queries that are worked on together

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
  const Bits bits = (Bits)v;
  Bits rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
  const Bits nan = (Bits)(v != v);
  rounded = (rounded & ~nan) | (((bits >> 16) | 0x40U) & nan);
  const Half h = __builtin_convertvector(rounded, Half);
  __builtin_memcpy(p, &h, sizeof h);
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

inline Vec choose(Int mask, Vec yes, Vec no) {
  return (Vec)(((Int)yes & mask) | ((Int)no & ~mask));
}
inline Vec larger(Vec a, Vec b) { return choose(a > b, a, b); }
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

/// 2^x for x <= 0: relative error below 3e-7 down to 2^-126, 0 below. The integer part goes to
/// the exponent, 2^f of the rest is a polynomial (Taylor in f ln 2, degree 6, |f| <= 1/2).
inline Vec exp2_not_positive(Vec x) {
  const Int tiny = x < splat(-126.0F);
  x = larger(x, splat(-126.0F));
  const Vec shift = splat(12582912.0F);  // 1.5 * 2^23: adding it rounds to a whole number
  const Vec biased = x + shift;
  const Vec f = x - (biased - shift);
  Vec p = splat(1.5403530e-4F);
  p = p * f + splat(1.3333558e-3F);
  p = p * f + splat(9.6181291e-3F);
  p = p * f + splat(5.5504109e-2F);
  p = p * f + splat(2.4022651e-1F);
  p = p * f + splat(6.9314718e-1F);
  p = p * f + splat(1.0F);
  const Int scaled = (Int)p + ((Int)((Bits)biased << 23));
  return choose(tiny, Vec{}, (Vec)scaled);
}

inline Vec gelu_of(Vec x) {
  const Vec z = x * 0.70710678F;
  const Vec a = magnitude(z);
  const Vec t = 1.0F / (a * 0.3275911F + 1.0F);
  Vec p = splat(1.061405429F);
  p = p * t + -1.453152027F;
  p = p * t + 1.421413741F;
  p = p * t + -0.284496736F;
  p = p * t + 0.254829592F;
  const Vec tail = 0.5F * p * t * exp2_not_positive(z * z * -1.44269504F);  // (1 - erf |z|) / 2
  const Vec phi = choose(x < Vec{}, tail, 1.0F - tail);
  return x * choose(x == x, phi, x);
}

template <typename T>
void gelu_all(T* x, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) store(x + i, gelu_of(load(x + i)));
  for (; i < count; ++i) narrow(x + i, gelu_of(splat(widen(x[i])))[0]);
}

void gelu_f32(float* x, std::int64_t count) { gelu_all(x, count); }
void gelu_b16(Bf16* x, std::int64_t count) { gelu_all(x, count); }

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

constexpr std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}

/// One head's queries, keys and values as the inner loops want them.
struct Head {
  std::int64_t length, size, padded_keys, padded_size;
  float* queries;  ///< [length up to kRows][size], turned and scaled
  float* keys;     ///< [padded_keys / kWidth][size][kWidth]
  float* values;   ///< [padded_keys][padded_size]
  float* scores;   ///< [kRows][padded_keys]
};

Head lay_out(const Attention& a, float* workspace) {
  Head head{};
  head.length = a.length;
  head.size = a.hidden / a.heads;
  head.padded_keys = round_up(a.length, 2 * kWidth);
  head.padded_size = round_up(head.size, kWidth);
  head.queries = workspace;
  head.keys = head.queries + round_up(round_up(a.length, kRows) * head.size, 16);
  head.values = head.keys + round_up(head.padded_keys * head.size, 16);
  head.scores = head.values + head.padded_keys * head.padded_size;
  return head;
}

/// Turns the halves of a head's vector by the position's angles.
template <typename T, typename Put>
inline void turn(const Attention& a, std::int64_t position, const T* x, std::int64_t size,
                 float scale, const Put& put) {
  if (a.cosine == nullptr) {
    for (std::int64_t d = 0; d < size; ++d) put(d, widen(x[d]) * scale);
    return;
  }
  const std::int64_t half = size / 2;
  const float* c = a.cosine + position * half;
  const float* s = a.sine + position * half;
  for (std::int64_t d = 0; d < half; ++d) {
    const float one = widen(x[d]), two = widen(x[d + half]);
    put(d, (one * c[d] - two * s[d]) * scale);
    put(d + half, (two * c[d] + one * s[d]) * scale);
  }
}

template <typename T>
void pack(const Attention& a, std::int64_t h, const Head& head) {
  const std::int64_t size = head.size, row = 3 * a.hidden;
  // Scores are kept in units of log 2, so that the softmax is made of powers of 2.
  const float scale = 1.44269504F / __builtin_sqrtf(static_cast<float>(size));
  const T* q = static_cast<const T*>(a.qkv) + h * size;
  for (std::int64_t t = 0; t < a.length; ++t) {
    const T* at = q + t * row;
    float* query = head.queries + t * size;
    turn(a, t, at, size, scale, [&](std::int64_t d, float v) { query[d] = v; });
    float* key = head.keys + t / kWidth * size * kWidth + t % kWidth;
    turn(a, t, at + a.hidden, size, 1.0F, [&](std::int64_t d, float v) { key[d * kWidth] = v; });
    float* value = head.values + t * head.padded_size;
    for (std::int64_t d = 0; d < size; ++d) value[d] = widen(at[2 * a.hidden + d]);
    for (std::int64_t d = size; d < head.padded_size; ++d) value[d] = 0;
  }
  for (std::int64_t t = a.length; t < round_up(a.length, kRows); ++t)
    for (std::int64_t d = 0; d < size; ++d) head.queries[t * size + d] = 0;
  for (std::int64_t t = a.length; t < head.padded_keys; ++t) {
    for (std::int64_t d = 0; d < size; ++d)
      head.keys[t / kWidth * size * kWidth + d * kWidth + t % kWidth] = 0;
    for (std::int64_t d = 0; d < head.padded_size; ++d) head.values[t * head.padded_size + d] = 0;
  }
}

/// Scores of kRows queries with the keys [0, keys), a multiple of 2 kWidth.
void score(const Head& head, const float* queries, std::int64_t keys) {
  const std::int64_t size = head.size;
  for (std::int64_t k = 0; k < keys; k += 2 * kWidth) {
    const float* one = head.keys + k * size;
    const float* two = one + size * kWidth;
    Vec sums[kRows][2] = {};
    for (std::int64_t d = 0; d < size; ++d) {
      const Vec a = load(one + d * kWidth), b = load(two + d * kWidth);
      for (std::int64_t r = 0; r < kRows; ++r) {
        const float q = queries[r * size + d];
        sums[r][0] += a * q;
        sums[r][1] += b * q;
      }
    }
    for (std::int64_t r = 0; r < kRows; ++r) {
      store(head.scores + r * head.padded_keys + k, sums[r][0]);
      store(head.scores + r * head.padded_keys + k + kWidth, sums[r][1]);
    }
  }
}

/// Replaces a row of scores by powers of 2 and returns the inverse of their sum. Keys from
/// `visible` on get 0.
float soften(float* scores, std::int64_t visible, std::int64_t keys) {
  for (std::int64_t k = visible; k < keys; ++k) scores[k] = -1e30F;
  Vec most = load(scores);
  for (std::int64_t k = kWidth; k < keys; k += kWidth) most = larger(most, load(scores + k));
  const Vec top = splat(largest(most));
  Vec total{};
  for (std::int64_t k = 0; k < keys; k += kWidth) {
    const Vec e = exp2_not_positive(load(scores + k) - top);
    total += e;
    store(scores + k, e);
  }
  return 1.0F / sum(total);
}

/// The weighted sum of values for kRows queries; `column` is the first of kWidth dimensions.
void gather(const Head& head, std::int64_t keys, std::int64_t column, Vec (&sums)[kRows]) {
  Vec odd[kRows] = {};
  for (Vec& s : sums) s = Vec{};
  const float* value = head.values + column;
  for (std::int64_t k = 0; k < keys; k += 2) {
    const Vec one = load(value + k * head.padded_size);
    const Vec two = load(value + (k + 1) * head.padded_size);
    for (std::int64_t r = 0; r < kRows; ++r) {
      const float* weight = head.scores + r * head.padded_keys + k;
      sums[r] += one * weight[0];
      odd[r] += two * weight[1];
    }
  }
  for (std::int64_t r = 0; r < kRows; ++r) sums[r] += odd[r];
}

template <typename T>
void attend(const Attention& a) {
  const Head head = lay_out(a, a.workspace);
  for (std::int64_t h = 0; h < a.heads; ++h) {
    pack<T>(a, h, head);
    T* out = static_cast<T*>(a.out) + h * head.size;
    for (std::int64_t q = 0; q < a.length; q += kRows) {
      const std::int64_t seen = a.causal ? (q + kRows < a.length ? q + kRows : a.length) : a.length;
      const std::int64_t keys = round_up(seen, 2 * kWidth);
      score(head, head.queries + q * head.size, keys);
      const std::int64_t rows = a.length - q < kRows ? a.length - q : kRows;
      float inverse[kRows] = {};
      for (std::int64_t r = 0; r < rows; ++r)
        inverse[r] = soften(head.scores + r * head.padded_keys, a.causal ? q + r + 1 : a.length,
                            keys);
      for (std::int64_t column = 0; column < head.size; column += kWidth) {
        Vec sums[kRows];
        gather(head, keys, column, sums);
        const std::int64_t wide = head.size - column < kWidth ? head.size - column : kWidth;
        for (std::int64_t r = 0; r < rows; ++r) {
          T* to = out + (q + r) * a.hidden + column;
          const Vec result = sums[r] * inverse[r];
          if (wide == kWidth)
            store(to, result);
          else
            for (std::int64_t d = 0; d < wide; ++d) narrow(to + d, result[d]);
        }
      }
    }
  }
}

void attention_any(const Attention& a) {
  if (a.bf16)
    attend<Bf16>(a);
  else
    attend<float>(a);
}

}  // namespace
}  // namespace aceso::nn::kernels
