// Attention of one sequence, head by head, both products being tiles as in product.inl.

namespace aceso::nn::kernels {
namespace {

// Queries lie in vectors, one a lane, a few vectors of them at a time: what a softmax does over
// keys needs no sum across a vector, and heads of any size fill the registers. kKeyRows keys at a
// time meet them in a tile, whose scores become weights before they leave the registers.
constexpr int kMostVectors = kSums / 6 > 3 ? 3 : kSums / 6;
constexpr std::int64_t kRowsAhead = 8;  ///< that are asked for before they are wanted

/// Sizes for a kind of products.
template <typename Dot>
struct Blocks {
  static constexpr int kVectors = kMostVectors;
  static constexpr std::int64_t kQueries = kVectors * kWidth;
  static constexpr std::int64_t kKeyRows = kSums / kVectors;
  /// Keys whose weights are kept until they meet the values: few enough for a first-level cache.
  static constexpr std::int64_t kKeys = 24 * kKeyRows;
  static constexpr std::int64_t kGroups = 1;  ///< groups of a vector are a multiple of it
  static constexpr bool kTiles = false;

  /// What the products of one call need.
  struct Scope {};
};

#if defined(ACESO_TILES)
struct DotTiles : DotBf16 {};

template <>
struct Blocks<DotTiles> {
  static constexpr int kVectors = 2;
  static constexpr std::int64_t kQueries = kVectors * kWidth;
  static constexpr std::int64_t kKeyRows = 2 * kTile;
  static constexpr std::int64_t kKeys = 6 * kKeyRows;
  static constexpr std::int64_t kGroups = kTile;
  static constexpr bool kTiles = true;
  using Scope = Tiles;
};
#endif

/// One head's numbers, as the tiles want them.
template <typename Dot>
struct Head {
  using Factor = typename Dot::Factor;
  using Size = Blocks<Dot>;
  static constexpr std::int64_t kGroup = 4 / sizeof(Factor);

  std::int64_t length, size, groups, padded_keys, padded_size;
  Factor* keys;     ///< [padded_keys][groups * kGroup], turned
  Factor* values;   ///< for each kKeys keys [padded_size][kKeys]
  Factor* queries;  ///< of a block, turned and scaled: [groups][vectors][kWidth][kGroup]
  Factor* weights;  ///< of a block for kKeys keys: [kKeys / kGroup][vectors][kWidth][kGroup]
  float* sums;      ///< of a block: [padded_size][kQueries] values weighed
  Factor* rows;     ///< kWidth vectors of the head and room behind them

