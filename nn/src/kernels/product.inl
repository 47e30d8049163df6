// Products of rows with panels of weights. A tile of rows and columns is summed in registers;
// four bytes of a row at a time are multiplied with kTileVectors vectors of a panel, or, where
// there are tile registers, blocks of rows with blocks of a panel.

namespace aceso::nn::kernels {
namespace {

#if defined(ACESO_TILES)
constexpr std::int64_t kTileVectors = 2;  // two registers of columns
#else
constexpr std::int64_t kTileVectors = kSums / 6;
#endif
constexpr std::int64_t kPanel = kTileVectors * kWidth;
constexpr std::int64_t kMostRows = 12;

/// Rows of a tile that is `vectors` wide: as many as there are registers for sums.
constexpr std::int64_t tile_rows(std::int64_t vectors) {
  return kSums / vectors < kMostRows ? kSums / vectors : kMostRows;
}

// How groups of four bytes are multiplied and summed.
struct DotF32 {
  using Sum = Vec;
  using Factor = float;
  static Vec add(Vec sum, Bits a, Bits b) { return sum + (Vec)a * (Vec)b; }
};

#if defined(__AVX512BF16__)
#define ACESO_DOT_BF16
struct DotBf16 {
  using Sum = Vec;
  using Factor = Bf16;
  static Vec add(Vec sum, Bits a, Bits b) {
    return (Vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
  }
};
#endif

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#define ACESO_DOT_INT8
struct DotInt8 {
  using Sum = Int;
  using Factor = std::uint8_t;
  static Int add(Int sum, Bits a, Bits b) {
#if defined(__AVX512VNNI__)
    return (Int)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)a, (__m512i)b);
#else
    return (Int)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)a, (__m256i)b);
#endif
  }
};
#endif

/// Rows of groups, the columns of a panel and where the sums go; strides in bytes.
struct TileWork {
  const std::byte* x;
  std::int64_t x_stride;
  const std::byte* panel;
  std::int64_t groups;
  std::byte* sums;
  std::int64_t sums_stride;
  bool add = false;  ///< to what is in sums
};

// Loops over a tile are unrolled, so that its sums stay in registers.

/// Adds the products of kRows rows, `x_stride` bytes apart, with a panel.
template <typename Dot, int kRows, int kVectors>
inline __attribute__((always_inline)) void add_products(
    const std::byte* x, std::int64_t x_stride, const std::byte* panel, std::int64_t groups,
    typename Dot::Sum (&sums)[kRows][kVectors]) {
  for (std::int64_t g = 0; g < groups; ++g) {
    Bits columns[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v)
      __builtin_memcpy(&columns[v], panel + v * sizeof(Bits), sizeof(Bits));
    panel += sizeof columns;
#pragma GCC unroll 12
    for (int r = 0; r < kRows; ++r) {
      std::uint32_t group;
      __builtin_memcpy(&group, x + r * x_stride, sizeof group);
      const Bits spread = Bits{} + group;
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[r][v] = Dot::add(sums[r][v], spread, columns[v]);
    }
    x += sizeof(std::uint32_t);
  }
}

template <typename Dot, int kRows, int kVectors>
void tile(const TileWork& work) {
  typename Dot::Sum sums[kRows][kVectors];
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      sums[r][v] = typename Dot::Sum{};
      if (work.add)
        __builtin_memcpy(&sums[r][v], work.sums + r * work.sums_stride + v * sizeof(Bits),
                         sizeof(Bits));
    }
  add_products<Dot>(work.x, work.x_stride, work.panel, work.groups, sums);
#pragma GCC unroll 12
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const typename Dot::Sum sum = sums[r][v];
      __builtin_memcpy(work.sums + r * work.sums_stride + v * sizeof sum, &sum, sizeof sum);
    }
  }
}

template <typename Dot, int kVectors, int kRows>
void tile_of_rows(const TileWork& work, std::int64_t rows) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return tile_of_rows<Dot, kVectors, kRows - 1>(work, rows);
  }
  tile<Dot, kRows, kVectors>(work);
}

template <typename Dot, int kVectors = kTileVectors>
void tile_of(const TileWork& work, std::int64_t rows, std::int64_t vectors) {
  if constexpr (kVectors > 1) {
    if (vectors < kVectors) return tile_of<Dot, kVectors - 1>(work, rows, vectors);
  }
  tile_of_rows<Dot, kVectors, tile_rows(kVectors)>(work, rows);
}

