/// \file
/// The weights of a transformer on a device.
#pragma once

#include "aceso/core/tensor.hpp"
#include "cuda/executor.hpp"
#include "transformer_weights.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace aceso::nn::cuda {

/// Numbers from row to row of a matrix that is `width` wide.
[[nodiscard]] constexpr std::int64_t aligned(std::int64_t width) noexcept {
  return (width + kAlignment - 1) / kAlignment * kAlignment;
}

/// Rows as a device has them: `stride` numbers apart, the ones between 0.
[[nodiscard]] Buffer with_stride(const Tensor& rows, std::int64_t stride);
/// The first `width` numbers of each row of f32 [rows, stride].
[[nodiscard]] Tensor without_stride(const Tensor& spread, std::int64_t width);

/// A matrix that lies on a device, or a vector (one row). Copies share it.
struct DeviceMatrix {
  std::shared_ptr<const DeviceBuffer> buffer;
  std::int64_t rows = 0, width = 0;
  std::int64_t stride = 0;  ///< numbers from row to row, a multiple of kAlignment

  [[nodiscard]] const void* data() const noexcept { return buffer->data(); }
  [[nodiscard]] const float* floats() const noexcept { return static_cast<const float*>(data()); }
};

struct DeviceNorm {
  DeviceMatrix gain, bias;
};

struct DeviceLinear {
  DeviceMatrix weight, bias;
  bool bf16 = false;  ///< its factors
};

/// Products of the layers have bf16 factors with `bf16`; the head is f32 always.
struct DeviceWeights {
  struct Layer {
    DeviceNorm attention_norm, mlp_norm;
    DeviceLinear qkv, output, up, down;
  };

  /// \throws Error OutOfResources; what the weights lack.
  DeviceWeights(const std::shared_ptr<Executor>& executor, const TransformerSpec& the_spec,
                const TransformerWeights& weights, bool in_bf16);

  TransformerSpec spec;
  bool bf16;
  DeviceMatrix embedding, positions;  ///< positions: empty where they are rotary
  std::vector<Layer> layers;
  DeviceNorm final_norm, head_norm;
  DeviceLinear head_dense, decoder;

 private:
  class Loader;
  void load_head(const TransformerWeights& weights, const Loader& loader);
};

}  // namespace aceso::nn::cuda
