/// \file
/// Transformers over packed sequences: encoders (ESM-2) and causal decoders.
///
/// Sequences of a batch lie end to end, without padding (Lin et al. 2023, ESM-2; Su et al. 2021,
/// rotary positions; Krell et al. 2021, packing). A sequence's result does not depend on what it
/// was packed with.
#pragma once

#include "aceso/core/json.hpp"
#include "aceso/core/tensor.hpp"
#include "aceso/nn/model_folder.hpp"
#include "aceso/nn/tokenizer.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::nn {

/// Shape and variant of a transformer with pre-norm layers: `config` of model.yaml, architecture
/// "transformer". Weight names, with H hidden, F feed_forward, V vocabulary, P positions:
///
///   embed.tokens.weight [V,H]; embed.positions.weight [P,H] (learned positions only)
///   layers.I.attention.norm.weight, .bias [H]
///   layers.I.attention.{query,key,value,output}.weight [H,H], .bias [H]
///   layers.I.mlp.norm.weight, .bias [H]
///   layers.I.mlp.up.weight [F,H], .bias [F]; layers.I.mlp.down.weight [H,F], .bias [H]
///   final_norm.weight, .bias [H]
///   head.dense.weight [H,H], .bias [H]; head.norm.weight, .bias [H] (head "masked" only)
///   head.bias [V]; head.decoder.weight [V,H] (only if not tied to the embedding)
///
/// Linear layers compute x W^T + b. The activation is the erf GELU. Rotary positions turn the
/// halves of a head's vector against each other (as ESM-2, base 10000).
struct TransformerSpec {
  std::int64_t vocabulary = 0;
  std::int64_t hidden = 0;
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t feed_forward = 0;
  std::int64_t max_length = 0;       ///< 0: any (rotary); else of learned positions
  std::string positions = "rotary";  ///< "rotary" or "learned"
  std::string head = "masked";       ///< "masked" (dense, GELU, norm, decoder), "plain" (decoder
                                     ///< only) or "none"
  bool causal = false;
  bool tied = true;            ///< decoder weight = token embedding
  bool token_dropout = false;  ///< ESM: embeddings scaled by (1 - 0.15 * 0.8) / (1 - masked share),
                               ///< mask tokens zeroed
  Token mask_token = -1;       ///< needed by token_dropout
  double norm_epsilon = 1e-5;

  [[nodiscard]] std::int64_t head_size() const noexcept { return heads > 0 ? hidden / heads : 0; }
  [[nodiscard]] Json to_json() const;
  /// \throws Error CorruptData naming `source` and the setting that is missing or impossible.
  [[nodiscard]] static TransformerSpec from_json(const Json& config, std::string_view source);
  /// Every weight's name and shape. \throws nothing on a checked spec.
  [[nodiscard]] std::vector<TensorInfo> weights() const;
  [[nodiscard]] std::int64_t parameters() const;
};

/// Sequences end to end. offsets has one more entry than there are sequences.
struct PackedTokens {
  std::vector<Token> tokens;
  std::vector<std::int32_t> offsets{0};

  void add(std::span<const Token> sequence);
  void clear();
  [[nodiscard]] std::size_t sequences() const noexcept { return offsets.size() - 1; }
};

/// What the layers multiply; sums, norms, softmax and the residual stream are f32 always.
enum class Precision {
  Fp32,
  Bf16,
  Int8  ///< whole numbers of 8 bits in linear layers, bf16 elsewhere
};

[[nodiscard]] std::string_view name(Precision precision) noexcept;
/// \throws Error InvalidArgument.
[[nodiscard]] Precision precision_by_name(std::string_view name);
/// All names, as the choices of an option.
[[nodiscard]] std::vector<std::string> precision_names();

/// Where a net is computed.
enum class Device {
  Cpu,
  Cuda  ///< the first NVIDIA GPU, through its driver (libcuda.so.1) alone
};

[[nodiscard]] std::string_view name(Device device) noexcept;
/// \throws Error InvalidArgument.
[[nodiscard]] Device device_by_name(std::string_view name);
/// All names, as the choices of an option.
[[nodiscard]] std::vector<std::string> device_names();

/// A transformer ready to compute. One object may serve many threads; each call runs on the
/// caller's thread alone, and on a GPU two at a time.
class Transformer {
 public:
  /// \throws Error CorruptData naming the tensor that is missing or has another shape,
  /// Unsupported for another architecture. Device::Cuda: InvalidArgument where there is no GPU (of
  /// compute capability 8.0 or more), no driver, or no kernels in this build; Unsupported for int8
  /// and heads of more than 128 numbers; OutOfResources.
  Transformer(const ModelFolder& model, Precision precision, Device device = Device::Cpu);
  Transformer(const TransformerSpec& spec, const TensorSet& weights, Precision precision,
              std::string_view source, Device device = Device::Cpu);

  [[nodiscard]] const TransformerSpec& spec() const noexcept;
  [[nodiscard]] Precision precision() const noexcept;
  [[nodiscard]] Device device() const noexcept;
  /// The last layer after its final norm, f32 [tokens, hidden].
  /// \throws Error InvalidArgument on token numbers outside the vocabulary or sequences longer
  /// than max_length, OutOfResources (naming what a GPU has free and what the batch needs).
  [[nodiscard]] Tensor hidden(const PackedTokens& batch) const;
  /// The head applied to rows of hidden(): f32 [rows, vocabulary].
  [[nodiscard]] Tensor logits(const Tensor& hidden) const;

 private:
  friend class Decoder;
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// Sequences that a causal transformer writes token by token, each in a slot of its own. Keys and
/// values of what was read are kept, so that a token costs one row of every layer. One thread at a
/// time.
class Decoder {
 public:
  /// Computes where the net does. \throws Error Unsupported if the net is not causal, not fp32, or
  /// drops tokens, which needs whole sequences.
  Decoder(const Transformer& net, std::size_t slots);
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  /// Reads one token for each of `slots` (each at most once); returns the last layer after its
  /// final norm, f32 [slots, hidden]: the last row of hidden() over all that the slot has read, up
  /// to 1e-5. A slot's result does not depend on the others'.
  /// \throws Error InvalidArgument on token or slot numbers that there are not, or beyond the
  /// model's max_length; OutOfResources.
  [[nodiscard]] Tensor step(std::span<const std::size_t> slots, std::span<const Token> tokens);
  /// Forgets what the slot has read.
  void restart(std::size_t slot);
  /// Tokens that the slot has read.
  [[nodiscard]] std::int64_t length(std::size_t slot) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aceso::nn