  explicit Head(const Attention& a)
      : length(a.length),
        size(a.hidden / a.heads),
        groups(round_up((size + kGroup - 1) / kGroup, Size::kGroups)),
        padded_keys(round_up(a.length, Size::kKeyRows)),
        padded_size(round_up(size, kWidth)) {
    float* free = a.workspace;
    const auto take = [&](std::int64_t floats) {
      float* taken = free;
      free += round_up(floats, 16);
      return taken;
    };
    keys = reinterpret_cast<Factor*>(take(padded_keys * groups + padded_size));
    values =
        reinterpret_cast<Factor*>(take(round_up(padded_keys, Size::kKeys) / kGroup * padded_size));
    queries = reinterpret_cast<Factor*>(take(groups * Size::kQueries));
    weights = reinterpret_cast<Factor*>(take(Size::kKeys / kGroup * Size::kQueries));
    sums = take(padded_size * Size::kQueries);
    rows = reinterpret_cast<Factor*>(take(kWidth * padded_size + kWidth));
  }
};

template <typename T>
__attribute__((noinline)) Vec load_what_exists(const T* base, std::int64_t at, std::int64_t count) {
  T room[kWidth] = {};
  for (std::int64_t i = 0; i < kWidth && at + i < count; ++i) room[i] = base[at + i];
  return load(room);
}

/// Numbers that start at base[at]; those from `count` on do not exist and come out as 0.
template <typename T>
inline Vec load_within(const T* base, std::int64_t at, std::int64_t count) {
  if (__builtin_expect(at + kWidth <= count, 1)) return load(base + at);
  return load_what_exists(base, at, count);
}

/// 0, 1, 2, ...
inline Int lanes() {
  Int lane;
  for (int i = 0; i < kWidth; ++i) lane[i] = i;
  return lane;
}

/// The first `count` numbers of v, the others being 0.
inline Vec first_of(Vec v, std::int64_t count) {
  return choose(lanes() < static_cast<std::int32_t>(count), v, Vec{});
}

/// A head's vector, which starts at number `at`, scaled and its halves turned by the position's
/// angles, as whole groups. What lies up to kWidth numbers behind is lost. Returns the square of
/// its length before scaling, in parts.
template <typename T, typename Dot>
inline Vec put_turned(const Attention& a, const Head<Dot>& head, std::int64_t position,
                      std::int64_t at, float scale, typename Dot::Factor* to) {
  const T* x = static_cast<const T*>(a.qkv);
  const std::int64_t count = a.length * 3 * a.hidden, half = head.size / 2;
  Vec square{};
  if (a.cosine == nullptr) {
    for (std::int64_t d = 0; d < head.size; d += kWidth) {
      const Vec v = load_within(x, at + d, count);
      square += first_of(v * v, head.size - d);
      store(to + d, v * scale);
    }
  } else {
    // From behind, so that what is lost behind a half is put afterwards.
    for (std::int64_t d = (half - 1) / kWidth * kWidth; d >= 0; d -= kWidth) {
      const std::int64_t angle = position * half + d, angles = a.length * half;
      const Vec cosine = load_within(a.cosine, angle, angles) * scale;
      const Vec sine = load_within(a.sine, angle, angles) * scale;
      const Vec one = load_within(x, at + d, count), two = load_within(x, at + half + d, count);
      square += first_of(one * one + two * two, half - d);
      store(to + d, one * cosine - two * sine);
      store(to + half + d, two * cosine + one * sine);
    }
  }
  for (std::int64_t d = head.size; d < head.groups * Head<Dot>::kGroup; d += kWidth)
    store(to + d, Vec{});
  return square;
}

/// Lanes of v[0], or lanes of v[0] and v[1] by turns: a group a lane.
inline Bits group_of(float, const Vec* v) { return (Bits)v[0]; }
inline Bits group_of(Bf16, const Vec* v) {
  Bf16 halves[2][kWidth];
  store(halves[0], v[0]);
  store(halves[1], v[1]);
  Half low, high;
  __builtin_memcpy(&low, halves[0], sizeof low);
  __builtin_memcpy(&high, halves[1], sizeof high);
  return __builtin_convertvector(low, Bits) | __builtin_convertvector(high, Bits) << 16;
}

/// The numbers below kCount as a list.
template <int... kNumbers>
struct Numbers {};
template <int kCount, int... kRest>
struct Below : Below<kCount - 1, kCount - 1, kRest...> {};
template <int... kRest>
struct Below<0, kRest...> {
  using List = Numbers<kRest...>;
};

/// Lets words of one row and of that `kStep` rows below change places, which turns squares of
/// kStep words each.
template <int kStep, int... kLane>
inline void exchange(Bits& upper, Bits& lower, Numbers<kLane...>) {
  const Bits above = upper, below = lower;
  upper = __builtin_shufflevector(above, below,
                                  ((kLane & kStep) == 0 ? kLane : kLane - kStep + kWidth)...);
  lower = __builtin_shufflevector(above, below,
                                  ((kLane & kStep) == 0 ? kLane + kStep : kLane + kWidth)...);
}

/// Rows of a square become its columns.
template <int kStep = kWidth / 2>
inline void turn_square(Bits (&rows)[kWidth]) {
#pragma GCC unroll 16
  for (int i = 0; i < kWidth; ++i)
    if ((i & kStep) == 0) exchange<kStep>(rows[i], rows[i + kStep], typename Below<kWidth>::List{});
  if constexpr (kStep > 1) turn_square<kStep / 2>(rows);
}

/// The first `bytes` of a vector, or all.
inline void put_bytes(void* to, Bits v, std::int64_t bytes) {
  if (bytes >= static_cast<std::int64_t>(sizeof v)) {
    __builtin_memcpy(to, &v, sizeof v);
    return;
  }
  auto* target = static_cast<std::byte*>(to);
  const auto* source = reinterpret_cast<const std::byte*>(&v);
  for (; bytes >= 16; bytes -= 16, target += 16, source += 16) __builtin_memcpy(target, source, 16);
  for (; bytes >= 2; bytes -= 2, target += 2, source += 2) __builtin_memcpy(target, source, 2);
}

/// The values at number `at` of kWidth groups of rows from t on, each dimension's to its own row.
template <typename T, typename Dot>
inline void put_values(const Attention& a, const Head<Dot>& head, std::int64_t t, std::int64_t at) {
  using Factor = typename Dot::Factor;
  constexpr std::int64_t kGroup = Head<Dot>::kGroup, kKeys = Blocks<Dot>::kKeys;
  const T* x = static_cast<const T*>(a.qkv);
  const std::int64_t stride = 3 * a.hidden;
  Factor* to = head.values + t / kKeys * kKeys * head.padded_size + t % kKeys;
  for (std::int64_t d = 0; d < head.size; d += kWidth) {
    Bits square[kWidth];
    for (std::int64_t g = 0; g < kWidth; ++g) {
      Vec rows[kGroup] = {};
      for (std::int64_t i = 0, row = t + g * kGroup; i < kGroup && row < a.length; ++i, ++row)
        rows[i] = load_within(x, at + row * stride + d, a.length * stride);
      square[g] = group_of(Factor{}, rows);
    }
    turn_square(square);
    for (std::int64_t i = 0; i < kWidth && d + i < head.size; ++i)
      __builtin_memcpy(to + (d + i) * kKeys, &square[i], sizeof(Bits));
  }
}

/// Asks for `size` numbers that are wanted soon: rows lie further apart than processors guess.
template <typename T>
inline void fetch(const T* x, std::int64_t size) {
  __builtin_prefetch(x);
  __builtin_prefetch(x + size - 1);
}

/// A head's keys and values in one order of rows, since those of many rows share few places in a
/// cache. Returns the square of the longest key.
template <typename T, typename Dot>
float pack(const Attention& a, std::int64_t h, const Head<Dot>& head) {
  const std::int64_t row = head.groups * Head<Dot>::kGroup;
  const std::int64_t key_at = a.hidden + h * head.size, value_at = key_at + a.hidden;
  float longest = 0;
  for (std::int64_t t = 0; t < head.padded_keys; ++t) {
    auto* key = head.keys + t * row;
    if (t < a.length) {
      const std::int64_t start = t * 3 * a.hidden;
      const T* ahead = static_cast<const T*>(a.qkv) + start + kRowsAhead * 3 * a.hidden;
      fetch(ahead + key_at, head.size);
      fetch(ahead + value_at, head.size);
      const float square = sum(put_turned<T>(a, head, t, start + key_at, 1.0F, key));
      longest = longest < square ? square : longest;
    } else {
      for (std::int64_t d = 0; d < row; ++d) key[d] = 0;
    }
    if (t % (kWidth * Head<Dot>::kGroup) == 0) put_values<T>(a, head, t, value_at);
  }
  return longest;
}

/// Queries [first, first + rows) of a head.
struct Block {
  std::int64_t first, rows;
  bool causal;
  std::int64_t keys;  ///< those that some query sees
  bool small;         ///< whether scores are, so that tops are 0
  Vec tops[kMostVectors], totals[kMostVectors];

