#include "cuda/launches.hpp"

#include <cmath>

namespace aceso::nn::cuda {
namespace {

Kernel product_kernel(bool bf16, Finish finish) {
  switch (finish) {
    case Finish::Gelu:
      return bf16 ? Kernel::ProductBf16Gelu : Kernel::ProductF32Gelu;
    case Finish::Added:
      return bf16 ? Kernel::ProductBf16Added : Kernel::ProductF32Added;
    case Finish::Same:
      break;
  }
  return bf16 ? Kernel::ProductBf16 : Kernel::ProductF32;
}

}  // namespace

RowStates::RowStates(Partition& parts, std::int64_t rows, const DeviceWeights& weights) {
  const TransformerSpec& spec = weights.spec;
  const std::size_t size = weights.bf16 ? sizeof(Bf16) : sizeof(float);
  state = parts.add(rows * aligned(spec.hidden), sizeof(float));
  normed = parts.add(rows * aligned(spec.hidden), size);
  qkv = parts.add(rows * aligned(3 * spec.hidden), size);
  mixed = parts.add(rows * aligned(spec.hidden), size);
  wide = parts.add(rows * aligned(spec.feed_forward), size);
}

void Launches::embed(const RowInputs& inputs, std::size_t x) const {
  const EmbedArguments arguments{
      .tokens = at<int>(inputs.tokens),
      .positions = at<int>(inputs.positions),
      .scales = at<float>(inputs.scales),
      .table = weights_.embedding.floats(),
      .places = weights_.positions.buffer ? weights_.positions.floats() : nullptr,
      .x = at<float>(x),
      .width = static_cast<int>(weights_.embedding.width),
      .stride = static_cast<int>(weights_.embedding.stride)};
  stream_.launch(Kernel::Embed, {.x = rows_}, &arguments);
}

void Launches::normalise(const DeviceNorm& norm, std::size_t x, std::size_t y, bool bf16) const {
  const NormArguments arguments{.x = at<float>(x),
                                .gain = norm.gain.floats(),
                                .bias = norm.bias.floats(),
                                .y = at(y),
                                .epsilon = static_cast<float>(weights_.spec.norm_epsilon),
                                .rows = rows_,
                                .width = static_cast<int>(norm.gain.width),
                                .stride = static_cast<int>(norm.gain.stride)};
  stream_.launch(bf16 ? Kernel::NormBf16 : Kernel::NormF32, {.x = tiles_of(rows_, kNormRows)},
                 &arguments);
}

void Launches::multiply(const DeviceLinear& linear, std::size_t x, std::size_t y,
                        Finish finish) const {
  const DeviceMatrix& weight = linear.weight;
  const ProductArguments arguments{.x = at(x),
                                   .weight = weight.data(),
                                   .bias = linear.bias.floats(),
                                   .y = at(y),
                                   .rows = rows_,
                                   .in = static_cast<int>(weight.width),
                                   .out = static_cast<int>(weight.rows),
                                   .x_stride = static_cast<int>(weight.stride),
                                   .weight_stride = static_cast<int>(weight.stride),
                                   .y_stride = static_cast<int>(aligned(weight.rows))};
  stream_.launch(product_kernel(linear.bf16, finish),
                 {.x = tiles_of(weight.rows, kProductTile), .y = tiles_of(rows_, kProductTile)},
                 &arguments);
}

float attention_scale(std::int64_t head_size) {
  return 1.44269504F / std::sqrt(static_cast<float>(head_size));
}

}  // namespace aceso::nn::cuda
