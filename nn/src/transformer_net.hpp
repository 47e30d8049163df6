/// \file
/// What each device's way to compute a transformer offers.
#pragma once

#include "aceso/nn/transformer.hpp"

namespace aceso::nn {

/// Thread-safe.
class TransformerNet {
 public:
  TransformerNet() = default;
  TransformerNet(const TransformerNet&) = delete;
  TransformerNet& operator=(const TransformerNet&) = delete;
  virtual ~TransformerNet() = default;

  /// As Transformer's, of a checked batch.
  [[nodiscard]] virtual Tensor hidden(const PackedTokens& batch) const = 0;
  /// As Transformer's, of a model with a head.
  [[nodiscard]] virtual Tensor logits(const Tensor& hidden) const = 0;
};

}  // namespace aceso::nn
