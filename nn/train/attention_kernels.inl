// The kernels, written once over vectors of kWidth floats (a GCC and clang extension). Included by one
// source for each instruction set, which defines kWidth and includes no library that has templates
// or inline functions, so that no code compiled for one set can be taken for another's.

namespace aceso::train {
namespace {

typedef float Vec __attribute__((vector_size(kWidth * 4)));
typedef std::int32_t Int __attribute__((vector_size(kWidth * 4)));

inline Vec splat(float value) { return Vec{} + value; }
inline Vec load(const float* p) {
  Vec v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, Vec v) { __builtin_memcpy(p, &v, sizeof v); }
inline Vec larger(Vec a, Vec b) { return a > b ? a : b; }
inline std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

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

/// e^x for x <= 0, relative error below 3e-7 above -87 (Cephes' expf, Moshier 1989: 2^n times a
/// polynomial on [-ln 2 / 2, ln 2 / 2]).
inline Vec exponential(Vec x) {
  x = larger(x, splat(-87.0F));
  const Vec shift = splat(12582912.0F);  // 1.5 * 2^23: adding it rounds to a whole number
  const Vec biased = x * 1.44269504F + shift;
  const Vec n = biased - shift;
  const Vec r = x - n * 0.693359375F + n * 2.12194440e-4F;
  Vec p = splat(1.9875691500e-4F);
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  return (Vec)((Int)p + ((Int)biased << 23));
}

/// Rows of a matrix from `first` on; behind the end the last one again, whose results nobody uses.
struct Block {
  const float* rows[kQueries];
  std::int64_t count;

