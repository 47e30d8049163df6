/// \file
/// Low-rank adapters (LoRA: Hu et al. 2021): small weights that change a model's layers.
#pragma once

#include "aceso/nn/model_folder.hpp"
#include "aceso/nn/tensor_file.hpp"
#include "aceso/nn/transformer.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::nn {

/// An adapter of a layer NAME is "adapters.NAME.down" [rank, in] and "adapters.NAME.up" [out,
/// rank]; the layer then computes W x + scale * up (down x), with scale = alpha / rank.
struct AdapterSpec {
  std::int64_t rank = 8;
  double alpha = 16;
  std::vector<std::string> layers = {"attention.query", "attention.value"};

  [[nodiscard]] double scale() const noexcept { return alpha / static_cast<double>(rank); }
  /// The adapters' weights for a transformer.
  [[nodiscard]] std::vector<TensorInfo> weights(const TransformerSpec& spec) const;
};

/// Weights in which every adapter of `adapters` is added to its layer. Tensors of other layers are
/// shared with `weights`. `sign` -1 takes adapters out again (up to rounding).
/// \throws Error CorruptData naming the layer that is missing or does not fit.
[[nodiscard]] TensorSet merged(const TensorSet& weights, const TensorSet& adapters, double scale,
                               std::string_view source, double sign = 1);

/// Identifies the weights that an adapter belongs to: SHA-256 over names, shapes and bytes.
[[nodiscard]] std::string weights_fingerprint(const ModelFolder& model);

/// Weights of `base` with the adapter model `adapter` (architecture "adapter") merged in, and the
/// adapter's task head beside them.
/// \throws Error InvalidArgument if the adapter was trained on other weights; CorruptData,
/// Unsupported.
[[nodiscard]] TensorSet with_adapter(const ModelFolder& base, const ModelFolder& adapter);

}  // namespace aceso::nn
