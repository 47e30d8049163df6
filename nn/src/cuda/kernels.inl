// The kernels of arguments.hpp, in terms of the few operations that the including file defines:
// kernels.cu for a GPU, the tests for their emulation on the CPU.
//
// Sums run in one order that depends on the tile's shape and the row's own sequence alone, so that
// a row's result does not depend on what it was packed with, to the last bit.

namespace aceso::nn::cuda {

inline constexpr int kWarp = 32;

// ---- numbers ----

ACESO_DEVICE float widen(float x) { return x; }
ACESO_DEVICE void narrow(float* to, float x) { *to = x; }
ACESO_DEVICE void narrow(Bf16* to, float x) { *to = static_cast<Bf16>(narrow_pair(x, 0.0F)); }

ACESO_DEVICE float larger(float a, float b) { return a < b ? b : a; }
ACESO_DEVICE int smaller(int a, int b) { return a < b ? a : b; }

/// x Phi(x), Phi by Abramowitz and Stegun 7.1.26.
ACESO_DEVICE float gelu(float x) {
  const float z = x * 0.70710678F;
  const float t = 1.0F / multiply_add(z < 0 ? -z : z, 0.3275911F, 1.0F);
  float p = multiply_add(t, 1.061405429F, -1.453152027F);
  p = multiply_add(p, t, 1.421413741F);
  p = multiply_add(p, t, -0.284496736F);
  p = multiply_add(p, t, 0.254829592F) * t;
  const float tail = 0.5F * p * power_of_2(z * z * -1.44269504F);  // (1 - erf |z|) / 2
  return x * (x < 0 ? tail : 1.0F - tail);
}

// ---- embedding and norms ----

ACESO_BODY embed_row(const EmbedArguments a) {
  const int row = block_x();
  const float scale = a.scales[row];
  const float* from = a.table + static_cast<long long>(a.tokens[row]) * a.stride;
  const float* place =
      a.places == nullptr ? nullptr
                          : a.places + static_cast<long long>(a.positions[row]) * a.stride;
  float* to = a.x + static_cast<long long>(row) * a.stride;
  for (int d = thread_index(); d < a.width; d += 128) {
    const float value = from[d] * scale;
    to[d] = place == nullptr ? value : value + place[d];
  }
  ACESO_RETURN;
}

template <typename T>
ACESO_BODY norm_rows(const NormArguments a) {
  const int lane = thread_index() % kWarp;
  const int row = block_x() * kNormRows + thread_index() / kWarp;
  if (row >= a.rows) ACESO_RETURN;  // a whole warp
  const float* x = a.x + static_cast<long long>(row) * a.stride;
  T* y = static_cast<T*>(a.y) + static_cast<long long>(row) * a.stride;
  float sum = 0;
  for (int d = lane; d < a.width; d += kWarp) sum += x[d];
  ACESO_UNROLL
  for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    const float other = ACESO_TOGETHER(shuffle_xor(sum, mask));
    sum += other;
  }
  const float mean = sum / static_cast<float>(a.width);
  float squares = 0;
  for (int d = lane; d < a.width; d += kWarp)
    squares = multiply_add(x[d] - mean, x[d] - mean, squares);
  ACESO_UNROLL
  for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    const float other = ACESO_TOGETHER(shuffle_xor(squares, mask));
    squares += other;
  }
  const float scale = 1.0F / square_root(squares / static_cast<float>(a.width) + a.epsilon);
  for (int d = lane; d < a.width; d += kWarp)
    narrow(y + d, multiply_add((x[d] - mean) * scale, a.gain[d], a.bias[d]));
  ACESO_RETURN;
}

// ---- products ----

enum class Finish { Same, Gelu, Added };

/// What happens to a product's sum before it is stored.
template <Finish kFinish>
ACESO_DEVICE float finished(const ProductArguments& a, int column, float sum) {
  sum += a.bias[column];
  return kFinish == Finish::Gelu ? gelu(sum) : sum;
}

template <Finish kFinish>
ACESO_DEVICE void put(const ProductArguments& a, int row, int column, float sum) {
  if (row >= a.rows || column >= a.out) return;
  float* to = static_cast<float*>(a.y) + static_cast<long long>(row) * a.y_stride + column;
  const float value = finished<kFinish>(a, column, sum);
  *to = kFinish == Finish::Added ? *to + value : value;
}