  [[nodiscard]] std::int64_t vectors() const { return (rows + kWidth - 1) / kWidth; }
  /// Whether every query sees all keys before `end`.
  [[nodiscard]] bool sees_all(std::int64_t end) const { return end <= (causal ? first + 1 : keys); }
  /// Which queries of a vector see a key.
  [[nodiscard]] Int sees(int vector, std::int64_t key) const {
    const std::int64_t query = first + vector * kWidth;
    const auto ahead = static_cast<std::int32_t>((causal ? query : keys - 1) - key);
    return (causal ? lanes() : Int{}) + ahead >= Int{};
  }
};

template <typename T, typename Dot>
void pack_queries(const Attention& a, std::int64_t h, const Head<Dot>& head, const Block& block) {
  // Scores are in units of log 2, so that the softmax is made of powers of 2.
  const float scale = 1.44269504F / __builtin_sqrtf(static_cast<float>(head.size));
  const std::int64_t row = round_up(head.groups, kWidth) * Head<Dot>::kGroup;
  for (std::int64_t lane = 0; lane < block.rows; lane += kWidth) {
    const std::int64_t many = block.rows - lane < kWidth ? block.rows - lane : kWidth;
    for (std::int64_t i = 0; i < many; ++i) {
      const std::int64_t t = block.first + lane + i, at = t * 3 * a.hidden + h * head.size;
      fetch(static_cast<const T*>(a.qkv) + at + kRowsAhead * 3 * a.hidden, head.size);
      put_turned<T>(a, head, t, at, scale, head.rows + i * row);
    }
    for (std::int64_t g = 0; g < head.groups; g += kWidth) {
      Bits square[kWidth] = {};
      for (std::int64_t i = 0; i < many; ++i)
        __builtin_memcpy(&square[i], head.rows + i * row + g * Head<Dot>::kGroup, sizeof(Bits));
      turn_square(square);
      for (std::int64_t i = 0; i < kWidth && g + i < head.groups; ++i)
        __builtin_memcpy(
            head.queries + ((g + i) * block.vectors() * kWidth + lane) * Head<Dot>::kGroup,
            &square[i], sizeof(Bits));
    }
  }
}

/// Scores of kKeyRows keys from `key` on with a block's queries, and `start` of each query.
template <typename Dot, int kVectors>
inline void score(const Head<Dot>& head, std::int64_t key, const Vec (&start)[kVectors],
                  Vec (&scores)[Blocks<Dot>::kKeyRows][kVectors]) {
#pragma GCC unroll 12
  for (auto& of_key : scores)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) of_key[v] = start[v];
  const std::int64_t stride = head.groups * 4;
  add_products<Dot>(reinterpret_cast<const std::byte*>(head.keys) + key * stride, stride,
                    reinterpret_cast<const std::byte*>(head.queries), head.groups, scores);
}

#if defined(ACESO_TILES)
template <typename Dot, int kVectors>
  requires(Blocks<Dot>::kTiles)
inline void score(const Head<Dot>& head, std::int64_t key, const Vec (&start)[kVectors],
                  Vec (&scores)[Blocks<Dot>::kKeyRows][kVectors]) {
  using Sums = TileBlock<Bf16Tiles, 2, kVectors>;
  const std::int64_t stride = head.groups * 4;
  Sums::load(start, 0);  // the same for every key
  Sums::add(reinterpret_cast<const std::byte*>(head.keys) + key * stride, stride,
            reinterpret_cast<const std::byte*>(head.queries), kVectors * 64, head.groups);
  Sums::store(scores, kVectors * 64);
}
#endif

/// The largest score of each query.
template <typename Dot, int kVectors>
void find_tops(const Head<Dot>& head, Block& block) {
  constexpr std::int64_t kKeyRows = Blocks<Dot>::kKeyRows;
  for (Vec& top : block.tops) top = splat(-1e30F);
  for (std::int64_t key = 0; key < block.keys; key += kKeyRows) {
    Vec scores[kKeyRows][kVectors];
    score<Dot, kVectors>(head, key, {}, scores);
    for (int r = 0; r < kKeyRows; ++r)
      for (int v = 0; v < kVectors; ++v)
        block.tops[v] =
            larger(block.tops[v], choose(block.sees(v, key + r), scores[r][v], splat(-1e30F)));
  }
}

/// What to take from each query's scores so that powers of 2 neither overflow nor all vanish: the
/// largest score, or nothing where the lengths of queries and keys keep scores small, which costs
/// less.
template <typename Dot, int kVectors>
void choose_tops(const Head<Dot>& head, float longest_key, Block& block) {
  constexpr float kSmall = 90;
  block.small = true;
  for (int v = 0; v < kVectors; ++v) {
    Vec square{};
    for (std::int64_t g = 0; g < head.groups; ++g) {
      Bits query;
      __builtin_memcpy(&query, head.queries + (g * kVectors + v) * kWidth * Head<Dot>::kGroup,
                       sizeof query);
      square = Dot::add(square, query, query);
    }
    block.small = block.small && largest(square) * longest_key <= kSmall * kSmall;
    block.tops[v] = Vec{};
  }
  if (!block.small) find_tops<Dot, kVectors>(head, block);
}

/// How scores become weights of 32 bits.
template <typename Factor>
struct Softmax {
  static constexpr float kStart = 0;
  template <bool kPlain>
  static Bits weights(const Vec* scores, const Int* seen, Vec& total) {
    Vec e = exp2_of(scores[0]);
    if (!kPlain) e = choose(seen[0], e, Vec{});
    total += e;
    return (Bits)e;
  }
};

#if defined(ACESO_DOT_BF16)
/// Of 16 bits, two in a word. Powers of 2 come from scores less 1/2: then the factor before the
/// power lies between 1 and 2, half of its last bit is a constant, and to round is to cut.
template <>
struct Softmax<Bf16> {
  static constexpr float kStart = -0.5F;
  static Bits power(Vec x) {
    const Vec shift = splat(12582912.0F);
    const Vec biased = x + shift;
    const Vec f = x - (biased - shift);
    Vec p = f * 7.80245226e-2F + 3.43104086e-1F;
    p = p * f + 9.80419127e-1F;
    p = p * f + 1.41801806e+0F;  // 2^(1/2) and half of a last bit
    return (Bits)p + ((Bits)biased << 23);
  }
  template <bool kPlain>
  static Bits weights(const Vec* scores, const Int* seen, Vec& total) {
    Bits e[2];
    for (int i = 0; i < 2; ++i)
      e[i] = kPlain ? power(scores[i]) : power(larger(splat(-126.0F), scores[i])) & (Bits)seen[i];
    const Bits pair = e[0] >> 16 | (e[1] & 0xffff0000U);
    total = DotBf16::add(total, pair, Bits{} + 0x3f803f80U);
    return pair;
  }
};
#endif

/// Weights, right but for their sums, of kKeyRows keys from `key` on. kPlain: scores are small and
/// every query sees all of the keys.
template <typename Dot, int kVectors, bool kPlain>
void weigh(const Head<Dot>& head, std::int64_t key, Block& block) {
  using Weights = Softmax<typename Dot::Factor>;
  constexpr std::int64_t kGroup = Head<Dot>::kGroup, kKeyRows = Blocks<Dot>::kKeyRows;
  Vec start[kVectors];
  for (int v = 0; v < kVectors; ++v)
    start[v] = kPlain ? splat(Weights::kStart) : Weights::kStart - block.tops[v];
  Vec scores[kKeyRows][kVectors];
  score<Dot, kVectors>(head, key, start, scores);
  auto* to = head.weights + key % Blocks<Dot>::kKeys * kVectors * kWidth;
#pragma GCC unroll 12
  for (int r = 0; r < kKeyRows; r += kGroup)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v, to += kWidth * kGroup) {
      Vec group[kGroup];
      Int seen[kGroup] = {};
#pragma GCC unroll 2
      for (int i = 0; i < kGroup; ++i) {
        group[i] = scores[r + i][v];
        if (!kPlain) seen[i] = block.sees(v, key + r + i);
      }
      const Bits words = Weights::template weights<kPlain>(group, seen, block.totals[v]);
      __builtin_memcpy(to, &words, sizeof words);
    }
}

