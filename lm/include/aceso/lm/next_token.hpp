/// \file
/// Language models that write: what comes next, whatever the architecture.
#pragma once

#include "aceso/core/tensor.hpp"
#include "aceso/nn/model_folder.hpp"
#include "aceso/nn/tokenizer.hpp"
#include "aceso/nn/transformer.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace aceso::lm {

/// Sequences in the making, each in a slot of its own. One thread at a time.
class Writing {
 public:
  virtual ~Writing() = default;
  /// Reads one token for each of `slots` (each at most once); returns logits of what comes next,
  /// f32 [slots, vocabulary]. With at most NextTokenModel::kMostSlots slots, a slot's result does
  /// not depend on the others', to the last bit.
  [[nodiscard]] virtual Tensor step(std::span<const std::size_t> slots,
                                    std::span<const nn::Token> tokens) = 0;
  /// Forgets what the slot has read.
  virtual void restart(std::size_t slot) = 0;
};

/// Thread-safe; cheap to copy.
class NextTokenModel {
 public:
  /// Sequences at once that are worth it; more would be computed by another matrix product.
  static constexpr std::size_t kMostSlots = 256;

  /// Opens a model of architecture "lstm", or "transformer" with causal: true.
  /// \throws Error NotFound, Io, CorruptData; Unsupported naming the model if it does not write, or
  /// its tokenizer has no begin and end, or is an LSTM, which `device` does not compute;
  /// InvalidArgument where `device` is not there; OutOfResources.
  explicit NextTokenModel(const std::filesystem::path& path, nn::Device device = nn::Device::Cpu);

  [[nodiscard]] const nn::Tokenizer& tokenizer() const noexcept;
  [[nodiscard]] const nn::ModelDescription& description() const noexcept;
  [[nodiscard]] nn::Device device() const noexcept;
  /// Tokens that a text may have beside its begin and end; 0: any.
  [[nodiscard]] std::int64_t max_length() const noexcept;
  [[nodiscard]] std::unique_ptr<Writing> write(std::size_t slots) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace aceso::lm