/// Two neighbours of a bf16 product; `column` is even.
template <Finish kFinish>
ACESO_DEVICE void put_pair(const ProductArguments& a, int row, int column, float one, float two) {
  if constexpr (kFinish == Finish::Added) {
    put<kFinish>(a, row, column, one);
    put<kFinish>(a, row, column + 1, two);
  } else {
    if (row >= a.rows || column >= a.out) return;
    Bf16* to = static_cast<Bf16*>(a.y) + static_cast<long long>(row) * a.y_stride + column;
    const bool both = column + 1 < a.out;
    const unsigned pair = narrow_pair(finished<kFinish>(a, column, one),
                                      both ? finished<kFinish>(a, column + 1, two) : 0.0F);
    if (both)
      *reinterpret_cast<unsigned*>(to) = pair;
    else
      *to = static_cast<Bf16>(pair);
  }
}

// A tile of factors in shared memory: 64 bytes of each of 128 rows, 80 bytes apart, so that eight
// rows of the same column touch every bank once.
inline constexpr int kRowBytes = 80, kDepthBytes = 64;
inline constexpr int kTileBytes = kProductTile * kRowBytes;

/// Begins copying bytes [from_byte, from_byte + 64) of rows [first, first + 128) of a matrix. What
/// lies outside it becomes 0.
ACESO_DEVICE void fetch_tile(const char* matrix, int first, int rows, long long stride_bytes,
                             int from_byte, int row_bytes, char* tile) {
  for (int chunk = thread_index(); chunk < kProductTile * 4; chunk += 256) {
    const int row = chunk / 4, byte = from_byte + chunk % 4 * 16;
    const bool inside = first + row < rows && byte < row_bytes;
    const char* from = inside ? matrix + (first + row) * stride_bytes + byte : matrix;
    copy_later(tile + row * kRowBytes + chunk % 4 * 16, from,
               inside ? smaller(16, row_bytes - byte) : 0);
  }
}

/// Begins copying step number `step` of both factors.
template <typename T>
ACESO_DEVICE void fetch_step(const ProductArguments& a, int step, char* x_tile, char* w_tile) {
  constexpr int kBytes = sizeof(T);
  const int from = step * kDepthBytes, row_bytes = a.in * kBytes;
  fetch_tile(static_cast<const char*>(a.x), block_y() * kProductTile, a.rows,
             static_cast<long long>(a.x_stride) * kBytes, from, row_bytes, x_tile);
  fetch_tile(static_cast<const char*>(a.weight), block_x() * kProductTile, a.out,
             static_cast<long long>(a.weight_stride) * kBytes, from, row_bytes, w_tile);
}

/// Four numbers at once.
struct alignas(16) Four {
  float at[4];
};

/// 8 x 8 sums of a thread: rows and columns 16 apart.
ACESO_DEVICE void add_f32_step(const char* x_tile, const char* w_tile, float (&sums)[8][8]) {
  const int row = thread_index() / 16, column = thread_index() % 16;
  for (int byte = 0; byte < kDepthBytes; byte += 16) {
    Four w[8];
    ACESO_UNROLL
    for (int j = 0; j < 8; ++j)
      w[j] = *reinterpret_cast<const Four*>(w_tile + (column + 16 * j) * kRowBytes + byte);
    ACESO_UNROLL
    for (int i = 0; i < 8; ++i) {
      const Four x = *reinterpret_cast<const Four*>(x_tile + (row + 16 * i) * kRowBytes + byte);
      ACESO_UNROLL
      for (int k = 0; k < 4; ++k)
        ACESO_UNROLL
        for (int j = 0; j < 8; ++j) sums[i][j] = multiply_add(x.at[k], w[j].at[k], sums[i][j]);
    }
  }
}

