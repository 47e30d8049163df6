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
  Factor* queries;  ///< [length][groups * kGroup], turned and scaled
  Factor* keys;     ///< panels of keys, [groups][keys of the panel][kGroup]
  Factor* values;   ///< panels of dimensions, [padded_keys / kGroup][dimensions][kGroup]
  float* scores;    ///< [kMostRows][padded_keys]
  Factor* weights;  ///< the same as numbers to multiply values with
  float* turned;    ///< one vector of a head and room behind it

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
    weights = reinterpret_cast<Factor*>(take(kMostRows * padded_keys / kGroup));
    turned = take(2 * padded_size + 2 * kWidth);
  }
};

/// kWidth numbers at p, of which those from `end` on do not exist and come out as 0.
template <typename T>
inline Vec load_before(const T* p, const T* end) {
  if (p + kWidth <= end) return load(p);
  T room[kWidth] = {};
  for (std::int64_t i = 0; p + i < end; ++i) room[i] = p[i];
  return load(room);
}

/// Turns the halves of a head's vector by the position's angles. Writes up to kWidth numbers more
/// than `size`; the first of these is 0.
template <typename T>
inline void turn(const Attention& a, std::int64_t position, const T* x, std::int64_t size,
                 float scale, float* to) {
  const T* end = static_cast<const T*>(a.qkv) + a.length * 3 * a.hidden;
  if (a.cosine == nullptr) {
    for (std::int64_t d = 0; d < size; d += kWidth) store(to + d, load_before(x + d, end) * scale);
  } else {
    const std::int64_t half = size / 2;
    const float *c = a.cosine + position * half, *c_end = a.cosine + a.length * half;
    const float *s = a.sine + position * half, *s_end = a.sine + a.length * half;
    for (std::int64_t d = 0; d < half; d += kWidth)
      store(to + d, (load_before(x + d, end) * load_before(c + d, c_end) -
                     load_before(x + half + d, end) * load_before(s + d, s_end)) *
                        scale);
    for (std::int64_t d = 0; d < half; d += kWidth)
      store(to + half + d, (load_before(x + half + d, end) * load_before(c + d, c_end) +
                            load_before(x + d, end) * load_before(s + d, s_end)) *
                               scale);
  }
  to[size] = 0;
}

inline void put_row(float* to, const float* x, std::int64_t count) {
  for (std::int64_t d = 0; d < count; ++d) to[d] = x[d];
}
/// May write up to kWidth numbers more.
inline void put_row(Bf16* to, const float* x, std::int64_t count) {
  for (std::int64_t d = 0; d < count; d += kWidth) store(to + d, load(x + d));
}

template <typename Dot>
void put_key(const Head<Dot>& head, std::int64_t t, typename Dot::Factor* turned) {
  const std::int64_t first = t / kPanel * kPanel;
  const std::int64_t left = head.padded_keys - first;
  const std::int64_t wide = left < kPanel ? left : kPanel;
  auto* to = reinterpret_cast<std::byte*>(head.keys) + (first * head.groups + t - first) * 4;
  const auto* from = reinterpret_cast<const std::byte*>(turned);
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

template <typename T, typename Dot>
void pack_values(const Attention& a, const T* v, const Head<Dot>& head) {
  constexpr std::int64_t kGroup = Head<Dot>::kGroup;
  const T* end = static_cast<const T*>(a.qkv) + a.length * 3 * a.hidden;
  for (std::int64_t t = 0; t < head.padded_keys; t += kGroup) {
    for (std::int64_t d = 0; d < head.padded_size; d += kWidth) {
      Vec rows[kGroup] = {};
      for (std::int64_t i = 0; i < kGroup && t + i < a.length; ++i)
        rows[i] = load_before(v + (t + i) * 3 * a.hidden + d, end);
      put_values(value_place(head, t / kGroup, d), rows);
    }
  }
}

template <typename T, typename Dot>
void pack(const Attention& a, std::int64_t h, const Head<Dot>& head) {
  using Factor = typename Dot::Factor;
  const std::int64_t size = head.size, stride = head.groups * Head<Dot>::kGroup;
  // Scores are kept in units of log 2, so that the softmax is made of powers of 2.
  const float scale = 1.44269504F / __builtin_sqrtf(static_cast<float>(size));
  const T* q = static_cast<const T*>(a.qkv) + h * size;
  Factor* key = reinterpret_cast<Factor*>(head.turned + head.padded_size + kWidth);
  for (std::int64_t t = 0; t < head.padded_keys; ++t) {
    if (t < a.length) {
      const T* at = q + t * 3 * a.hidden;
      turn(a, t, at, size, scale, head.turned);
      put_row(head.queries + t * stride, head.turned, stride);
      turn(a, t, at + a.hidden, size, 1.0F, head.turned);
    } else {
      for (std::int64_t d = 0; d <= size; ++d) head.turned[d] = 0;
    }
    put_row(key, head.turned, stride);
    put_key(head, t, key);
  }
  pack_values(a, q + 2 * a.hidden, head);
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

inline Vec largest_of(const float* x, std::int64_t count) {
  Vec most[2] = {load(x), load(x)};  // two, so that one need not wait for the other
  std::int64_t i = kWidth;
  for (; i + 2 * kWidth <= count; i += 2 * kWidth) {
    most[0] = larger(most[0], load(x + i));
    most[1] = larger(most[1], load(x + i + kWidth));
  }
  if (i < count) most[0] = larger(most[0], load(x + i));
  return splat(largest(larger(most[0], most[1])));
}

/// Turns a row of scores into powers of 2 and returns the inverse of their sum. Keys from
/// `visible` on get 2^-126, which changes no sum: the largest weight is 1.
template <typename Factor>
float soften(float* scores, std::int64_t visible, std::int64_t keys, Factor* weights) {
  constexpr bool kRough = sizeof(Factor) == sizeof(Bf16);
  for (std::int64_t k = visible; k < keys; ++k) scores[k] = -1e30F;
  const Vec top = largest_of(scores, keys);
  Vec total{};
  for (std::int64_t k = 0; k < keys; k += kWidth) {
    const Vec e = exp2_not_positive<kRough>(load(scores + k) - top);
    total += e;
    store(weights + k, e);
  }
  return 1.0F / sum(total);
}

/// Values weighed by `rows` rows of head.weights, times their inverse sums, as the head's part of
/// rows of `out`, which are `stride` apart.
template <typename T, typename Dot>
void gather(const Head<Dot>& head, std::int64_t rows, std::int64_t keys, const float* inverse_sum,
            T* out, std::int64_t stride) {
  for (std::int64_t d = 0; d < head.size; d += kPanel) {
    const std::int64_t columns = head.size - d < kPanel ? head.size - d : kPanel;
    multiply<Dot>(head.weights, head.padded_keys * sizeof(typename Dot::Factor), rows,
                  value_place(head, 0, d), keys / Head<Dot>::kGroup, columns,
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
  for (std::int64_t h = 0; h < a.heads; ++h) {
    pack<T>(a, h, head);
    T* out = static_cast<T*>(a.out) + h * head.size;
    for (std::int64_t q = 0; q < a.length; q += kMostRows) {
      const std::int64_t rows = a.length - q < kMostRows ? a.length - q : kMostRows;
      const std::int64_t keys = round_up(a.causal ? q + rows : a.length, kWidth);
      score(head, q, rows, keys);
      float inverse_sum[kMostRows];
      for (std::int64_t r = 0; r < rows; ++r)
        inverse_sum[r] = soften(head.scores + r * head.padded_keys, a.causal ? q + r + 1 : a.length,
                                keys, head.weights + r * head.padded_keys);
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
