#include "linear_engine.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <span>
#include <vector>

namespace aceso::nn {
namespace {

using kernels::Bf16;
using kernels::Factors;

/// Rows of a chunk take so many bytes at most: half of a usual second-level cache, the other half
/// being left to a panel of weights.
constexpr std::int64_t kChunkBytes = 256 << 10;

std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}

Bf16 to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<Bf16>((bits >> 16) | 0x40U);
  return static_cast<Bf16>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}
float to_float(Bf16 value) { return std::bit_cast<float>(std::uint32_t{value} << 16); }

Factors factors_of(Precision precision, const kernels::Table& table) {
  if (precision == Precision::Bf16 && table.bf16) return Factors::BFloat16;
  if (precision == Precision::Int8 && table.int8) return Factors::Int8;
  return Factors::Float32;
}

std::int64_t group_of(Factors factors) {
  return factors == Factors::Float32 ? 1 : factors == Factors::BFloat16 ? 2 : 4;
}

/// The largest magnitude of a row; NaN where it holds one. As whole numbers, whose order is that of
/// magnitudes and which a compiler can compare side by side.
float largest_magnitude(std::span<const float> row) {
  std::uint32_t most = 0;
  for (const float value : row) most = std::max(most, std::bit_cast<std::uint32_t>(value) << 1);
  return std::bit_cast<float>(most >> 1);
}

/// To the nearest whole number, ties to even, for magnitudes up to 2^22.
float rounded(float value) {
  constexpr float kShift = 12582912.0F;  // 1.5 * 2^23: adding it leaves no room for a fraction
  return (value + kShift) - kShift;
}

class PanelLinear final : public LinearEngine {
 public:
  PanelLinear(const LinearWeights& weights, Precision precision, Linear::Result result,
              const kernels::Table& table)
      : table_(table),
        precision_(precision),
        result_(result),
        factors_(factors_of(precision, table)),
        in_(weights.in),
        out_(weights.out),
        group_(group_of(factors_)),
        groups_(round_up((in_ + group_ - 1) / group_,
                         factors_ == Factors::Float32 ? 1 : table.groups)) {
    const std::int64_t columns = round_up(out_, table.vector);
    bias_.resize(static_cast<std::size_t>(columns));
    if (weights.bias != nullptr) std::copy_n(weights.bias, out_, bias_.begin());
    if (quantised()) {
      column_scale_.resize(bias_.size());
      column_sum_.resize(bias_.size());
    }
    panels_ = Buffer(static_cast<std::size_t>(columns * groups_ * 4));
    std::vector<std::byte> groups(static_cast<std::size_t>(groups_ * 4));  // 0 behind the last one
    for (std::int64_t column = 0; column < columns; ++column) {
      if (column < out_)
        convert(std::span(weights.weight + column * in_, static_cast<std::size_t>(in_)),
                static_cast<std::size_t>(column), groups.data());
      else
        std::ranges::fill(groups, std::byte{0});
      lay_out(groups.data(), column);
    }
  }

  void apply(const void* x, void* y, std::int64_t rows) const override {
    const std::int64_t x_row = in_ * (precision_ == Precision::Fp32 ? 4 : 2);
    const std::int64_t y_row = out_ * (into() == kernels::Product::Into::BFloat16 ? 2 : 4);
    const std::int64_t chunk =
        std::clamp<std::int64_t>(kChunkBytes / (groups_ * 4), table_.rows, 384) / table_.rows *
        table_.rows;
    for (std::int64_t first = 0; first < rows; first += chunk)
      multiply(static_cast<const std::byte*>(x) + first * x_row,
               static_cast<std::byte*>(y) + first * y_row, std::min(chunk, rows - first));
  }

 private:
  [[nodiscard]] bool quantised() const { return precision_ == Precision::Int8; }

  [[nodiscard]] kernels::Product::Into into() const {
    if (result_ == Linear::Result::Added) return kernels::Product::Into::AddedToFloat32;
    return precision_ == Precision::Fp32 ? kernels::Product::Into::Float32
                                         : kernels::Product::Into::BFloat16;
  }

  template <typename T, typename Convert>
  static void put(std::span<const float> row, std::byte* groups, const Convert& convert) {
    auto* to = reinterpret_cast<T*>(groups);
    for (std::size_t k = 0; k < row.size(); ++k) to[k] = static_cast<T>(convert(row[k]));
  }