template <Finish kFinish>
ACESO_BODY product_in_f32(const ProductArguments a) {
  ACESO_SHARED(char, x_tiles, 2 * kTileBytes);
  ACESO_SHARED(char, w_tiles, 2 * kTileBytes);
  const int steps = (a.in * 4 + kDepthBytes - 1) / kDepthBytes;
  float sums[8][8] = {};
  fetch_step<float>(a, 0, x_tiles, w_tiles);
  end_copy_group();
  for (int step = 0; step < steps; ++step) {
    const int now = step % 2 * kTileBytes, next = kTileBytes - now;
    if (step + 1 < steps) fetch_step<float>(a, step + 1, x_tiles + next, w_tiles + next);
    end_copy_group();
    copies_landed<1>();
    ACESO_TOGETHER(barrier());
    add_f32_step(x_tiles + now, w_tiles + now, sums);
    ACESO_TOGETHER(barrier());  // the next copies overwrite what was read
  }
  const int row = block_y() * kProductTile + thread_index() / 16;
  const int column = block_x() * kProductTile + thread_index() % 16;
  ACESO_UNROLL
  for (int i = 0; i < 8; ++i)
    ACESO_UNROLL
    for (int j = 0; j < 8; ++j) put<kFinish>(a, row + 16 * i, column + 16 * j, sums[i][j]);
  ACESO_RETURN;
}

/// A lane's place in the fragments of mma.m16n8k16: the row (of a and the sums; of b the column)
/// and the first of two neighbours along the other axis.
struct Lane {
  int group, pair;
};

ACESO_DEVICE Lane lane_of_thread() {
  const int lane = thread_index() % kWarp;
  return {lane / 4, lane % 4 * 2};
}

ACESO_DEVICE unsigned load_pair(const void* at) { return *static_cast<const unsigned*>(at); }

/// The fragment of 16 rows by 16 numbers of bf16 beginning at `tile`, rows `stride` numbers apart.
ACESO_DEVICE void load_rows_fragment(const Bf16* tile, int stride, unsigned (&a)[4]) {
  const Lane lane = lane_of_thread();
  const Bf16* at = tile + lane.group * stride + lane.pair;
  a[0] = load_pair(at);
  a[1] = load_pair(at + 8 * stride);
  a[2] = load_pair(at + 8);
  a[3] = load_pair(at + 8 * stride + 8);
}

/// The same of 8 columns by 16 numbers, each column's numbers lying side by side.
ACESO_DEVICE void load_columns_fragment(const Bf16* tile, int stride, unsigned (&b)[2]) {
  const Lane lane = lane_of_thread();
  const Bf16* at = tile + lane.group * stride + lane.pair;
  b[0] = load_pair(at);
  b[1] = load_pair(at + 8);
}

/// A block's 8 warps lie 2 down and 4 across; each has 64 rows and 32 columns.
template <Finish kFinish>
ACESO_BODY product_in_bf16(const ProductArguments a) {
  ACESO_SHARED(char, x_tiles, 2 * kTileBytes);
  ACESO_SHARED(char, w_tiles, 2 * kTileBytes);
  constexpr int kStride = kRowBytes / 2;
  const int warp = thread_index() / kWarp;
  const int warp_row = warp / 4 * 64, warp_column = warp % 4 * 32;
  const int steps = (a.in * 2 + kDepthBytes - 1) / kDepthBytes;
  float sums[4][4][4] = {};
  fetch_step<Bf16>(a, 0, x_tiles, w_tiles);
  end_copy_group();
  for (int step = 0; step < steps; ++step) {
    const int now = step % 2 * kTileBytes, next = kTileBytes - now;
    if (step + 1 < steps) fetch_step<Bf16>(a, step + 1, x_tiles + next, w_tiles + next);
    end_copy_group();
    copies_landed<1>();
    ACESO_TOGETHER(barrier());
    const Bf16* x = reinterpret_cast<const Bf16*>(x_tiles + now) + warp_row * kStride;
    const Bf16* w = reinterpret_cast<const Bf16*>(w_tiles + now) + warp_column * kStride;
    ACESO_UNROLL
    for (int k = 0; k < kDepthBytes / 2; k += 16) {
      unsigned rows[4][4], columns[4][2];
      ACESO_UNROLL
      for (int i = 0; i < 4; ++i) load_rows_fragment(x + 16 * i * kStride + k, kStride, rows[i]);
      ACESO_UNROLL
      for (int j = 0; j < 4; ++j)
        load_columns_fragment(w + 8 * j * kStride + k, kStride, columns[j]);
      ACESO_UNROLL
      for (int i = 0; i < 4; ++i) {
        ACESO_UNROLL
        for (int j = 0; j < 4; ++j)
          ACESO_TOGETHER(multiply_fragments(sums[i][j], rows[i], columns[j]));
      }
    }
    ACESO_TOGETHER(barrier());  // the next copies overwrite what was read
  }
  const Lane lane = lane_of_thread();
  const int row = block_y() * kProductTile + warp_row + lane.group;
  const int column = block_x() * kProductTile + warp_column + lane.pair;
  ACESO_UNROLL
  for (int i = 0; i < 4; ++i) {
    ACESO_UNROLL
    for (int j = 0; j < 4; ++j) {
      put_pair<kFinish>(a, row + 16 * i, column + 8 * j, sums[i][j][0], sums[i][j][1]);
      put_pair<kFinish>(a, row + 16 * i + 8, column + 8 * j, sums[i][j][2], sums[i][j][3]);
    }
  }
  ACESO_RETURN;
}

