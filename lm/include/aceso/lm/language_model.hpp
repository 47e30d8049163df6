/// \file
/// A language model with its tokenizer, at work on many sequences: embeddings and scores.
#pragma once

#include "aceso/core/progress.hpp"
#include "aceso/nn/model_folder.hpp"
#include "aceso/nn/tokenizer.hpp"
#include "aceso/nn/transformer.hpp"

#include <cstddef>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace aceso::lm {

/// One thing to compute: tokens, and what they belong to.
struct Item {
  std::size_t index = 0;  ///< the caller's
  std::vector<nn::Token> tokens;
};

/// How much one call of the model computes: enough to keep a CPU's matrix units busy, little
/// enough for its caches; on a GPU, enough for all of its processors.
[[nodiscard]] constexpr std::size_t tokens_at_once(nn::Device device) noexcept {
  return device == nn::Device::Cpu ? 2048 : 16384;
}

class LanguageModel {
 public:
  /// \throws Error NotFound, Io, CorruptData, Unsupported; InvalidArgument where `device` is
  /// missing; OutOfResources.
  LanguageModel(const std::filesystem::path& model, nn::Precision precision,
                nn::Device device = nn::Device::Cpu);

  /// The same with other weights of the same shapes; what else `weights` holds is left alone.
  [[nodiscard]] LanguageModel with_weights(const nn::TensorSet& weights) const;

  [[nodiscard]] const nn::Transformer& net() const noexcept { return net_; }
  [[nodiscard]] const nn::Tokenizer& tokenizer() const noexcept { return tokenizer_; }
  [[nodiscard]] const nn::ModelDescription& description() const noexcept {
    return folder_.description();
  }

  /// Tokens of `text`, framed as the model expects. \throws Error CorruptData naming `place` if the
  /// vocabulary lacks a character or the model takes no sequence so long.
  [[nodiscard]] std::vector<nn::Token> encode(std::string_view text, std::string_view place) const;

  /// Calls `body(item, rows)` for each item, with its rows of hidden(): f32 [tokens, hidden].
  /// Packs long items first, works on `threads` threads; calls come in no order, from several
  /// threads. Progress counts tokens.
  void for_each(std::span<const Item> items, unsigned threads, Progress& progress,
                const std::stop_token& stop,
                const std::function<void(const Item&, const Tensor&)>& body) const;

 private:
  LanguageModel(nn::ModelFolder folder, nn::Transformer net, nn::Tokenizer tokenizer)
      : folder_(std::move(folder)), net_(std::move(net)), tokenizer_(std::move(tokenizer)) {}

  nn::ModelFolder folder_;
  nn::Transformer net_;
  nn::Tokenizer tokenizer_;
};

}  // namespace aceso::lm