/// Adds to a block's sums the values of keys [first, end), at most kKeys, times their weights.
template <typename Dot, int kVectors>
inline void add_values(const Head<Dot>& head, std::int64_t first, std::int64_t end) {
  constexpr std::int64_t kGroup = Head<Dot>::kGroup, kKeyRows = Blocks<Dot>::kKeyRows;
  constexpr std::int64_t kStride = Blocks<Dot>::kKeys * sizeof(typename Dot::Factor);
  constexpr std::int64_t kSumsStride = Blocks<Dot>::kQueries * 4;
  const auto* values = reinterpret_cast<const std::byte*>(head.values + first * head.padded_size);
  const auto* weights = reinterpret_cast<const std::byte*>(head.weights);
  const std::int64_t groups = (end - first) / kGroup;
  for (std::int64_t d = 0; d < head.size; d += kKeyRows) {
    auto* sums = reinterpret_cast<std::byte*>(head.sums) + d * kSumsStride;
    tile_of_rows<Dot, kVectors, kKeyRows>(
        {values + d * kStride, kStride, weights, groups, sums, kSumsStride, first > 0},
        head.size - d);
  }
}

#if defined(ACESO_TILES)
/// The same; what lies between a head's last dimension and a whole register means nothing.
template <typename Dot, int kVectors>
  requires(Blocks<Dot>::kTiles)