// ---- attention: softmax as the keys come, tile by tile (Dao et al. 2022) ----

enum Part { kQuery, kKey, kValue };

/// One number of a row of queries, keys or values; queries and keys turned by their position's
/// angles (Su et al. 2021). 0 outside the sequence and beyond the head's size.
template <typename T>
ACESO_DEVICE float number_at(const AttentionArguments& a, const AttentionTile& tile, Part part,
                             int position, int d) {
  if (position >= tile.length || d >= a.size) return 0.0F;
  const T* row = static_cast<const T*>(a.qkv) +
                 static_cast<long long>(tile.first + position) * a.qkv_stride + part * a.hidden +
                 block_y() * a.size;
  const float x = widen(row[d]);
  if (part == kValue || a.cosine == nullptr) return x;
  const int half = a.size / 2, angle = position * half + (d < half ? d : d - half);
  const float other = widen(row[d < half ? d + half : d - half]) * a.sine[angle];
  return multiply_add(x, a.cosine[angle], d < half ? -other : other);
}

/// How many keys a tile's queries look at.
ACESO_DEVICE int keys_of(const AttentionArguments& a, const AttentionTile& tile, int queries) {
  return a.causal != 0 ? smaller(tile.length, tile.first_query + queries) : tile.length;
}

/// A score as a power of 2; what a query may not see gets no weight.
ACESO_DEVICE float masked(const AttentionArguments& a, const AttentionTile& tile, int query,
                          int key, float score) {
  const bool seen = key < tile.length && (a.causal == 0 || key <= query);
  return seen ? score * a.scale : -infinity();
}

template <int kRows, int kSize>
ACESO_DEVICE void load_f32(const AttentionArguments& a, const AttentionTile& tile, Part part,
                           int first, float* to) {
  for (int i = thread_index(); i < kRows * kSize; i += 128)
    to[i / kSize * (kSize + 1) + i % kSize] =
        number_at<float>(a, tile, part, first + i / kSize, i % kSize);
}

