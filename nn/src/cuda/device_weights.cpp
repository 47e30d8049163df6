#include "cuda/device_weights.hpp"

#include "aceso/nn/tensor_file.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace aceso::nn::cuda {

Buffer with_stride(const Tensor& rows, std::int64_t stride) {
  const std::int64_t width = rows.shape().back(), count = rows.element_count() / width;
  const std::size_t size = size_in_bytes(rows.type());
  const std::size_t row_bytes = static_cast<std::size_t>(width) * size;
  const std::size_t stride_bytes = static_cast<std::size_t>(stride) * size;
  Buffer spread(static_cast<std::size_t>(count) * stride_bytes);
  std::memset(spread.data(), 0, spread.size());
  for (std::size_t r = 0; r < static_cast<std::size_t>(count); ++r)
    std::memcpy(spread.data() + r * stride_bytes, rows.data() + r * row_bytes, row_bytes);
  return spread;
}

Tensor without_stride(const Tensor& spread, std::int64_t width) {
  const std::int64_t rows = spread.shape()[0], stride = spread.shape()[1];
  if (stride == width) return spread;
  Tensor result(DType::F32, {rows, width});
  for (std::int64_t r = 0; r < rows; ++r)
    std::copy_n(spread.values<float>().data() + r * stride, width,
                result.values<float>().data() + r * width);
  return result;
}

/// Brings weights to the device.
class DeviceWeights::Loader {
 public:
  explicit Loader(std::shared_ptr<Executor> executor)
      : executor_(std::move(executor)), stream_(executor_->stream()) {}

  [[nodiscard]] DeviceMatrix matrix(const Tensor& tensor) const {
    const std::int64_t width = tensor.shape().back();
    const Buffer rows = with_stride(tensor, aligned(width));
    auto buffer = std::make_shared<DeviceBuffer>(executor_, rows.size());
    stream_->upload(buffer->data(), rows.data(), rows.size());
    stream_->wait();
    return {std::move(buffer), tensor.element_count() / width, width, aligned(width)};
  }
  [[nodiscard]] DeviceNorm norm(const Norm& tensors) const {
    return {matrix(tensors.gain), matrix(tensors.bias)};
  }
  [[nodiscard]] DeviceLinear linear(const LinearTensors& tensors, bool narrow) const {
    const Tensor weight = narrow ? to_bfloat16(tensors.weight) : tensors.weight;
    return {matrix(weight), matrix(tensors.bias), narrow};
  }

 private:
  std::shared_ptr<Executor> executor_;
  std::unique_ptr<Stream> stream_;
};

DeviceWeights::DeviceWeights(const std::shared_ptr<Executor>& executor,
                             const TransformerSpec& the_spec, const TransformerWeights& weights,
                             bool in_bf16)
    : spec(the_spec), bf16(in_bf16) {
  const Loader loader(executor);
  embedding = loader.matrix(weights("embed.tokens.weight"));
  if (spec.positions == "learned") positions = loader.matrix(weights("embed.positions.weight"));
  for (std::int64_t i = 0; i < spec.layers; ++i) {
    const std::string layer = "layers." + std::to_string(i) + ".";
    const auto linear = [&](const char* part) {
      return loader.linear(weights.linear(layer + part), bf16);
    };
    layers.push_back({.attention_norm = loader.norm(weights.norm(layer + "attention.norm")),
                      .mlp_norm = loader.norm(weights.norm(layer + "mlp.norm")),
                      .qkv = loader.linear(weights.query_key_value(layer + "attention."), bf16),
                      .output = linear("attention.output"),
                      .up = linear("mlp.up"),
                      .down = linear("mlp.down")});
  }
  final_norm = loader.norm(weights.norm("final_norm"));
  load_head(weights, loader);
}

void DeviceWeights::load_head(const TransformerWeights& weights, const Loader& loader) {
  if (spec.head == "none") return;
  if (spec.head == "masked") {
    head_dense = loader.linear(weights.linear("head.dense"), false);
    head_norm = loader.norm(weights.norm("head.norm"));
  }
  decoder.weight = spec.tied ? embedding : loader.matrix(weights("head.decoder.weight"));
  decoder.bias = loader.matrix(weights("head.bias"));
}

}  // namespace aceso::nn::cuda
