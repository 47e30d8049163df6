/// \file
/// Transformers on a GPU.
#pragma once

#include "cuda/device_weights.hpp"
#include "cuda/executor.hpp"
#include "cuda/workspaces.hpp"
#include "rotary.hpp"
#include "transformer_net.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace aceso::nn::cuda {

class Launches;

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
  /// In fp32 alone. The decoder must not outlive this.
  [[nodiscard]] std::unique_ptr<DecoderNet> decoder(std::size_t slots) const override;

 private:
  struct Places;

  [[nodiscard]] Places places_for(const PackedTokens& batch) const;
  [[nodiscard]] Buffer inputs_of(const PackedTokens& batch, const Places& places) const;
  void split_heads(const Launches& run, const Places& places) const;
  void attend(const Launches& run, const Places& places) const;

  DeviceWeights weights_;
  std::optional<RotaryTable> rotary_;
  mutable Workspaces workspaces_;
};

}  // namespace aceso::nn::cuda