/// 32 queries by 32 keys at a time. A thread has every eighth query and every sixteenth key or
/// column; the 16 threads of a query are neighbours in a warp.
template <int kSize>
ACESO_BODY attention_in_f32(const AttentionArguments a) {
  constexpr int kQueries = kQueriesF32, kKeys = 32, kStride = kSize + 1, kColumns = kSize / 16;
  ACESO_SHARED(float, queries, kQueries * kStride);
  ACESO_SHARED(float, keys, kKeys * kStride);  // values later
  ACESO_SHARED(float, weights, kQueries * (kKeys + 1));
  const AttentionTile tile = a.tiles[block_x()];
  const int row = thread_index() / 16, column = thread_index() % 16;
  load_f32<kQueries, kSize>(a, tile, kQuery, tile.first_query, queries);
  float sums[4][kColumns] = {}, total[4] = {}, most[4];
  ACESO_UNROLL
  for (int i = 0; i < 4; ++i) most[i] = -infinity();
  const int key_count = keys_of(a, tile, kQueries);
  for (int first = 0; first < key_count; first += kKeys) {
    ACESO_TOGETHER(barrier());  // the tile before has been used
    load_f32<kKeys, kSize>(a, tile, kKey, first, keys);
    ACESO_TOGETHER(barrier());
    float scores[4][2] = {};
    for (int d = 0; d < a.size; ++d) {
      const float one = keys[column * kStride + d], two = keys[(column + 16) * kStride + d];
      ACESO_UNROLL
      for (int i = 0; i < 4; ++i) {
        const float query = queries[(row + 8 * i) * kStride + d];
        scores[i][0] = multiply_add(query, one, scores[i][0]);
        scores[i][1] = multiply_add(query, two, scores[i][1]);
      }
    }
    ACESO_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int query = tile.first_query + row + 8 * i;
      const float one = masked(a, tile, query, first + column, scores[i][0]);
      const float two = masked(a, tile, query, first + column + 16, scores[i][1]);
      float best = larger(most[i], larger(one, two));
      ACESO_UNROLL
      for (int mask = 8; mask > 0; mask /= 2) {
        const float other = ACESO_TOGETHER(shuffle_xor(best, mask));
        best = larger(best, other);
      }
      const float shrink = power_of_2(most[i] - best);
      most[i] = best;
      total[i] *= shrink;
      ACESO_UNROLL
      for (int c = 0; c < kColumns; ++c) sums[i][c] *= shrink;
      const float weight_one = power_of_2(one - best), weight_two = power_of_2(two - best);
      total[i] += weight_one + weight_two;
      weights[(row + 8 * i) * (kKeys + 1) + column] = weight_one;
      weights[(row + 8 * i) * (kKeys + 1) + column + 16] = weight_two;
    }
    ACESO_TOGETHER(barrier());  // the keys have been used, the weights are there
    load_f32<kKeys, kSize>(a, tile, kValue, first, keys);
    ACESO_TOGETHER(barrier());
    for (int key = 0; key < kKeys; ++key) {
      ACESO_UNROLL
      for (int i = 0; i < 4; ++i) {
        const float weight = weights[(row + 8 * i) * (kKeys + 1) + key];
        ACESO_UNROLL
        for (int c = 0; c < kColumns; ++c)
          sums[i][c] = multiply_add(weight, keys[key * kStride + column + 16 * c], sums[i][c]);
      }
    }
  }
  ACESO_UNROLL
  for (int i = 0; i < 4; ++i) {
    ACESO_UNROLL
    for (int mask = 8; mask > 0; mask /= 2) {
      const float other = ACESO_TOGETHER(shuffle_xor(total[i], mask));
      total[i] += other;
    }
  }
  ACESO_UNROLL
  for (int i = 0; i < 4; ++i) {
    const int query = tile.first_query + row + 8 * i;
    if (query >= tile.length) continue;
    float* out = static_cast<float*>(a.out) +
                 static_cast<long long>(tile.first + query) * a.out_stride + block_y() * a.size;
    ACESO_UNROLL
    for (int c = 0; c < kColumns; ++c)
      if (column + 16 * c < a.size) out[column + 16 * c] = sums[i][c] / total[i];
  }
  ACESO_RETURN;
}

/// Rows of `kSize` numbers, `stride` apart; or, transposed, numbers of a row `stride` apart.
template <int kRows, int kSize, bool kTransposed>
ACESO_DEVICE void load_bf16(const AttentionArguments& a, const AttentionTile& tile, Part part,
                            int first, Bf16* to, int stride) {
  for (int i = thread_index(); i < kRows * kSize; i += 128) {
    const int row = i / kSize, d = i % kSize;
    narrow(to + (kTransposed ? d * stride + row : row * stride + d),
           number_at<Bf16>(a, tile, part, first + row, d));
  }
}