inline void add_values(const Head<Dot>& head, std::int64_t first, std::int64_t end) {
  constexpr std::int64_t kStride = Blocks<Dot>::kKeys * sizeof(Bf16);
  constexpr std::int64_t kSumsStride = Blocks<Dot>::kQueries * 4;
  const auto* values = reinterpret_cast<const std::byte*>(head.values + first * head.padded_size);
  const auto* weights = reinterpret_cast<const std::byte*>(head.weights);
  for (std::int64_t d = 0; d < head.size; d += 2 * kTile) {
    auto* sums = reinterpret_cast<std::byte*>(head.sums) + d * kSumsStride;
    const auto run = [&]<typename Sums>(Sums) {
      if (first > 0)
        Sums::load(sums, kSumsStride);
      else
        Sums::clear();
      Sums::add(values + d * kStride, kStride, weights, kVectors * 64, (end - first) / 2);
      Sums::store(sums, kSumsStride);
    };
    if (head.size - d > kTile)
      run(TileBlock<Bf16Tiles, 2, kVectors>{});
    else
      run(TileBlock<Bf16Tiles, 1, kVectors>{});
  }
}
#endif

/// Values weighed for a block, dimension by dimension.
template <typename Dot, int kVectors>
void weigh_values(const Head<Dot>& head, Block& block) {
  constexpr std::int64_t kKeys = Blocks<Dot>::kKeys, kKeyRows = Blocks<Dot>::kKeyRows;
  for (std::int64_t first = 0; first < block.keys; first += kKeys) {
    const std::int64_t end =
        round_up(block.keys - first < kKeys ? block.keys : first + kKeys, kKeyRows);
    for (std::int64_t key = first; key < end; key += kKeyRows) {
      if (block.small && block.sees_all(key + kKeyRows))
        weigh<Dot, kVectors, true>(head, key, block);
      else
        weigh<Dot, kVectors, false>(head, key, block);
    }
    add_values<Dot, kVectors>(head, first, end);
  }
}