  /// The weights of one output as the precision has them, in groups.
  void convert(std::span<const float> row, std::size_t column, std::byte* groups) {
    if (quantised()) return quantise(row, column, groups);
    if (factors_ == Factors::BFloat16) return put<Bf16>(row, groups, to_bf16);
    const bool narrow = precision_ == Precision::Bf16;
    put<float>(row, groups, [&](float v) { return narrow ? to_float(to_bf16(v)) : v; });
  }

  void quantise(std::span<const float> row, std::size_t column, std::byte* groups) {
    const float most = largest_magnitude(row);
    column_scale_[column] = most / 127.0F;  // what is not finite makes no result finite
    const bool usable = most > 0 && std::isfinite(most);
    const float inverse = usable ? 127.0F / most : 0.0F;
    std::int32_t sum = 0;
    const auto whole = [&](float value) {
      const float nearest = usable ? rounded(value * inverse) : 0.0F;
      sum += static_cast<std::int32_t>(nearest);
      return nearest;
    };
    if (factors_ == Factors::Int8)
      put<std::int8_t>(row, groups, whole);
    else
      put<float>(row, groups, whole);
    column_sum_[column] = sum;
  }

  /// An output's groups into their places in the panels.
  void lay_out(const std::byte* groups, std::int64_t column) {
    const std::int64_t panel = column / table_.panel * table_.panel;
    const std::int64_t wide = std::min(table_.panel, round_up(out_, table_.vector) - panel);
    std::byte* to = panels_.data() + (panel * groups_ + column - panel) * 4;
    for (std::int64_t g = 0; g < groups_; ++g) std::memcpy(to + g * wide * 4, groups + g * 4, 4);
  }

  void multiply(const std::byte* x, std::byte* y, std::int64_t rows) const {
    kernels::Product product{.factors = factors_,
                             .x = x,
                             .rows = rows,
                             .groups = groups_,
                             .out = out_,
                             .weight = panels_.data(),
                             .bias = bias_.data(),
                             .gelu = result_ == Linear::Result::Gelu,
                             .into = into(),
                             .y = y};
    if (quantised())
      quantise(product);
    else if (precision_ == Precision::Bf16)
      prepare_bf16(product);
    table_.product(product);
  }

  void quantise(kernels::Product& product) const {
    const auto numbers = static_cast<std::size_t>(product.rows * groups_ * 4);
    std::byte* scratch = thread_scratch(numbers + static_cast<std::size_t>(product.rows) * 8);
    auto* scale = reinterpret_cast<float*>(scratch + numbers);
    auto* zero = reinterpret_cast<std::int32_t*>(scale + product.rows);
    const bool whole = factors_ == Factors::Int8;
    table_.quantise({.x = product.x,
                     .bf16 = true,
                     .rows = product.rows,
                     .width = in_,
                     .padded = groups_ * group_,
                     .q = whole ? reinterpret_cast<std::uint8_t*>(scratch) : nullptr,
                     .centred = whole ? nullptr : reinterpret_cast<float*>(scratch),
                     .scale = scale,
                     .zero = zero});
    product.x = scratch;
    product.row_scale = scale;
    product.row_zero = zero;
    product.column_scale = column_scale_.data();
    product.column_sum = column_sum_.data();
  }

  /// Whole groups of bf16 need no preparation.
  void prepare_bf16(kernels::Product& product) const {
    if (factors_ == Factors::BFloat16 && in_ == groups_ * group_) return;
    std::byte* scratch = thread_scratch(static_cast<std::size_t>(product.rows * groups_ * 4));
    const auto* from = static_cast<const Bf16*>(product.x);
    if (factors_ == Factors::Float32) {
      table_.widen(from, product.rows * in_, reinterpret_cast<float*>(scratch));
    } else {
      std::memset(scratch, 0, static_cast<std::size_t>(product.rows * groups_ * 4));
      for (std::int64_t r = 0; r < product.rows; ++r)
        std::copy_n(from + r * in_, in_, reinterpret_cast<Bf16*>(scratch) + r * groups_ * group_);
    }
    product.x = scratch;
  }

  const kernels::Table& table_;
  Precision precision_;
  Linear::Result result_;
  Factors factors_;
  std::int64_t in_, out_, group_, groups_;
  Buffer panels_;
  std::vector<float> bias_, column_scale_;
  std::vector<std::int32_t> column_sum_;
};

}  // namespace

std::shared_ptr<const LinearEngine> panel_linear(const LinearWeights& weights, Precision precision,
                                                 Linear::Result result,
                                                 const kernels::Table& table) {
  return std::make_shared<const PanelLinear>(weights, precision, result, table);
}

}  // namespace aceso::nn