/// 64 queries by 32 keys at a time; each of four warps has 16 queries.
template <int kSize>
ACESO_BODY attention_in_bf16(const AttentionArguments a) {
  constexpr int kQueries = kQueriesBf16, kKeys = 32, kStride = kSize + 8, kValueStride = kKeys + 8;
  ACESO_SHARED(Bf16, queries, kQueries * kStride);
  ACESO_SHARED(Bf16, keys, kKeys * kStride);
  ACESO_SHARED(Bf16, values, kSize * kValueStride);  // transposed
  const AttentionTile tile = a.tiles[block_x()];
  const Lane lane = lane_of_thread();
  const int warp_row = thread_index() / kWarp * 16;
  load_bf16<kQueries, kSize, false>(a, tile, kQuery, tile.first_query, queries, kStride);
  ACESO_TOGETHER(barrier());
  unsigned query_fragments[kSize / 16][4];
  ACESO_UNROLL
  for (int k = 0; k < kSize / 16; ++k)
    load_rows_fragment(queries + warp_row * kStride + 16 * k, kStride, query_fragments[k]);

  float sums[kSize / 8][4] = {}, total[2] = {}, most[2] = {-infinity(), -infinity()};
  const int key_count = keys_of(a, tile, kQueries);
  for (int first = 0; first < key_count; first += kKeys) {
    ACESO_TOGETHER(barrier());  // the tile before has been used
    load_bf16<kKeys, kSize, false>(a, tile, kKey, first, keys, kStride);
    load_bf16<kKeys, kSize, true>(a, tile, kValue, first, values, kValueStride);
    ACESO_TOGETHER(barrier());
    float scores[kKeys / 8][4] = {};
    ACESO_UNROLL
    for (int j = 0; j < kKeys / 8; ++j) {
      ACESO_UNROLL
      for (int k = 0; k < kSize / 16; ++k) {
        if (16 * k >= a.size) continue;  // zeros only
        unsigned columns[2];
        load_columns_fragment(keys + 8 * j * kStride + 16 * k, kStride, columns);
        ACESO_TOGETHER(multiply_fragments(scores[j], query_fragments[k], columns));
      }
    }
    // Of a lane's four sums, the first two belong to one query, the others to that 8 below.
    ACESO_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int query = tile.first_query + warp_row + lane.group + 8 * half;
      float best = most[half];
      ACESO_UNROLL
      for (int j = 0; j < kKeys / 8; ++j) {
        ACESO_UNROLL
        for (int c = 0; c < 2; ++c) {
          float& score = scores[j][2 * half + c];
          score = masked(a, tile, query, first + 8 * j + lane.pair + c, score);
          best = larger(best, score);
        }
      }
      ACESO_UNROLL
      for (int mask = 2; mask > 0; mask /= 2) {
        const float other = ACESO_TOGETHER(shuffle_xor(best, mask));
        best = larger(best, other);
      }
      const float shrink = power_of_2(most[half] - best);
      most[half] = best;
      total[half] *= shrink;
      ACESO_UNROLL
      for (int j = 0; j < kSize / 8; ++j)
        ACESO_UNROLL
        for (int c = 0; c < 2; ++c) sums[j][2 * half + c] *= shrink;
      ACESO_UNROLL
      for (int j = 0; j < kKeys / 8; ++j) {
        ACESO_UNROLL
        for (int c = 0; c < 2; ++c) {
          float& weight = scores[j][2 * half + c];
          weight = power_of_2(weight - best);
          total[half] += weight;
        }
      }
    }
    // Sums of two neighbouring products are, rounded, the fragment of the next one's rows.
    ACESO_UNROLL
    for (int k = 0; k < kKeys / 16; ++k) {
      const float* left = scores[2 * k];
      const float* right = scores[2 * k + 1];
      const unsigned rows[4] = {narrow_pair(left[0], left[1]), narrow_pair(left[2], left[3]),
                                narrow_pair(right[0], right[1]), narrow_pair(right[2], right[3])};
      ACESO_UNROLL
      for (int j = 0; j < kSize / 8; ++j) {
        if (8 * j >= a.size) continue;  // zeros only
        unsigned columns[2];
        load_columns_fragment(values + 8 * j * kValueStride + 16 * k, kValueStride, columns);
        ACESO_TOGETHER(multiply_fragments(sums[j], rows, columns));
      }
    }
  }
  ACESO_UNROLL
  for (int half = 0; half < 2; ++half) {
    ACESO_UNROLL
    for (int mask = 2; mask > 0; mask /= 2) {
      const float other = ACESO_TOGETHER(shuffle_xor(total[half], mask));
      total[half] += other;
    }
  }
  ACESO_UNROLL
  for (int half = 0; half < 2; ++half) {
    const int query = tile.first_query + warp_row + lane.group + 8 * half;
    if (query >= tile.length) continue;
    Bf16* out = static_cast<Bf16*>(a.out) +
                static_cast<long long>(tile.first + query) * a.out_stride + block_y() * a.size;
    ACESO_UNROLL
    for (int j = 0; j < kSize / 8; ++j) {
      ACESO_UNROLL
      for (int c = 0; c < 2; ++c) {
        const int d = 8 * j + lane.pair + c;
        if (d < a.size) narrow(out + d, sums[j][2 * half + c] / total[half]);
      }
    }
  }
  ACESO_RETURN;
}

}  // namespace aceso::nn::cuda
