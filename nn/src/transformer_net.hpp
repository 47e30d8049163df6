/// \file
/// What each device's way to compute a transformer offers.
#pragma once

#include "aceso/nn/transformer.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace aceso::nn {

/// Sequences that a net writes, with the keys and values of what they have read. One thread at a
/// time.
class DecoderNet {
 public:
  DecoderNet() = default;
  DecoderNet(const DecoderNet&) = delete;
  DecoderNet& operator=(const DecoderNet&) = delete;
  virtual ~DecoderNet() = default;

  [[nodiscard]] virtual std::size_t slots() const noexcept = 0;
  /// Of a slot that there is, as the two below.
  [[nodiscard]] virtual std::int64_t length(std::size_t slot) const = 0;
  virtual void restart(std::size_t slot) = 0;
  /// As Decoder's, of checked slots and tokens.
  [[nodiscard]] virtual Tensor step(std::span<const std::size_t> slots,
                                    std::span<const Token> tokens) = 0;
};

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
  /// Of a causal net in fp32 without token dropout; must not outlive it.
  [[nodiscard]] virtual std::unique_ptr<DecoderNet> decoder(std::size_t slots) const = 0;
};

}  // namespace aceso::nn
