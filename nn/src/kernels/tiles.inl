// Tile registers (Intel's AMX): eight of 16 rows of 64 bytes. The product of two, rows of groups of
// four bytes with columns of such groups, is added to a third. A source for a set that has them
// defines ACESO_TILES.

#if defined(ACESO_TILES)

namespace aceso::nn::kernels {
namespace {

constexpr std::int64_t kTile = 16;  ///< rows of a register, groups and sums in one of its rows

/// Shapes of the registers, as LDTILECFG reads them.
struct alignas(64) TileShapes {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {kTile, kTile, kTile, kTile, kTile, kTile, kTile, kTile};
};

// Written out, since GCC's own functions do not tell it that memory is read.
template <int kRegister>
inline void load_tile(const void* from, std::int64_t stride) {
  __asm__ volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(kRegister)
                   : "memory");
}
template <int kRegister>
inline void store_tile(void* to, std::int64_t stride) {
  __asm__ volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(kRegister)
                   : "memory");
}
template <int kRegister>
inline void clear_tile() {
  __asm__ volatile("tilezero %%tmm%c0" ::"i"(kRegister));
}

/// The registers' shapes for the time of a scope. Other users of the registers set their own.
class Tiles {
 public:
  explicit Tiles(const TileShapes& shapes = {}) { __asm__ volatile("ldtilecfg %0" ::"m"(shapes)); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
  ~Tiles() { __asm__ volatile("tilerelease"); }
};

/// Groups of bf16, or of unsigned with signed bytes: registers kSum += kRows * kColumns.
struct Bf16Tiles {
  using Sum = Vec;
  template <int kSum, int kRows, int kColumns>
  static void multiply() {
    __asm__ volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSum), "i"(kRows),
                     "i"(kColumns));
  }
};
struct Int8Tiles {
  using Sum = Int;
  template <int kSum, int kRows, int kColumns>
  static void multiply() {
    __asm__ volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSum), "i"(kRows), "i"(kColumns));
  }
};

/// A block of kRowTiles by kColumnTiles registers of sums (one or two each): sums are in registers
/// 2 * row + column, the rows' groups in 4 and 5, the columns' in 6 and 7.
template <typename Kind, int kRowTiles, int kColumnTiles>
struct TileBlock {
  template <typename Do>
  static void each(const Do& act) {
    act.template operator()<0, 0>();
    if constexpr (kColumnTiles > 1) act.template operator()<0, 1>();
    if constexpr (kRowTiles > 1) act.template operator()<1, 0>();
    if constexpr (kRowTiles > 1 && kColumnTiles > 1) act.template operator()<1, 1>();
  }

  static void clear() {
    each([]<int kRow, int kColumn>() { clear_tile<2 * kRow + kColumn>(); });
  }
  /// \param to [16 * kRowTiles] rows of 16 * kColumnTiles sums.
  static void store(void* to, std::int64_t stride) {
    each([=]<int kRow, int kColumn>() {
      store_tile<2 * kRow + kColumn>(
          static_cast<std::byte*>(to) + kRow * kTile * stride + kColumn * 64, stride);
    });
  }
  static void load(const void* from, std::int64_t stride) {
    each([=]<int kRow, int kColumn>() {
      load_tile<2 * kRow + kColumn>(
          static_cast<const std::byte*>(from) + kRow * kTile * stride + kColumn * 64, stride);
    });
  }

  /// Adds the product of rows of `groups` groups, a multiple of 16, with columns of as many.
  static void add(const std::byte* rows, std::int64_t rows_stride, const std::byte* columns,
                  std::int64_t columns_stride, std::int64_t groups) {
    for (std::int64_t g = 0; g < groups; g += kTile) {
      load_tile<6>(columns, columns_stride);
      if constexpr (kColumnTiles > 1) load_tile<7>(columns + 64, columns_stride);
      load_tile<4>(rows, rows_stride);
      if constexpr (kRowTiles > 1) load_tile<5>(rows + kTile * rows_stride, rows_stride);
      each([]<int kRow, int kColumn>() {
        Kind::template multiply<2 * kRow + kColumn, 4 + kRow, 6 + kColumn>();
      });
      rows += 64;
      columns += kTile * columns_stride;
    }
  }
};

}  // namespace
}  // namespace aceso::nn::kernels

#endif