  Block(const float* matrix, std::int64_t width, std::int64_t first, std::int64_t length)
      : count(smaller(kQueries, length - first)) {
    for (std::int64_t i = 0; i < kQueries; ++i)
      rows[i] = matrix + smaller(first + i, length - 1) * width;
  }
};

/// How many keys the queries of a block may see at most, in whole vectors.
inline std::int64_t seen(const HeadView& head, std::int64_t first, std::int64_t count) {
  if (!head.causal) return head.columns;
  return (smaller(first + count, head.length) + 15) / 16 * 16;
}

/// Products of the block's rows with the first `keys` columns, to [kQueries, stride].
inline void products(const Block& block, const float* columns, std::int64_t width,
                     std::int64_t stride, std::int64_t keys, float* to) {
  for (std::int64_t j = 0; j < keys; j += kWidth) {
    Vec sums[kQueries] = {};
    for (std::int64_t c = 0; c < width; ++c) {
      const Vec column = load(columns + c * stride + j);
      for (std::int64_t i = 0; i < kQueries; ++i) sums[i] += column * block.rows[i][c];
    }
    for (std::int64_t i = 0; i < kQueries; ++i) store(to + i * stride + j, sums[i]);
  }
}

/// shares [kQueries, stride] times rows [keys, width].
inline void mix(const float* shares, std::int64_t stride, const float* rows, std::int64_t width,
                std::int64_t keys, float* const* to) {
  for (std::int64_t c = 0; c < width; c += kWidth) {
    Vec sums[kQueries] = {};
    for (std::int64_t j = 0; j < keys; ++j) {
      const Vec row = load(rows + j * width + c);
      for (std::int64_t i = 0; i < kQueries; ++i) sums[i] += row * shares[i * stride + j];
    }
    for (std::int64_t i = 0; i < kQueries; ++i) store(to[i] + c, sums[i]);
  }
}

/// to [keys, width] += shares^T [keys, kQueries] times the block's rows.
inline void scatter(const float* shares, std::int64_t stride, const Block& block,
                    std::int64_t width, std::int64_t keys, float* to) {
  for (std::int64_t c = 0; c < width; c += kWidth) {
    Vec rows[kQueries];
    for (std::int64_t i = 0; i < kQueries; ++i) rows[i] = load(block.rows[i] + c);
    for (std::int64_t j = 0; j < keys; ++j) {
      Vec one = load(to + j * width + c), two{};
      for (std::int64_t i = 0; i < kQueries; i += 2) {
        one += rows[i] * shares[i * stride + j];
        two += rows[i + 1] * shares[(i + 1) * stride + j];
      }
      store(to + j * width + c, one + two);
    }
  }
}

/// Turns a row of scores into probabilities and returns the logarithm of the sum of exponentials.
/// Keys from `visible` on get 0.
float soften(float* row, std::int64_t visible, std::int64_t keys) {
  for (std::int64_t j = visible; j < keys; ++j) row[j] = -1e30F;
  Vec most = load(row);
  for (std::int64_t j = kWidth; j < keys; j += kWidth) most = larger(most, load(row + j));
  const float top = largest(most);
  Vec total{};
  for (std::int64_t j = 0; j < keys; j += kWidth) {
    const Vec e = exponential(load(row + j) - top);
    total += e;
    store(row + j, e);
  }
  const float all = sum(total);
  const Vec inverse = splat(1.0F / all);
  for (std::int64_t j = 0; j < keys; j += kWidth) store(row + j, load(row + j) * inverse);
  // What e^-87 left of the hidden ones.
  for (std::int64_t j = visible; j < keys; ++j) row[j] = 0;
  return top + __builtin_logf(all);
}

void attend(const HeadView& head, float* out, float* log_sums, float* scores) {
  float unused[kQueries * kWidestHead];
  for (std::int64_t first = 0; first < head.length; first += kQueries) {
    const Block q(head.q, head.width, first, head.length);
    const std::int64_t keys = seen(head, first, q.count);
    products(q, head.k_columns, head.width, head.columns, keys, scores);
    float* to[kQueries];
    for (std::int64_t i = 0; i < kQueries; ++i) {
      to[i] = i < q.count ? out + (first + i) * head.width : unused + i * kWidestHead;
      if (i >= q.count) continue;
      log_sums[first + i] = soften(scores + i * head.columns,
                                   head.causal ? first + i + 1 : head.length, keys);
    }
    mix(scores, head.columns, head.v, head.width, smaller(keys, head.length), to);
  }
}

/// In place: scores become probabilities, and gradients by probabilities those by scores.
void slopes(float* scores, float* gradients, float log_sum, float along, std::int64_t visible,
            std::int64_t keys) {
  for (std::int64_t j = visible; j < keys; ++j) scores[j] = -1e30F;
  for (std::int64_t j = 0; j < keys; j += kWidth) {
    const Vec p = exponential(load(scores + j) - log_sum);
    store(scores + j, p);
    store(gradients + j, p * (load(gradients + j) - along));
  }
  for (std::int64_t j = visible; j < keys; ++j) scores[j] = gradients[j] = 0;
}

void backward(const HeadView& head, const float* out, const float* log_sums,
              const float* gradient, float* dq, float* dk, float* dv, float* workspace) {
  float unused[kQueries * kWidestHead];
  float* p = workspace;
  float* ds = workspace + kQueries * head.columns;
  for (std::int64_t first = 0; first < head.length; first += kQueries) {
    const Block q(head.q, head.width, first, head.length);
    const Block g(gradient, head.width, first, head.length);
    const std::int64_t keys = seen(head, first, q.count), there = smaller(keys, head.length);
    products(q, head.k_columns, head.width, head.columns, keys, p);
    products(g, head.v_columns, head.width, head.columns, keys, ds);
    float* to[kQueries];
    for (std::int64_t i = 0; i < kQueries; ++i) {
      to[i] = i < q.count ? dq + (first + i) * head.width : unused + i * kWidestHead;
      // Rows behind the end must not count for keys and values.
      if (i >= q.count) {
        slopes(p + i * head.columns, ds + i * head.columns, 0, 0, 0, keys);
        continue;
      }
      Vec along{};
      for (std::int64_t c = 0; c < head.width; c += kWidth)
        along += load(g.rows[i] + c) * load(out + (first + i) * head.width + c);
      slopes(p + i * head.columns, ds + i * head.columns, log_sums[first + i], sum(along),
             head.causal ? first + i + 1 : head.length, keys);
    }
    mix(ds, head.columns, head.k, head.width, there, to);
    scatter(ds, head.columns, q, head.width, there, dk);
    scatter(p, head.columns, g, head.width, there, dv);
  }
}

}  // namespace
}  // namespace aceso::train
