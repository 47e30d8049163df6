// The kernels of decode.hpp, included behind vectors.inl and elementwise.inl.

namespace aceso::nn::kernels {
namespace {

/// 1 / (1 + e^-x).
inline Vec sigmoid(Vec x) {
  const Vec e = exp2_of(magnitude(x) * -1.44269504F);
  return choose(x < Vec{}, e, splat(1.0F)) / (1.0F + e);
}

inline Vec hyperbolic_tangent(Vec x) { return 2.0F * sigmoid(x * 2.0F) - 1.0F; }

/// The first `count` floats of a vector; the others are 0.
inline Vec load_some(const float* p, std::int64_t count) {
  Vec v{};
  __builtin_memcpy(&v, p, static_cast<std::size_t>(count) * sizeof(float));
  return v;
}

void lstm_cell_of(const float* gates, float* cell, float* state, std::int64_t width) {
  for (std::int64_t d = 0; d < width; d += kWidth) {
    const std::int64_t count = width - d < kWidth ? width - d : kWidth;
    const auto gate = [&](std::int64_t g) { return load_some(gates + g * width + d, count); };
    const Vec kept = sigmoid(gate(1)) * load_some(cell + d, count);
    const Vec memory = kept + sigmoid(gate(0)) * hyperbolic_tangent(gate(2));
    const Vec shown = sigmoid(gate(3)) * hyperbolic_tangent(memory);
    const auto bytes = static_cast<std::size_t>(count) * sizeof(float);
    __builtin_memcpy(cell + d, &memory, bytes);
    __builtin_memcpy(state + d, &shown, bytes);
  }
}

/// Scores of one head's query with all keys, in units of log 2.
void score_cached(const CachedAttention& a, const float* query, const float* keys,
                  std::int64_t padded) {
  const float scale = 1.44269504F / __builtin_sqrtf(static_cast<float>(a.head_size));
  for (std::int64_t k = 0; k < padded; k += kWidth) {
    Vec one{}, two{};
    std::int64_t d = 0;
    for (; d + 1 < a.head_size; d += 2) {
      one += load(keys + d * a.capacity + k) * query[d];
      two += load(keys + (d + 1) * a.capacity + k) * query[d + 1];
    }
    if (d < a.head_size) one += load(keys + d * a.capacity + k) * query[d];
    store(a.workspace + k, (one + two) * scale);
  }
}

/// Replaces scores by powers of 2 and returns the inverse of their sum. Keys from `visible` on get
/// 2^-126, which changes no sum: the largest is 1.
float soften_cached(float* scores, std::int64_t visible, std::int64_t keys) {
  for (std::int64_t k = visible; k < keys; ++k) scores[k] = -1e30F;
  Vec most = load(scores);
  for (std::int64_t k = kWidth; k < keys; k += kWidth) most = larger(most, load(scores + k));
  const Vec top = splat(largest(most));
  Vec total{};
  for (std::int64_t k = 0; k < keys; k += kWidth) {
    const Vec e = exp2_of(load(scores + k) - top);
    total += e;
    store(scores + k, e);
  }
  return 1.0F / sum(total);
}

void attend_cached(const CachedAttention& a) {
  const std::int64_t padded = round_up(a.length, kWidth);
  const std::int64_t row = cache_size(a.head_size);
  for (std::int64_t h = 0; h < a.heads; ++h) {
    score_cached(a, a.query + h * a.head_size, a.keys + h * a.head_size * a.capacity, padded);
    const float inverse = soften_cached(a.workspace, a.length, padded);
    const float* values = a.values + h * a.capacity * row;
    float* sums = a.workspace + a.capacity;
    for (std::int64_t d = 0; d < row; d += kWidth) {
      Vec total{};
      for (std::int64_t k = 0; k < a.length; ++k)
        total += load(values + k * row + d) * a.workspace[k];
      store(sums + d, total * inverse);
    }
    __builtin_memcpy(a.out + h * a.head_size, sums,
                     static_cast<std::size_t>(a.head_size) * sizeof(float));
  }
}

}  // namespace
}  // namespace aceso::nn::kernels
