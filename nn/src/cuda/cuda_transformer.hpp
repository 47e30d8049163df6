/// \file
/// Transformers on a GPU.
#pragma once

#include "cuda/executor.hpp"
#include "cuda/workspaces.hpp"
#include "rotary.hpp"
#include "transformer_net.hpp"
#include "transformer_weights.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace aceso::nn::cuda {

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

/// A transformer whose weights lie on a device. Sums, norms, softmax and the residual stream are
/// f32; with bf16 the layers' products and attention have bf16 factors, and the head has f32.
class CudaTransformer final : public TransformerNet {
 public:
  /// \throws Error Unsupported for int8 and heads of more than kLargestHead numbers. Needs no
  /// device, so that it can be asked before one is opened.
  static void check(const TransformerSpec& spec, Precision precision);

  /// \throws Error as check(), OutOfResources.
  CudaTransformer(std::shared_ptr<Executor> executor, const TransformerSpec& spec,
                  const TransformerWeights& weights, Precision precision);

  [[nodiscard]] Tensor hidden(const PackedTokens& batch) const override;
  [[nodiscard]] Tensor logits(const Tensor& hidden) const override;

 private:
  struct Layer {
    DeviceNorm attention_norm, mlp_norm;
    DeviceLinear qkv, output, up, down;
  };
  struct Places;
  class Loader;
  class Launches;

  void load_head(const TransformerWeights& weights, const Loader& loader);
  [[nodiscard]] Places places_for(const PackedTokens& batch) const;
  [[nodiscard]] Buffer inputs_of(const PackedTokens& batch, const Places& places) const;

  std::shared_ptr<Executor> executor_;
  TransformerSpec spec_;
  bool bf16_;
  DeviceMatrix embedding_, positions_;
  std::vector<Layer> layers_;
  DeviceNorm final_norm_, head_norm_;
  DeviceLinear head_dense_, decoder_;
  std::optional<RotaryTable> rotary_;
  mutable Workspaces workspaces_;
};

}  // namespace aceso::nn::cuda
