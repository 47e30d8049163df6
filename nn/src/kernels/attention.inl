// Attention of one sequence, head by head: both products are tiles of product.inl, so a key or a
// value is read once for kMostRows queries.

namespace aceso::nn::kernels {
namespace {

/// One head's queries, keys and values as the tiles want them.
template <typename Dot>
struct Head {
  using Factor = typename Dot::Factor;
  static constexpr std::int64_t kGroup = 4 / sizeof(Factor);

  std::int64_t length, size, groups, padded_keys, padded_size;
  Factor* queries;         ///< [length][groups * kGroup], turned and scaled
  Factor* keys;            ///< panels of keys, [groups][keys of the panel][kGroup]
  Factor* values;          ///< panels of dimensions, [padded_keys / kGroup][dimensions][kGroup]
  float* scores;           ///< [kMostRows][padded_keys]; a row's weights take its place
  Factor* key;             ///< one vector of a head and room behind it
  float *cosines, *sines;  ///< as spread_angles has them

  Head(const Attention& a)
      : length(a.length),
        size(a.hidden / a.heads),
        groups((size + kGroup - 1) / kGroup),
        padded_keys(round_up(a.length, kWidth > kGroup ? kWidth : kGroup)),
        padded_size(round_up(size, kWidth)) {
    float* free = a.workspace;
    const auto take = [&](std::int64_t floats) {
      float* taken = free;
      free += round_up(floats, 16);
      return taken;
    };
    queries = reinterpret_cast<Factor*>(take(length * groups + padded_size));
    keys = reinterpret_cast<Factor*>(take(padded_keys * groups));
    values = reinterpret_cast<Factor*>(take(padded_keys / kGroup * padded_size));
    scores = take(kMostRows * padded_keys);
    key = reinterpret_cast<Factor*>(take(padded_size + kWidth));
    cosines = take(length * padded_size);
    sines = take(length * padded_size);
  }
};

/// Numbers that start at base[at]; those outside [0, count) do not exist and come out as 0.
template <typename T>
inline Vec load_within(const T* base, std::int64_t at, std::int64_t count) {
  if (at >= 0 && at + kWidth <= count) return load(base + at);
  T room[kWidth] = {};
  for (std::int64_t i = 0; i < kWidth; ++i)
    if (at + i >= 0 && at + i < count) room[i] = base[at + i];
  return load(room);
}

/// 0, 1, 2, ...
inline Int lanes() {
  Int lane;
  for (int i = 0; i < kWidth; ++i) lane[i] = i;
  return lane;
}

/// For each position the cosines and, with the sign that they take, the sines that belong to all
/// numbers of a head, in rows of padded_size.
template <typename Dot>
void spread_angles(const Attention& a, const Head<Dot>& head) {
  if (a.cosine == nullptr) return;
  const std::int64_t half = head.size / 2;
  for (std::int64_t t = 0; t < a.length; ++t) {
    const float *cosine = a.cosine + t * half, *sine = a.sine + t * half;
    float *c = head.cosines + t * head.padded_size, *s = head.sines + t * head.padded_size;
    for (std::int64_t d = 0; d < half; ++d) {
      c[d] = c[half + d] = cosine[d];
      s[d] = -sine[d];
      s[half + d] = sine[d];
    }
    for (std::int64_t d = 2 * half; d < head.padded_size; ++d) c[d] = s[d] = 0;
  }
}

/// Numbers d to d + kWidth of a head's vector that starts at x[at], turned by the position's
/// angles: each number meets the one that lies half a head further on or back.
template <typename T, typename Dot>
inline Vec turned(const Attention& a, const Head<Dot>& head, std::int64_t position, std::int64_t at,
                  std::int64_t d) {
  const T* x = static_cast<const T*>(a.qkv);
  const std::int64_t count = a.length * 3 * a.hidden, half = head.size / 2;
  const Vec own = load_within(x, at + d, count);
  if (a.cosine == nullptr) return own;
  Vec other;
  if (d + kWidth <= half)
    other = load_within(x, at + d + half, count);
  else if (d >= half)
    other = load_within(x, at + d - half, count);
  else
    other = choose(lanes() < static_cast<std::int32_t>(half - d),
                   load_within(x, at + d + half, count), load_within(x, at + d - half, count));
  const std::int64_t angle = position * head.padded_size + d;
  return own * load(head.cosines + angle) + other * load(head.sines + angle);
}

/// A head's vector, turned and scaled, as whole groups. Writes up to kWidth numbers more.
template <typename T, typename Dot>
inline void put_turned(const Attention& a, const Head<Dot>& head, std::int64_t position,
                       std::int64_t at, float scale, typename Dot::Factor* to) {
  for (std::int64_t d = 0; d < head.size; d += kWidth)
    store(to + d, turned<T>(a, head, position, at, d) * scale);
  if (head.size % Head<Dot>::kGroup != 0) to[head.size] = 0;
}

template <typename Dot>
void put_key(const Head<Dot>& head, std::int64_t t, const typename Dot::Factor* key) {
  const std::int64_t first = t / kPanel * kPanel;
  const std::int64_t left = head.padded_keys - first;
  const std::int64_t wide = left < kPanel ? left : kPanel;
  auto* to = reinterpret_cast<std::byte*>(head.keys) + (first * head.groups + t - first) * 4;
  const auto* from = reinterpret_cast<const std::byte*>(key);
  for (std::int64_t g = 0; g < head.groups; ++g, to += wide * 4, from += 4)
    __builtin_memcpy(to, from, 4);
}

/// Where the dimensions [d, d + kWidth) of the keys' group g lie in head.values.
template <typename Dot>
typename Dot::Factor* value_place(const Head<Dot>& head, std::int64_t g, std::int64_t d) {
  const std::int64_t first = d / kPanel * kPanel;
  const std::int64_t left = head.padded_size - first;
  const std::int64_t wide = left < kPanel ? left : kPanel;
  const std::int64_t groups = head.padded_keys / Head<Dot>::kGroup;
  return head.values + (first * groups + g * wide + d - first) * Head<Dot>::kGroup;
}

inline void put_values(float* to, const Vec* v) { store(to, v[0]); }
inline void put_values(Bf16* to, const Vec* v) {
  Bf16 halves[2][kWidth];
  store(halves[0], v[0]);
  store(halves[1], v[1]);
  Half low, high;
  __builtin_memcpy(&low, halves[0], sizeof low);
  __builtin_memcpy(&high, halves[1], sizeof high);
  const Bits pairs = __builtin_convertvector(low, Bits) | __builtin_convertvector(high, Bits) << 16;
  __builtin_memcpy(to, &pairs, sizeof pairs);
}

/// The values at number `at` of rows t to t + kGroup, as a group of the panels.
template <typename T, typename Dot>
inline void put_value_group(const Attention& a, const Head<Dot>& head, std::int64_t t,
                            std::int64_t at) {
  constexpr std::int64_t kGroup = Head<Dot>::kGroup;
  const T* x = static_cast<const T*>(a.qkv);
  const std::int64_t stride = 3 * a.hidden;
  for (std::int64_t d = 0; d < head.padded_size; d += kWidth) {
    Vec rows[kGroup] = {};
    for (std::int64_t i = 0; i < kGroup && t + i < a.length; ++i)
      rows[i] = load_within(x, at + (t + i) * stride + d, a.length * stride);
    put_values(value_place(head, t / kGroup, d), rows);
  }
}

/// Asks for a head's numbers in a row that is wanted soon: rows lie further apart than processors
/// guess.
template <typename T>
inline void fetch_ahead(const Attention& a, std::int64_t row, std::int64_t at) {
  if (row >= a.length) return;
  const T* x = static_cast<const T*>(a.qkv) + row * 3 * a.hidden + at;
  for (int part = 0; part < 3; ++part) __builtin_prefetch(x + part * a.hidden);
}

/// A head's numbers in one order of rows, since those of many rows share few places in a cache.
template <typename T, typename Dot>
void pack(const Attention& a, std::int64_t h, const Head<Dot>& head) {
  constexpr std::int64_t kRowsAhead = 8;
  const std::int64_t row = head.groups * Head<Dot>::kGroup, at = h * head.size;
  // Scores are kept in units of log 2, so that the softmax is made of powers of 2.
  const float scale = 1.44269504F / __builtin_sqrtf(static_cast<float>(head.size));
  for (std::int64_t t = 0; t < head.padded_keys; ++t) {
    if (t < a.length) {
      fetch_ahead<T>(a, t + kRowsAhead, at);
      const std::int64_t start = t * 3 * a.hidden + at;
      put_turned<T>(a, head, t, start, scale, head.queries + t * row);
      put_turned<T>(a, head, t, start + a.hidden, 1.0F, head.key);
    } else {
      for (std::int64_t d = 0; d < row; ++d) head.key[d] = 0;
    }
    put_key(head, t, head.key);
    if (t % Head<Dot>::kGroup == 0) put_value_group<T>(a, head, t, at + 2 * a.hidden);
  }
}

/// Scores of `rows` queries with the keys [0, keys).
template <typename Dot>
void score(const Head<Dot>& head, std::int64_t query, std::int64_t rows, std::int64_t keys) {
  const std::int64_t stride = head.groups * 4;
  const auto* q = reinterpret_cast<const std::byte*>(head.queries) + query * stride;
  for (std::int64_t k = 0; k < keys; k += kPanel) {
    const std::int64_t left = head.padded_keys - k;
    const std::int64_t vectors = (left < kPanel ? left : kPanel) / kWidth;
    const auto* panel = reinterpret_cast<const std::byte*>(head.keys) + k * stride;
    for (std::int64_t r = 0; r < rows; r += tile_rows(vectors)) {
      const std::int64_t many = rows - r < tile_rows(vectors) ? rows - r : tile_rows(vectors);
      tile_of<Dot>({q + r * stride, stride, panel, head.groups,
                    reinterpret_cast<std::byte*>(head.scores + r * head.padded_keys + k),
                    head.padded_keys * 4},
                   many, vectors);
    }
  }
}

/// The first `count` numbers of v, the others being `rest`.
inline Vec first_of(Vec v, std::int64_t count, float rest) {
  return choose(lanes() < static_cast<std::int32_t>(count), v, splat(rest));
}

inline Vec largest_of(const float* x, std::int64_t count) {
  Vec most[2] = {splat(-1e30F), splat(-1e30F)};  // two, so that one need not wait for the other
  std::int64_t i = 0;
  for (; i + 2 * kWidth <= count; i += 2 * kWidth) {
    most[0] = larger(most[0], load(x + i));
    most[1] = larger(most[1], load(x + i + kWidth));
  }
  for (; i < count; i += kWidth)
    most[0] = larger(most[0], first_of(load(x + i), count - i, -1e30F));
  return splat(largest(larger(most[0], most[1])));
}

/// Puts powers of 2 of a row's scores less `top` into their place, and returns the sums. Keys from
/// `visible` on weigh 0.
template <typename Factor>
Vec powers_of(float* scores, Vec top, std::int64_t visible, std::int64_t keys) {
  constexpr bool kRough = sizeof(Factor) == sizeof(Bf16);
  auto* weights = reinterpret_cast<Factor*>(scores);  // no wider than the scores behind them
  Vec total{};
  std::int64_t k = 0;
  for (; k + kWidth <= visible; k += kWidth) {
    const Vec e = exp2_not_positive<kRough>(load(scores + k) - top);
    total += e;
    store(weights + k, e);
  }
  for (; k < keys; k += kWidth) {
    const Vec e = first_of(exp2_not_positive<kRough>(load(scores + k) - top), visible - k, 0.0F);
    total += e;
    store(weights + k, e);
  }
  return total;
}

/// Turns rows of scores, of which row r sees visible(r) keys, into weights that are right but for
/// their sums, whose inverses are returned.
template <typename Dot, typename Visible>
void soften(const Head<Dot>& head, std::int64_t rows, std::int64_t keys, const Visible& visible,
            float* inverse_sum) {
  // Step by step over all rows: to find the largest of a vector's numbers takes long, and the
  // next row need not wait for it.
  Vec tops[kMostRows], totals[kMostRows];
  for (std::int64_t r = 0; r < rows; ++r)
    tops[r] = largest_of(head.scores + r * head.padded_keys, visible(r));
  for (std::int64_t r = 0; r < rows; ++r)
    totals[r] = powers_of<typename Dot::Factor>(head.scores + r * head.padded_keys, tops[r],
                                                visible(r), keys);
  for (std::int64_t r = 0; r < rows; ++r) inverse_sum[r] = 1.0F / sum(totals[r]);
}

/// Values weighed by `rows` rows of weights, times their inverse sums, as the head's part of
/// rows of `out`, which are `stride` apart.
template <typename T, typename Dot>
void gather(const Head<Dot>& head, std::int64_t rows, std::int64_t keys, const float* inverse_sum,
            T* out, std::int64_t stride) {
  for (std::int64_t d = 0; d < head.size; d += kPanel) {
    const std::int64_t columns = head.size - d < kPanel ? head.size - d : kPanel;
    multiply<Dot>(head.scores, head.padded_keys * 4, rows, value_place(head, 0, d),
                  keys / Head<Dot>::kGroup, columns,
                  [&](std::int64_t row, std::int64_t many, std::int64_t, std::int64_t wide,
                      const typename Dot::Sum* sums) {
                    for (std::int64_t r = row; r < row + many; ++r, sums += kTileVectors)
                      for (std::int64_t c = 0; c < wide; c += kWidth)
                        put_part(out + r * stride + d + c, sums[c / kWidth] * inverse_sum[r],
                                 wide - c);
                  });
  }
}

template <typename T, typename Dot>
void attend(const Attention& a) {
  const Head<Dot> head(a);
  spread_angles(a, head);
  for (std::int64_t h = 0; h < a.heads; ++h) {
    pack<T>(a, h, head);
    T* out = static_cast<T*>(a.out) + h * head.size;
    for (std::int64_t q = 0; q < a.length; q += kMostRows) {
      const std::int64_t rows = a.length - q < kMostRows ? a.length - q : kMostRows;
      const std::int64_t keys = round_up(a.causal ? q + rows : a.length, kWidth);
      score(head, q, rows, keys);
      float inverse_sum[kMostRows];
      soften(
          head, rows, keys, [&](std::int64_t r) { return a.causal ? q + r + 1 : a.length; },
          inverse_sum);
      gather(head, rows, keys, inverse_sum, out + q * a.hidden, a.hidden);
    }
  }
}

void attention_any(const Attention& a) {
  if (!a.bf16) return attend<float, DotF32>(a);
#if defined(ACESO_DOT_BF16)
  attend<Bf16, DotBf16>(a);
#else
  attend<Bf16, DotF32>(a);
#endif
}

}  // namespace
}  // namespace aceso::nn::kernels