/// Calls finish(first row, rows, first column, columns, sums) for every tile; sums lie kPanel
/// apart and are the caller's until the next call.
template <typename Dot, typename Finish>
void multiply(const void* x, std::int64_t x_stride, std::int64_t rows, const void* weight,
              std::int64_t groups, std::int64_t out, const Finish& finish) {
  alignas(64) typename Dot::Sum sums[kMostRows * kTileVectors];
  const auto* panel = static_cast<const std::byte*>(weight);
  for (std::int64_t column = 0; column < out; column += kPanel) {
    const std::int64_t columns = out - column < kPanel ? out - column : kPanel;
    const std::int64_t vectors = (columns + kWidth - 1) / kWidth;
    const std::int64_t step = tile_rows(vectors);
    for (std::int64_t row = 0; row < rows; row += step) {
      const std::int64_t many = rows - row < step ? rows - row : step;
      tile_of<Dot>({static_cast<const std::byte*>(x) + row * x_stride, x_stride, panel, groups,
                    reinterpret_cast<std::byte*>(sums), kPanel * 4},
                   many, vectors);
      finish(row, many, column, columns, sums);
    }
    panel += kPanel * groups * 4;
  }
}

#if defined(ACESO_TILES)
/// Rows of a tile of sums of kRowTiles registers, the last of which has `last` rows.
inline TileShapes shapes_of_rows(int row_tiles, std::int64_t last) {
  TileShapes shapes;
  const int row = row_tiles - 1;
  for (const int of_last : {2 * row, 2 * row + 1, 4 + row})
    shapes.rows[of_last] = static_cast<std::uint8_t>(last);
  return shapes;
}

/// As multiply() above, for rows of which there are kRowTiles registers full at a time, but for the
/// last.
template <typename Kind, int kRowTiles, typename Finish>
void multiply_rows(const std::byte* x, std::int64_t x_stride, std::int64_t first, std::int64_t end,
                   const void* weight, std::int64_t groups, std::int64_t out,
                   const Finish& finish) {
  alignas(64) typename Kind::Sum sums[kRowTiles * kTile * kTileVectors];
  const std::int64_t most = kRowTiles * kTile;
  const Tiles tiles(
      shapes_of_rows(kRowTiles, end - first < most ? (end - first - 1) % kTile + 1 : kTile));
  const auto* panel = static_cast<const std::byte*>(weight);
  for (std::int64_t column = 0; column < out; column += kPanel) {
    const std::int64_t columns = out - column < kPanel ? out - column : kPanel;
    const auto run = [&]<typename Block>(Block, std::int64_t columns_stride) {
      for (std::int64_t row = first; row < end; row += most) {
        Block::clear();
        Block::add(x + row * x_stride, x_stride, panel, columns_stride, groups);
        Block::store(sums, kPanel * 4);
        finish(row, end - row < most ? end - row : most, column, columns, sums);
      }
    };
    if (columns > kWidth)
      run(TileBlock<Kind, kRowTiles, 2>{}, 128);
    else
      run(TileBlock<Kind, kRowTiles, 1>{}, 64);
    panel += kPanel * groups * 4;
  }
}

/// The same as multiply(), by tile registers; groups are a multiple of 16.
template <typename Kind, typename Finish>
void multiply_by_tiles(const Product& p, const Finish& finish) {
  const auto* x = static_cast<const std::byte*>(p.x);
  const std::int64_t stride = p.groups * 4, whole = p.rows / (2 * kTile) * (2 * kTile);
  if (whole > 0) multiply_rows<Kind, 2>(x, stride, 0, whole, p.weight, p.groups, p.out, finish);
  if (p.rows - whole > kTile)
    multiply_rows<Kind, 2>(x, stride, whole, p.rows, p.weight, p.groups, p.out, finish);
  else if (p.rows > whole)
    multiply_rows<Kind, 1>(x, stride, whole, p.rows, p.weight, p.groups, p.out, finish);
}
#endif

/// What becomes of a column's sums, for kWidth columns.
struct ColumnTerms {
  Vec bias, scale;
  Int sum;

  template <bool kScaled>
  [[nodiscard]] Vec value(Vec sum_of_products, float row_scale, std::int32_t) const {
    return kScaled ? sum_of_products * (scale * row_scale) + bias : sum_of_products + bias;
  }
  template <bool>
  [[nodiscard]] Vec value(Int sum_of_products, float row_scale, std::int32_t row_zero) const {
    const Int exact = sum_of_products - sum * row_zero;
    return __builtin_convertvector(exact, Vec) * (scale * row_scale) + bias;
  }
};

inline Vec load_part(const float* p, std::int64_t columns) {
  if (columns >= kWidth) return load(p);
  Vec v{};
  for (std::int64_t i = 0; i < columns; ++i) v[i] = p[i];
  return v;
}

