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

ACESO_DEVICE int smaller(int a, int b) { return a < b ? a : b; }

/// x Phi(x), Phi by Abramowitz and Stegun 7.1.26.
ACESO_DEVICE float gelu(float x) {
  const float z = x * 0.70710678F;
  const float t = reciprocal(multiply_add(z < 0 ? -z : z, 0.3275911F, 1.0F));
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
  const float* place = a.places == nullptr
                           ? nullptr
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
ACESO_DEVICE float finished(float sum) {
  return kFinish == Finish::Gelu ? gelu(sum) : sum;
}

ACESO_DEVICE float bias_of(const ProductArguments& a, int column) {
  return column < a.out ? a.bias[column] : 0.0F;
}

// A tile of factors in shared memory: 64 bytes of each of 128 rows, as Swizzled<32> lays bf16.
inline constexpr int kDepthBytes = 64;
inline constexpr int kTileBytes = kProductTile * kDepthBytes;

/// Where the 16 bytes number `chunk` of a row lie in shared memory, in bytes, for rows of
/// `kWidth` numbers of bf16: moved within the row so that the same 16 bytes of eight rows that
/// follow one another touch every bank once.
template <int kWidth>
ACESO_DEVICE int swizzled(int row, int chunk) {
  constexpr int kChunks = kWidth / 8;
  const int turn = kChunks == 4 ? row / 2 % 4 : row % 8;
  return (row * kChunks + (chunk ^ turn)) * 16;
}

/// Of a product's factors, so many steps' tiles are in shared memory: one in use, others coming.
inline constexpr int kStages = 3;

/// What a thread copies of each tile of a factor: the same 16 bytes of two rows 64 apart.
struct TileSource {
  const char* from[2];
  bool inside[2];
  int byte, row_bytes;
};

/// Of rows [first, first + 128) of a matrix of `rows`.
template <typename T>
ACESO_DEVICE TileSource tile_source(const void* matrix, int first, int rows, int width,
                                    int stride) {
  constexpr int kBytes = sizeof(T);
  TileSource source{{}, {}, thread_index() % 4 * 16, width * kBytes};
  ACESO_UNROLL
  for (int i = 0; i < 2; ++i) {
    const int row = first + thread_index() / 4 + 64 * i;
    source.inside[i] = row < rows;
    source.from[i] = static_cast<const char*>(matrix) +
                     (row < rows ? static_cast<long long>(row) * stride * kBytes : 0);
  }
  return source;
}

/// Begins copying the tile of a step. What lies outside the matrix becomes 0.
ACESO_DEVICE void fetch_tile(const TileSource& source, int step, char* tile) {
  const int at = step * kDepthBytes + source.byte;
  const int present = smaller(16, source.row_bytes - at);
  ACESO_UNROLL
  for (int i = 0; i < 2; ++i) {
    const bool some = source.inside[i] && present > 0;
    copy_later(tile + swizzled<32>(thread_index() / 4 + 64 * i, thread_index() % 4),
               some ? source.from[i] + at : source.from[i], some ? present : 0);
  }
}

/// Both factors of a block's product.
struct StepSource {
  TileSource x, weight;
  int steps;
};

template <typename T>
ACESO_DEVICE StepSource step_source(const ProductArguments& a) {
  const int row_bytes = a.in * static_cast<int>(sizeof(T));
  return {tile_source<T>(a.x, block_y() * kProductTile, a.rows, a.in, a.x_stride),
          tile_source<T>(a.weight, block_x() * kProductTile, a.out, a.in, a.weight_stride),
          (row_bytes + kDepthBytes - 1) / kDepthBytes};
}

/// Begins copying step number `step`, if there are so many.
ACESO_DEVICE void fetch_step(const StepSource& source, int step, char* x_tiles, char* w_tiles) {
  if (step < source.steps) {
    fetch_tile(source.x, step, x_tiles + step % kStages * kTileBytes);
    fetch_tile(source.weight, step, w_tiles + step % kStages * kTileBytes);
  }
  end_copy_group();
}

/// Four numbers at once.
struct alignas(16) Four {
  float at[4];
};

struct alignas(16) FourPairs {
  unsigned at[4];
};
struct alignas(8) TwoPairs {
  unsigned at[2];
};

ACESO_DEVICE Four four_at(const float* numbers) { return *reinterpret_cast<const Four*>(numbers); }

/// The first row and column of a thread's 8 x 8 sums, which are 16 apart. A warp has 4 rows by 8
/// columns of threads, so that few lanes read the same shared memory twice.
ACESO_DEVICE int f32_row() { return thread_index() / 64 * 4 + thread_index() % 32 / 8; }
ACESO_DEVICE int f32_column() { return thread_index() / 32 % 2 * 8 + thread_index() % 8; }

ACESO_DEVICE void add_f32_step(const char* x_tile, const char* w_tile, float (&sums)[8][8]) {
  const int row = f32_row(), column = f32_column();
  for (int chunk = 0; chunk < kDepthBytes / 16; ++chunk) {
    Four w[8];
    ACESO_UNROLL
    for (int j = 0; j < 8; ++j)
      w[j] = *reinterpret_cast<const Four*>(w_tile + swizzled<32>(column + 16 * j, chunk));
    ACESO_UNROLL
    for (int i = 0; i < 8; ++i) {
      const Four x = *reinterpret_cast<const Four*>(x_tile + swizzled<32>(row + 16 * i, chunk));
      ACESO_UNROLL
      for (int k = 0; k < 4; ++k) ACESO_UNROLL
      for (int j = 0; j < 8; ++j) sums[i][j] = multiply_add(x.at[k], w[j].at[k], sums[i][j]);
    }
  }
}

template <Finish kFinish>
ACESO_BODY product_in_f32(const ProductArguments a) {
  ACESO_SHARED(char, x_tiles, kStages* kTileBytes);
  ACESO_SHARED(char, w_tiles, kStages* kTileBytes);
  const StepSource source = step_source<float>(a);
  float sums[8][8] = {};
  for (int step = 0; step < kStages - 1; ++step) fetch_step(source, step, x_tiles, w_tiles);
  for (int step = 0; step < source.steps; ++step) {
    copies_landed<kStages - 2>();
    ACESO_TOGETHER(barrier());  // also: the step before has been used
    fetch_step(source, step + kStages - 1, x_tiles, w_tiles);
    const int now = step % kStages * kTileBytes;
    add_f32_step(x_tiles + now, w_tiles + now, sums);
  }
  copies_landed<0>();
  const int first_row = block_y() * kProductTile + f32_row();
  const int first_column = block_x() * kProductTile + f32_column();
  float bias[8];
  ACESO_UNROLL
  for (int j = 0; j < 8; ++j) bias[j] = bias_of(a, first_column + 16 * j);
  ACESO_UNROLL
  for (int i = 0; i < 8; ++i) {
    const int row = first_row + 16 * i;
    if (row >= a.rows) continue;
    float* to = static_cast<float*>(a.y) + static_cast<long long>(row) * a.y_stride + first_column;
    // All are read before one is written, so that they come together.
    float before[8] = {};
    if constexpr (kFinish == Finish::Added) {
      ACESO_UNROLL
      for (int j = 0; j < 8; ++j)
        if (first_column + 16 * j < a.out) before[j] = to[16 * j];
    }
    ACESO_UNROLL
    for (int j = 0; j < 8; ++j)
      if (first_column + 16 * j < a.out)
        to[16 * j] = before[j] + finished<kFinish>(sums[i][j] + bias[j]);
  }
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

/// What this lane gives load_fragments() for the fragment a of rows [row, row + 16) and the 16
/// numbers that begin with 16 bytes number `chunk`.
template <int kWidth>
ACESO_DEVICE const char* rows_fragment(const char* tile, int row, int chunk) {
  const int lane = thread_index() % kWarp;
  return tile + swizzled<kWidth>(row + lane % 16, chunk + lane / 16);
}

/// The same for two fragments b: columns [column, column + 8), and the eight after them. A column's
/// numbers lie side by side.
template <int kWidth>
ACESO_DEVICE const char* columns_fragments(const char* tile, int column, int chunk) {
  const int lane = thread_index() % kWarp;
  return tile + swizzled<kWidth>(column + lane / 16 * 8 + lane % 8, chunk + lane / 8 % 2);
}

/// Two neighbours.
struct alignas(8) Two {
  float at[2];
};

/// Adds to f32 rows: two neighbours of each of four groups of eight columns. All are read before
/// one is written, so that they come together.
ACESO_DEVICE void add_to_row(const ProductArguments& a, int row, int first_column,
                             const float (&values)[4][2]) {
  if (row >= a.rows) return;
  float* to = static_cast<float*>(a.y) + static_cast<long long>(row) * a.y_stride + first_column;
  Two before[4];
  ACESO_UNROLL
  for (int j = 0; j < 4; ++j)
    if (first_column + 8 * j < a.out) before[j] = *reinterpret_cast<const Two*>(to + 8 * j);
  ACESO_UNROLL
  for (int j = 0; j < 4; ++j) {
    const int column = first_column + 8 * j;
    if (column + 1 < a.out)
      *reinterpret_cast<Two*>(to + 8 * j) = {
          {before[j].at[0] + values[j][0], before[j].at[1] + values[j][1]}};
    else if (column < a.out)
      to[8 * j] = before[j].at[0] + values[j][0];
  }
}

/// Eight neighbours of a bf16 row, in pairs; `column` is a multiple of eight.
ACESO_DEVICE void put_eight(const ProductArguments& a, int row, int column,
                            const unsigned (&pairs)[4]) {
  if (row >= a.rows) return;
  Bf16* to = static_cast<Bf16*>(a.y) + static_cast<long long>(row) * a.y_stride + column;
  if (column + 8 <= a.out) {
    *reinterpret_cast<FourPairs*>(to) = {{pairs[0], pairs[1], pairs[2], pairs[3]}};
    return;
  }
  ACESO_UNROLL
  for (int c = 0; c < 8; ++c)
    if (column + c < a.out) to[c] = static_cast<Bf16>(pairs[c / 2] >> c % 2 * 16);
}

/// A block's 8 warps lie 2 down and 4 across; each has 64 rows and 32 columns.
template <Finish kFinish>
ACESO_BODY product_in_bf16(const ProductArguments a) {
  ACESO_SHARED(char, x_tiles, kStages* kTileBytes);
  ACESO_SHARED(char, w_tiles, kStages* kTileBytes);
  const int warp = thread_index() / kWarp;
  const int warp_row = warp / 4 * 64, warp_column = warp % 4 * 32;
  const StepSource source = step_source<Bf16>(a);
  float sums[4][4][4] = {};
  for (int step = 0; step < kStages - 1; ++step) fetch_step(source, step, x_tiles, w_tiles);
  for (int step = 0; step < source.steps; ++step) {
    copies_landed<kStages - 2>();
    ACESO_TOGETHER(barrier());  // also: the step before has been used
    fetch_step(source, step + kStages - 1, x_tiles, w_tiles);
    const int now = step % kStages * kTileBytes;
    ACESO_UNROLL
    for (int chunk = 0; chunk < kDepthBytes / 16; chunk += 2) {
      unsigned rows[4][4], columns[2][4];
      ACESO_UNROLL
      for (int i = 0; i < 4; ++i)
        ACESO_TOGETHER(
            load_fragments(rows[i], rows_fragment<32>(x_tiles + now, warp_row + 16 * i, chunk)));
      ACESO_UNROLL
      for (int j = 0; j < 2; ++j)
        ACESO_TOGETHER(load_fragments(
            columns[j], columns_fragments<32>(w_tiles + now, warp_column + 16 * j, chunk)));
      ACESO_UNROLL
      for (int i = 0; i < 4; ++i) {
        ACESO_UNROLL
        for (int j = 0; j < 4; ++j)
          ACESO_TOGETHER(multiply_fragments(sums[i][j], rows[i], columns[j / 2] + j % 2 * 2));
      }
    }
  }
  copies_landed<0>();
  const Lane lane = lane_of_thread();
  const int first_row = block_y() * kProductTile + warp_row + lane.group;
  const int first_column = block_x() * kProductTile + warp_column;
  float bias[4][2];
  ACESO_UNROLL
  for (int j = 0; j < 4; ++j) {
    bias[j][0] = bias_of(a, first_column + 8 * j + lane.pair);
    bias[j][1] = bias_of(a, first_column + 8 * j + lane.pair + 1);
  }
  ACESO_UNROLL
  for (int i = 0; i < 8; ++i) {
    const int row = first_row + 8 * i;
    float values[4][2];
    ACESO_UNROLL
    for (int j = 0; j < 4; ++j) {
      ACESO_UNROLL
      for (int c = 0; c < 2; ++c)
        values[j][c] = finished<kFinish>(sums[i / 2][j][i % 2 * 2 + c] + bias[j][c]);
    }
    if constexpr (kFinish == Finish::Added) {
      add_to_row(a, row, first_column + lane.pair, values);
    } else {
      unsigned pairs[4];
      ACESO_UNROLL
      for (int j = 0; j < 4; ++j) pairs[j] = narrow_pair(values[j][0], values[j][1]);
      // Lane q of four has pair q of each group of eight columns; now it gets group q.
      ACESO_UNROLL
      for (int mask = 1; mask < 4; mask *= 2) {
        ACESO_UNROLL
        for (int low = 0; low < 4; ++low) {
          if ((low & mask) != 0) continue;
          // A choice between numbers; one between places would keep them out of registers.
          const bool upper = (lane.pair / 2 & mask) != 0;
          const unsigned one = pairs[low], two = pairs[low | mask];
          const float other =
              ACESO_TOGETHER(shuffle_xor(__builtin_bit_cast(float, upper ? one : two), mask));
          pairs[low] = upper ? __builtin_bit_cast(unsigned, other) : one;
          pairs[low | mask] = upper ? two : __builtin_bit_cast(unsigned, other);
        }
      }
      put_eight(a, row, first_column + lane.pair * 4, pairs);
    }
  }
  ACESO_RETURN;
}

// ---- attention: softmax as the keys come, tile by tile (Dao et al. 2022) ----

/// Number d of a head's row, whose halves are turned by the angles of its position.
template <typename T>
ACESO_DEVICE float turned_number(const T* row, int d, int half, const float* cosine,
                                 const float* sine) {
  const bool lower = d < half;
  const int along = lower ? half : -half, angle = lower ? d : d - half;
  const float other = widen(row[d + along]) * sine[angle];
  return multiply_add(widen(row[d]), cosine[angle], lower ? -other : other);
}

/// One number of a head's row of queries, keys or values; see SplitArguments.
template <typename T>
ACESO_DEVICE float number_of_head(const SplitArguments& a, bool turned, const T* row,
                                  long long position, int d) {
  if (d >= a.size) return 0.0F;
  if (!turned) return widen(row[d]);
  const int half = a.size / 2;
  return turned_number(row, d, half, a.cosine + position * half, a.sine + position * half);
}

/// Four neighbours of a row, as f32.
ACESO_DEVICE Four wide_four(const float* from) { return four_at(from); }
ACESO_DEVICE Four wide_four(const Bf16* from) {
  const TwoPairs pairs = *reinterpret_cast<const TwoPairs*>(from);
  return {{widen(static_cast<Bf16>(pairs.at[0])), widen(static_cast<Bf16>(pairs.at[0] >> 16)),
           widen(static_cast<Bf16>(pairs.at[1])), widen(static_cast<Bf16>(pairs.at[1] >> 16))}};
}
ACESO_DEVICE void put_four(float* to, const Four& numbers) {
  *reinterpret_cast<Four*>(to) = numbers;
}
ACESO_DEVICE void put_four(Bf16* to, const Four& numbers) {
  *reinterpret_cast<TwoPairs*>(to) = {
      {narrow_pair(numbers.at[0], numbers.at[1]), narrow_pair(numbers.at[2], numbers.at[3])}};
}

/// Four numbers from each half of a head's row, of a size that is a multiple of eight; the first at
/// `d`.
template <typename T>
ACESO_DEVICE void split_fours(const SplitArguments& a, bool turned, const T* from, T* to,
                              long long position, int d) {
  const int half = a.size / 2;
  Four lower = wide_four(from + d), upper = wide_four(from + half + d);
  if (turned) {
    const Four cosine = four_at(a.cosine + position * half + d);
    const Four sine = four_at(a.sine + position * half + d);
    ACESO_UNROLL
    for (int k = 0; k < 4; ++k) {
      const float one = lower.at[k], two = upper.at[k];
      lower.at[k] = multiply_add(one, cosine.at[k], -(two * sine.at[k]));
      upper.at[k] = multiply_add(two, cosine.at[k], one * sine.at[k]);
    }
  }
  put_four(to + d, lower);
  put_four(to + half + d, upper);
}

/// Eight neighbours of a row of any size.
template <typename T>
ACESO_DEVICE void split_eight(const SplitArguments& a, bool turned, const T* from, T* to,
                              long long position, int first) {
  Four fours[2];
  ACESO_UNROLL
  for (int k = 0; k < 8; ++k)
    fours[k / 4].at[k % 4] = number_of_head(a, turned, from, position, first + k);
  put_four(to + first, fours[0]);
  put_four(to + first + 4, fours[1]);
}

/// A thread has eight numbers of a head's row at a time.
template <typename T>
ACESO_BODY split_heads(const SplitArguments a) {
  const int heads = a.hidden / a.size, part = block_y() / heads, head = block_y() % heads;
  const int eights = a.head_stride / 8, first = block_x() * kSplitRows;
  const bool turned = part != 2 && a.cosine != nullptr;
  const T* from = static_cast<const T*>(a.qkv) + part * a.hidden + head * a.size;
  T* to = static_cast<T*>(a.heads) + static_cast<long long>(block_y()) * a.rows * a.head_stride;
  const int count = smaller(kSplitRows, a.rows - first) * eights;
  for (int i = thread_index(); i < count; i += 128) {
    const int row = first + i / eights, eight = i % eights;
    const T* numbers = from + static_cast<long long>(row) * a.qkv_stride;
    T* place = to + static_cast<long long>(row) * a.head_stride;
    const long long position = turned ? a.positions[row] : 0;
    if (a.size == a.head_stride)
      split_fours(a, turned, numbers, place, position, eight * 4);
    else
      split_eight(a, turned, numbers, place, position, eight * 8);
  }
  ACESO_RETURN;
}

/// Queries, keys and values of one sequence and head.
template <typename T>
struct Head {
  const T* parts[3];
};

template <typename T>
ACESO_DEVICE Head<T> head_of(const AttentionArguments& a, const AttentionTile& tile) {
  const long long part = static_cast<long long>(a.rows) * a.head_stride;
  const T* queries = static_cast<const T*>(a.heads) + block_y() * part +
                     static_cast<long long>(tile.first) * a.head_stride;
  return {{queries, queries + a.head_count * part, queries + 2 * a.head_count * part}};
}

/// How many keys a tile's queries look at.
ACESO_DEVICE int keys_of(const AttentionArguments& a, const AttentionTile& tile, int queries) {
  return a.causal != 0 ? smaller(tile.length, tile.first_query + queries) : tile.length;
}

/// Whether a query may look at a key.
ACESO_DEVICE bool sees(const AttentionArguments& a, const AttentionTile& tile, int query, int key) {
  return key < tile.length && (a.causal == 0 || key <= query);
}

/// Begins copying rows [first, first + kRows) of a head, f32, to rows kSize + 4 numbers apart. What
/// lies outside the sequence or the head becomes 0.
template <int kRows, int kSize>
ACESO_DEVICE void fetch_f32(const AttentionArguments& a, const AttentionTile& tile,
                            const float* rows, int first, float* to) {
  constexpr int kChunks = kSize / 4;
  for (int i = thread_index(); i < kRows * kChunks; i += 128) {
    const int row = i / kChunks, d = i % kChunks * 4;
    const bool inside = first + row < tile.length && d < a.head_stride;
    const float* from = rows + (inside ? (first + row) * a.head_stride + d : 0);
    copy_later(to + row * (kSize + 4) + d, from, inside ? 16 : 0);
  }
}

/// 32 queries by 32 keys at a time. A thread has every eighth query and every sixteenth key or
/// column; the 16 threads of a query are neighbours in a warp.
template <int kSize>
ACESO_BODY attention_in_f32(const AttentionArguments a) {
  constexpr int kQueries = kQueriesF32, kKeys = 32, kStride = kSize + 4, kColumns = kSize / 16;
  constexpr int kWeightStride = kKeys + 4;
  ACESO_SHARED(float, queries, kQueries* kStride);
  ACESO_SHARED(float, keys, kKeys* kStride);  // values later
  ACESO_SHARED(float, weights, kQueries* kWeightStride);
  const AttentionTile tile = a.tiles[block_x()];
  const Head<float> head = head_of<float>(a, tile);
  const int row = thread_index() / 16, column = thread_index() % 16;
  fetch_f32<kQueries, kSize>(a, tile, head.parts[0], tile.first_query, queries);
  float sums[4][kColumns] = {}, total[4] = {}, most[4];
  ACESO_UNROLL
  for (int i = 0; i < 4; ++i) most[i] = -infinity();
  const int key_count = keys_of(a, tile, kQueries);
  for (int first = 0; first < key_count; first += kKeys) {
    ACESO_TOGETHER(barrier());  // the tile before has been used
    fetch_f32<kKeys, kSize>(a, tile, head.parts[1], first, keys);
    end_copy_group();
    copies_landed<0>();
    ACESO_TOGETHER(barrier());
    float scores[4][2] = {};
    for (int d = 0; d < a.head_stride; d += 4) {
      const Four one = four_at(keys + column * kStride + d);
      const Four two = four_at(keys + (column + 16) * kStride + d);
      ACESO_UNROLL
      for (int i = 0; i < 4; ++i) {
        const Four query = four_at(queries + (row + 8 * i) * kStride + d);
        ACESO_UNROLL
        for (int k = 0; k < 4; ++k) {
          scores[i][0] = multiply_add(query.at[k], one.at[k], scores[i][0]);
          scores[i][1] = multiply_add(query.at[k], two.at[k], scores[i][1]);
        }
      }
    }
    ACESO_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int query = tile.first_query + row + 8 * i;
      const float one = sees(a, tile, query, first + column) ? scores[i][0] * a.scale : -infinity();
      const float two =
          sees(a, tile, query, first + column + 16) ? scores[i][1] * a.scale : -infinity();
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
      weights[(row + 8 * i) * kWeightStride + column] = weight_one;
      weights[(row + 8 * i) * kWeightStride + column + 16] = weight_two;
    }
    ACESO_TOGETHER(barrier());  // the keys have been used, the weights are there
    fetch_f32<kKeys, kSize>(a, tile, head.parts[2], first, keys);
    end_copy_group();
    copies_landed<0>();
    ACESO_TOGETHER(barrier());
    for (int key = 0; key < kKeys; key += 4) {
      Four weight[4];
      ACESO_UNROLL
      for (int i = 0; i < 4; ++i)
        weight[i] = four_at(weights + (row + 8 * i) * kWeightStride + key);
      ACESO_UNROLL
      for (int k = 0; k < 4; ++k) {
        ACESO_UNROLL
        for (int c = 0; c < kColumns; ++c) {
          const float value = keys[(key + k) * kStride + column + 16 * c];
          ACESO_UNROLL
          for (int i = 0; i < 4; ++i) sums[i][c] = multiply_add(weight[i].at[k], value, sums[i][c]);
        }
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

/// Begins copying rows [first, first + kRows) of a head, bf16. What lies outside the sequence or
/// the head becomes 0.
template <int kRows, int kSize>
ACESO_DEVICE void fetch_bf16(const AttentionArguments& a, const AttentionTile& tile,
                             const Bf16* rows, int first, char* to) {
  constexpr int kChunks = kSize / 8;
  ACESO_UNROLL
  for (int i = 0; i < kRows * kChunks / 128; ++i) {
    const int place = thread_index() + 128 * i, row = place / kChunks, chunk = place % kChunks;
    const bool inside = first + row < tile.length && chunk * 8 < a.head_stride;
    const Bf16* from = rows + (inside ? (first + row) * a.head_stride + chunk * 8 : 0);
    copy_later(to + swizzled<kSize>(row, chunk), from, inside ? 16 : 0);
  }
}

/// What this lane gives load_transposed_fragments() for two fragments b of rows [row, row + 16):
/// the eight columns from 16 bytes number `chunk` on, and the eight after them.
template <int kWidth>
ACESO_DEVICE const char* transposed_fragments(const char* tile, int row, int chunk) {
  const int lane = thread_index() % kWarp;
  return tile + swizzled<kWidth>(row + lane % 16, chunk + lane / 16);
}

// Of a lane's four sums of a product, the first two belong to one query, the others (half 1) to
// that 8 below; the next product is of eight more keys, or columns.

template <int kProducts>
ACESO_DEVICE float largest(float most, int half, const float (&scores)[kProducts][4]) {
  ACESO_UNROLL
  for (int j = 0; j < kProducts; ++j)
    most = larger(most, larger(scores[j][2 * half], scores[j][2 * half + 1]));
  return most;
}

/// Scores become powers of 2, `best` the power 0. Returns `total` and their sum.
template <int kProducts>
ACESO_DEVICE float become_weights(float scale, float best, float total, int half,
                                  float (&scores)[kProducts][4]) {
  const float least = -best * scale;
  ACESO_UNROLL
  for (int j = 0; j < kProducts; ++j) {
    ACESO_UNROLL
    for (int c = 0; c < 2; ++c) {
      float& weight = scores[j][2 * half + c];
      weight = power_of_2(multiply_add(weight, scale, least));
      total += weight;
    }
  }
  return total;
}

template <int kProducts>
ACESO_DEVICE void put_query(const AttentionArguments& a, int row, int column, int half, float scale,
                            const float (&sums)[kProducts][4]) {
  Bf16* out =
      static_cast<Bf16*>(a.out) + static_cast<long long>(row) * a.out_stride + block_y() * a.size;
  const bool even = a.size % 2 == 0;  // then pairs are aligned
  ACESO_UNROLL
  for (int j = 0; j < kProducts; ++j) {
    const int d = 8 * j + column;
    const float one = sums[j][2 * half] * scale, two = sums[j][2 * half + 1] * scale;
    if (even && d < a.size) {
      *reinterpret_cast<unsigned*>(out + d) = narrow_pair(one, two);
    } else {
      if (d < a.size) narrow(out + d, one);
      if (d + 1 < a.size) narrow(out + d + 1, two);
    }
  }
}

/// 64 queries by 32 or 64 keys at a time, of which the next are on their way; each of four warps
/// has 16 queries.
template <int kSize>
ACESO_BODY attention_in_bf16(const AttentionArguments a) {
  constexpr int kQueries = kQueriesBf16, kKeys = kSize > 64 ? 32 : 64;
  constexpr int kRowBytes = kSize * 2, kKeyBytes = kKeys * kRowBytes;
  ACESO_SHARED(char, queries, kQueries* kRowBytes);
  ACESO_SHARED(char, keys, 2 * kKeyBytes);
  ACESO_SHARED(char, values, 2 * kKeyBytes);
  const AttentionTile tile = a.tiles[block_x()];
  const Head<Bf16> head = head_of<Bf16>(a, tile);
  const Lane lane = lane_of_thread();
  const int warp_row = thread_index() / kWarp * 16;
  fetch_bf16<kQueries, kSize>(a, tile, head.parts[0], tile.first_query, queries);
  fetch_bf16<kKeys, kSize>(a, tile, head.parts[1], 0, keys);
  fetch_bf16<kKeys, kSize>(a, tile, head.parts[2], 0, values);
  end_copy_group();

  unsigned query[kSize / 16][4];
  float sums[kSize / 8][4] = {}, total[2] = {}, most[2] = {-infinity(), -infinity()};
  const int key_count = keys_of(a, tile, kQueries);
  for (int first = 0; first < key_count; first += kKeys) {
    copies_landed<0>();
    ACESO_TOGETHER(barrier());  // also: the tile before has been used
    const int now = first / kKeys % 2 * kKeyBytes, next = kKeyBytes - now;
    if (first + kKeys < key_count) {
      fetch_bf16<kKeys, kSize>(a, tile, head.parts[1], first + kKeys, keys + next);
      fetch_bf16<kKeys, kSize>(a, tile, head.parts[2], first + kKeys, values + next);
    }
    end_copy_group();
    if (first == 0) {
      ACESO_UNROLL
      for (int k = 0; k < kSize / 16; ++k)
        ACESO_TOGETHER(load_fragments(query[k], rows_fragment<kSize>(queries, warp_row, 2 * k)));
    }
    float scores[kKeys / 8][4] = {};
    ACESO_UNROLL
    for (int k = 0; k < kSize / 16; ++k) {
      if (16 * k >= a.size) continue;  // zeros only
      ACESO_UNROLL
      for (int j = 0; j < kKeys / 16; ++j) {
        unsigned columns[4];
        ACESO_TOGETHER(
            load_fragments(columns, columns_fragments<kSize>(keys + now, 16 * j, 2 * k)));
        ACESO_TOGETHER(multiply_fragments(scores[2 * j], query[k], columns));
        ACESO_TOGETHER(multiply_fragments(scores[2 * j + 1], query[k], columns + 2));
      }
    }
    const bool all_seen =
        first + kKeys <= tile.length && (a.causal == 0 || first + kKeys <= tile.first_query);
    ACESO_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int row = tile.first_query + warp_row + lane.group + 8 * half;
      // Not a function of its own: that took as many registers as two more blocks on a processor.
      if (!all_seen) {
        ACESO_UNROLL
        for (int j = 0; j < kKeys / 8; ++j) {
          ACESO_UNROLL
          for (int c = 0; c < 2; ++c) {
            if (!sees(a, tile, row, first + 8 * j + lane.pair + c))
              scores[j][2 * half + c] = -infinity();
          }
        }
      }
      float best = largest(most[half], half, scores);
      ACESO_UNROLL
      for (int mask = 2; mask > 0; mask /= 2) {
        const float other = ACESO_TOGETHER(shuffle_xor(best, mask));
        best = larger(best, other);
      }
      const float shrink = power_of_2((most[half] - best) * a.scale);
      most[half] = best;
      total[half] *= shrink;
      ACESO_UNROLL
      for (int j = 0; j < kSize / 8; ++j) {
        sums[j][2 * half] *= shrink;
        sums[j][2 * half + 1] *= shrink;
      }
      total[half] = become_weights(a.scale, best, total[half], half, scores);
    }
    // Sums of two neighbouring products are, rounded, the fragment of the next one's rows.
    ACESO_UNROLL
    for (int k = 0; k < kKeys / 16; ++k) {
      const float* left = scores[2 * k];
      const float* right = scores[2 * k + 1];
      const unsigned rows[4] = {narrow_pair(left[0], left[1]), narrow_pair(left[2], left[3]),
                                narrow_pair(right[0], right[1]), narrow_pair(right[2], right[3])};
      ACESO_UNROLL
      for (int j = 0; j < kSize / 16; ++j) {
        if (16 * j >= a.size) continue;  // zeros only
        unsigned columns[4];
        ACESO_TOGETHER(load_transposed_fragments(
            columns, transposed_fragments<kSize>(values + now, 16 * k, 2 * j)));
        ACESO_TOGETHER(multiply_fragments(sums[2 * j], rows, columns));
        ACESO_TOGETHER(multiply_fragments(sums[2 * j + 1], rows, columns + 2));
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
    const int row = tile.first_query + warp_row + lane.group + 8 * half;
    if (row < tile.length)
      put_query(a, tile.first + row, lane.pair, half, 1.0F / total[half], sums);
  }
  ACESO_RETURN;
}

// ---- one more token ----

/// Where the block's row and head keep the key (part 0) or value (part 1) of a position.
ACESO_DEVICE float* kept(const DecodeArguments& a, int part, int position) {
  float* page =
      a.pages[static_cast<long long>(block_x()) * a.row_pages + position / kPagePositions];
  const long long place =
      (static_cast<long long>(2 * a.layer + part) * a.head_count + block_y()) * kPagePositions +
      position % kPagePositions;
  return page + place * a.size;
}

/// Keeps the key and value of the row's token, and puts its query into `query`.
ACESO_DEVICE void take_token(const DecodeArguments& a, int position, float* query) {
  const int d = thread_index(), half = a.size / 2;
  if (d >= a.size) return;
  const int hidden = a.head_count * a.size;
  const long long angles = static_cast<long long>(block_x()) * half;
  const float* numbers =
      a.qkv + static_cast<long long>(block_x()) * a.qkv_stride + block_y() * a.size;
  const auto number = [&](const float* row) {
    return a.cosine == nullptr ? row[d]
                               : turned_number(row, d, half, a.cosine + angles, a.sine + angles);
  };
  query[d] = number(numbers);
  kept(a, 0, position)[d] = number(numbers + hidden);
  kept(a, 1, position)[d] = numbers[2 * hidden + d];
}

/// Warps take keys in turn, four at a time; a lane has every 32nd number of the head.
ACESO_BODY decode_head(const DecodeArguments a) {
  constexpr int kWarps = 4, kKeys = 4, kParts = kLargestHead / kWarp;
  ACESO_SHARED(float, query, kLargestHead);
  ACESO_SHARED(float, most_of, kWarps);
  ACESO_SHARED(float, total_of, kWarps);
  ACESO_SHARED(float, sums_of, kWarps* kLargestHead);
  const int warp = thread_index() / kWarp, lane = thread_index() % kWarp;
  const int position = a.positions[block_x()], count = position + 1;
  take_token(a, position, query);
  ACESO_TOGETHER(barrier());

  float most = -infinity(), total = 0, sums[kParts] = {};
  for (int first = warp * kKeys; first < count; first += kWarps * kKeys) {
    float scores[kKeys];
    ACESO_UNROLL
    for (int k = 0; k < kKeys; ++k) {
      // The last key again where there are no more; it gets no weight.
      const float* key = kept(a, 0, smaller(first + k, position));
      scores[k] = 0;
      ACESO_UNROLL
      for (int c = 0; c < kParts; ++c) {
        const int d = lane + kWarp * c;
        if (d < a.size) scores[k] = multiply_add(query[d], key[d], scores[k]);
      }
    }
    float best = most;
    ACESO_UNROLL
    for (int k = 0; k < kKeys; ++k) {
      ACESO_UNROLL
      for (int mask = kWarp / 2; mask > 0; mask /= 2) {
        const float other = ACESO_TOGETHER(shuffle_xor(scores[k], mask));
        scores[k] += other;
      }
      scores[k] = first + k < count ? scores[k] * a.scale : -infinity();
      best = larger(best, scores[k]);
    }
    const float shrink = power_of_2(most - best);
    most = best;
    total *= shrink;
    ACESO_UNROLL
    for (int c = 0; c < kParts; ++c) sums[c] *= shrink;
    ACESO_UNROLL
    for (int k = 0; k < kKeys; ++k) {
      const float weight = power_of_2(scores[k] - best);
      const float* value = kept(a, 1, smaller(first + k, position));
      total += weight;
      ACESO_UNROLL
      for (int c = 0; c < kParts; ++c) {
        const int d = lane + kWarp * c;
        if (d < a.size) sums[c] = multiply_add(weight, value[d], sums[c]);
      }
    }
  }
  if (lane == 0) {
    most_of[warp] = most;
    total_of[warp] = total;
  }
  ACESO_UNROLL
  for (int c = 0; c < kParts; ++c) sums_of[warp * kLargestHead + lane + kWarp * c] = sums[c];
  ACESO_TOGETHER(barrier());

  // The first warp has a key always, so that the largest score is a number.
  float best = most_of[0];
  ACESO_UNROLL
  for (int w = 1; w < kWarps; ++w) best = larger(best, most_of[w]);
  float all = 0, sum = 0;
  ACESO_UNROLL
  for (int w = 0; w < kWarps; ++w) {
    const float share = power_of_2(most_of[w] - best);
    all = multiply_add(total_of[w], share, all);
    sum = multiply_add(sums_of[w * kLargestHead + thread_index()], share, sum);
  }
  float* out = a.out + static_cast<long long>(block_x()) * a.out_stride + block_y() * a.size;
  if (thread_index() < a.size) out[thread_index()] = sum / all;
  ACESO_RETURN;
}

}  // namespace aceso::nn::cuda
