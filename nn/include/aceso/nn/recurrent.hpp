/// \file
/// Recurrent nets that write sequences token by token: stacked LSTM layers (Hochreiter and
/// Schmidhuber 1997, with forget gates), as SMILES language models use them (Segler et al. 2018).
#pragma once

#include "aceso/core/json.hpp"
#include "aceso/core/tensor.hpp"
#include "aceso/nn/model_folder.hpp"
#include "aceso/nn/tokenizer.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace aceso::nn {

/// Shape of an LSTM language model: `config` of model.yaml, architecture "lstm". Weight names,
/// with V vocabulary, E embedding, H hidden:
///
///   embed.tokens.weight [V,E] (only if E > 0; else a token is its one-hot vector)
///   layers.I.input.weight [4H, E or V for the first layer, H for the others]
///   layers.I.recurrent.weight [4H,H]; layers.I.bias [4H]
///   head.weight [V,H], head.bias [V]
///
/// The four blocks of 4H are the input, forget, cell and output gates. Gates use the sigmoid, cells
/// tanh. Linear layers compute x W^T + b. The head gives logits, of which the softmax is what
/// comes next.
struct RecurrentSpec {
  std::int64_t vocabulary = 0;
  std::int64_t embedding = 0;  ///< 0: one-hot
  std::int64_t hidden = 0;
  std::int64_t layers = 0;

  [[nodiscard]] Json to_json() const;
  /// \throws Error CorruptData naming `source` and the setting that is missing or impossible.
  [[nodiscard]] static RecurrentSpec from_json(const Json& config, std::string_view source);
  /// Every weight's name and shape.
  [[nodiscard]] std::vector<TensorInfo> weights() const;
};

/// What a recurrent net remembers of several sequences, each in a slot of its own.
/// 8 * hidden * layers bytes a slot.
struct RecurrentState {
  std::size_t slots = 0;
  std::vector<float> values;  ///< [slots][layers][cell, state][hidden]
};

/// A net ready to compute, in fp32. One object may serve many threads; each call runs on the
/// caller's thread alone.
class Recurrent {
 public:
  /// \throws Error CorruptData naming the tensor that is missing or has another shape,
  /// Unsupported for another architecture.
  explicit Recurrent(const ModelFolder& model);
  Recurrent(const RecurrentSpec& spec, const TensorSet& weights, std::string_view source);

  [[nodiscard]] const RecurrentSpec& spec() const noexcept;
  /// For sequences that have not begun.
  [[nodiscard]] RecurrentState state(std::size_t slots) const;
  /// Forgets what the slot has read.
  void restart(RecurrentState& state, std::size_t slot) const;
  /// Reads one token for each of `slots` (each at most once), and returns what comes next:
  /// logits, f32 [slots, vocabulary]. A slot's result does not depend on the others'.
  /// \throws Error InvalidArgument on a token outside the vocabulary.
  [[nodiscard]] Tensor step(RecurrentState& state, std::span<const std::size_t> slots,
                            std::span<const Token> tokens) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace aceso::nn
