/// \file
/// Batches for training language models on unlabelled sequences, masked or causal.
#pragma once

#include "aceso/lm/token_store.hpp"
#include "aceso/lm/training.hpp"
#include "aceso/nn/transformer.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace aceso::lm {

struct PretrainingSettings {
  std::int64_t max_length = 1024;  ///< tokens, with begin and end; longer sequences are cropped
  std::int64_t micro_batch_tokens = 2048;
  std::int64_t micro_batches = 4;  ///< of one step, over all ranks
  double held_out_share = 0.02;    ///< of the sequences, chosen by their content
  double masked_share = 0.15;      ///< of the tokens; 80 % become the mask, 10 % another token
  std::uint64_t seed = 1;
  std::int64_t rank = 0, ranks = 1;
};

/// Packs sequences without padding, in an order of its own for each epoch. A sequence longer than
/// max_length gives one window, at a random place, in each epoch. What is masked depends on seed,
/// epoch and sequence alone.
class PretrainingSource : public BatchSource {
 public:
  /// `causal`: predict each next token; else fill masked ones. Sequences hold no begin and end
  /// tokens; those of the tokenizer are added.
  /// \throws Error CorruptData if nothing is left to train on; InvalidArgument on impossible sizes;
  /// Unsupported if the tokenizer has no mask token and one is needed.
  PretrainingSource(TokenStore store, nn::Tokenizer tokenizer, bool causal,
                    const PretrainingSettings& settings);
  ~PretrainingSource() override;

  [[nodiscard]] std::vector<nn::TrainingBatch> next() override;
  [[nodiscard]] Json position() const override;
  void seek(const Json& position) override;
  [[nodiscard]] std::span<const nn::TrainingBatch> held_out() const override;
  [[nodiscard]] std::string fingerprint() const override;

  [[nodiscard]] std::size_t training_sequences() const noexcept;
  [[nodiscard]] std::size_t held_out_sequences() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Weights for a transformer that has seen nothing: normal with deviation 0.02, output projections
/// of blocks divided by sqrt(2 layers) (Radford et al. 2019), norms one, biases zero.
[[nodiscard]] nn::TensorSet first_weights(const nn::TransformerSpec& spec, std::uint64_t seed);

}  // namespace aceso::lm