/// The sums of a block less their weights' sums, as rows of `out`, which are `stride` apart.
template <typename T, typename Dot>
void put_block(const Head<Dot>& head, const Block& block, T* out, std::int64_t stride) {
  constexpr std::int64_t kGroup = 4 / sizeof(T);
  for (std::int64_t lane = 0; lane < block.rows; lane += kWidth) {
    const Vec inverse = 1.0F / block.totals[lane / kWidth];
    const std::int64_t many = block.rows - lane < kWidth ? block.rows - lane : kWidth;
    for (std::int64_t d = 0; d < head.size; d += kWidth * kGroup) {
      Bits square[kWidth];
      for (std::int64_t i = 0; i < kWidth; ++i) {
        Vec group[kGroup] = {};
        for (std::int64_t j = 0, at = d + i * kGroup; j < kGroup && at < head.size; ++j, ++at)
          group[j] = load(head.sums + at * Blocks<Dot>::kQueries + lane) * inverse;
        square[i] = group_of(T{}, group);
      }
      turn_square(square);
      for (std::int64_t i = 0; i < many; ++i)
        put_bytes(out + (lane + i) * stride + d, square[i], (head.size - d) * sizeof(T));
    }
  }
}

/// Rows of the next block where `left` are left: a last block of few would take as long as one of
/// more.
template <typename Dot>
inline std::int64_t block_rows(std::int64_t left) {
  const std::int64_t vectors = (left + kWidth - 1) / kWidth;
  const std::int64_t blocks = (vectors + Blocks<Dot>::kVectors - 1) / Blocks<Dot>::kVectors;
  const std::int64_t rows = (vectors + blocks - 1) / blocks * kWidth;
  return left < rows ? left : rows;
}

template <typename Dot, int kVectors = Blocks<Dot>::kVectors>
void answer(const Head<Dot>& head, float longest_key, Block& block) {
  if constexpr (kVectors > 1) {
    if (block.vectors() < kVectors) return answer<Dot, kVectors - 1>(head, longest_key, block);
  }
  choose_tops<Dot, kVectors>(head, longest_key, block);
  weigh_values<Dot, kVectors>(head, block);
}

template <typename T, typename Dot>
void attend(const Attention& a) {
  const Head<Dot> head(a);
  [[maybe_unused]] const typename Blocks<Dot>::Scope scope;
  for (std::int64_t h = 0; h < a.heads; ++h) {
    const float longest_key = pack<T>(a, h, head);
    for (std::int64_t q = 0, rows = 0; q < a.length; q += rows) {
      rows = block_rows<Dot>(a.length - q);
      Block block{q, rows, a.causal, a.causal ? q + rows : a.length, false, {}, {}};
      pack_queries<T>(a, h, head, block);
      answer(head, longest_key, block);
      put_block(head, block, static_cast<T*>(a.out) + q * a.hidden + h * head.size, a.hidden);
    }
  }
}

void attention_any(const Attention& a) {
  if (!a.bf16) return attend<float, DotF32>(a);
#if defined(ACESO_TILES)
  attend<Bf16, DotTiles>(a);
#elif defined(ACESO_DOT_BF16)
  attend<Bf16, DotBf16>(a);
#else
  attend<Bf16, DotF32>(a);
#endif
}

}  // namespace
}  // namespace aceso::nn::kernels