/// Sums of `product` as numbers of y. What a product asks for is looked at once for a tile, so
/// that nothing is decided between the vectors of one.
struct Finisher {
  using Into = Product::Into;
  const Product& product;

  template <Into kInto, bool kGelu>
  static void put(void* y, std::int64_t place, Vec v, std::int64_t columns) {
    if constexpr (kInto == Into::BFloat16) {
      put_part(static_cast<Bf16*>(y) + place, kGelu ? gelu_of<true>(v) : v, columns);
    } else {
      float* to = static_cast<float*>(y) + place;
      if constexpr (kInto == Into::AddedToFloat32) v += load_part(to, columns);
      put_part(to, kGelu ? gelu_of<false>(v) : v, columns);
    }
  }

  template <bool kScaled>
  [[nodiscard]] ColumnTerms terms(std::int64_t column) const {
    ColumnTerms terms{.bias = load(product.bias + column), .scale = {}, .sum = {}};
    if constexpr (kScaled) {
      terms.scale = load(product.column_scale + column);
      __builtin_memcpy(&terms.sum, product.column_sum + column, sizeof terms.sum);
    }
    return terms;
  }

  template <Into kInto, bool kGelu, bool kScaled, typename Sum>
  void finish(std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns,
              const Sum* sums) const {
    // Copies: as far as the compiler knows, what is written to y may change the product.
    const float* const scales = kScaled ? product.row_scale + row : nullptr;
    const std::int32_t* const zeros = kScaled ? product.row_zero + row : nullptr;
    void* const y = product.y;
    const std::int64_t stride = product.out, start = row * stride + column;
    for (std::int64_t c = 0; c < columns; c += kWidth) {
      const ColumnTerms of_columns = terms<kScaled>(column + c);
      for (std::int64_t r = 0; r < rows; ++r) {
        const Sum& sum = sums[r * kTileVectors + c / kWidth];
        const Vec v = of_columns.template value<kScaled>(sum, kScaled ? scales[r] : 1.0F,
                                                         kScaled ? zeros[r] : 0);
        put<kInto, kGelu>(y, start + r * stride + c, v, columns - c);
      }
    }
  }

  template <Into kInto, bool kGelu, typename Sum, typename... Place>
  void scaled_or_not(const Sum* sums, Place... place) const {
    if (product.row_scale != nullptr)
      finish<kInto, kGelu, true>(place..., sums);
    else
      finish<kInto, kGelu, false>(place..., sums);
  }

  template <typename Sum>
  void operator()(std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns,
                  const Sum* sums) const {
    const auto run = [&]<Into kInto>() {
      if (product.gelu)
        scaled_or_not<kInto, true>(sums, row, rows, column, columns);
      else
        scaled_or_not<kInto, false>(sums, row, rows, column, columns);
    };
    switch (product.into) {
      case Into::Float32:
        return run.template operator()<Into::Float32>();
      case Into::BFloat16:
        return run.template operator()<Into::BFloat16>();
      case Into::AddedToFloat32:
        return run.template operator()<Into::AddedToFloat32>();
    }
  }
};

void product_any(const Product& p) {
  const auto run = [&]<typename Dot>(Dot) {
    multiply<Dot>(p.x, p.groups * 4, p.rows, p.weight, p.groups, p.out, Finisher{p});
  };
  if (p.factors == Factors::Float32) return run(DotF32{});
#if defined(ACESO_TILES)
  if (p.factors == Factors::BFloat16) return multiply_by_tiles<Bf16Tiles>(p, Finisher{p});
  if (p.factors == Factors::Int8) return multiply_by_tiles<Int8Tiles>(p, Finisher{p});
#endif
#if defined(ACESO_DOT_BF16)
  if (p.factors == Factors::BFloat16) return run(DotBf16{});
#endif
#if defined(ACESO_DOT_INT8)
  if (p.factors == Factors::Int8) return run(DotInt8{});
#endif
}

#if defined(ACESO_TILES)
constexpr std::int64_t kGroupsStep = kTile, kRowsStep = 8 * kTile;
#else
constexpr std::int64_t kGroupsStep = 1, kRowsStep = 2 * kMostRows;
#endif
#if defined(ACESO_DOT_BF16)
constexpr bool kHasBf16 = true;
#else
constexpr bool kHasBf16 = false;
#endif
#if defined(ACESO_DOT_INT8)
constexpr bool kHasInt8 = true;
#else
constexpr bool kHasInt8 = false;
#endif

}  // namespace
}  // namespace aceso::nn::kernels
