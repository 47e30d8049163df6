/// \file
/// A transformer's weights by name, checked, and what else its ways to be computed share.
#pragma once

#include "aceso/core/tensor.hpp"
#include "aceso/nn/tensor_file.hpp"
#include "aceso/nn/transformer.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::nn {

struct Norm {
  Tensor gain, bias;
};

struct LinearTensors {
  Tensor weight, bias;  ///< [out, in], [out]
};

/// Finds weights, checks their shapes and gives them as f32.
class TransformerWeights {
 public:
  TransformerWeights(const TransformerSpec& spec, const TensorSet& tensors,
                     std::string_view source);

  /// \throws Error CorruptData naming the tensor that is missing or has another shape.
  [[nodiscard]] Tensor operator()(const std::string& name) const;
  [[nodiscard]] Norm norm(const std::string& name) const;
  [[nodiscard]] LinearTensors linear(const std::string& name) const;
  /// Query, key and value of one layer in one product; `layer` ends with "attention.".
  [[nodiscard]] LinearTensors query_key_value(const std::string& layer) const;

 private:
  const TensorSet& tensors_;
  std::string source_;
  std::map<std::string, std::vector<std::int64_t>> shapes_;
};

/// Tokens of the longest sequence.
[[nodiscard]] std::int64_t longest(const PackedTokens& batch);

/// \throws Error InvalidArgument on tokens outside the vocabulary and sequences that are too long.
void check_batch(const TransformerSpec& spec, const PackedTokens& batch);

/// What a sequence's embeddings are multiplied with. ESM was trained with 15 % of the tokens
/// chosen, 80 % of these masked, and embeddings scaled for the share of zeroed mask tokens.
[[nodiscard]] float dropout_scale(const TransformerSpec& spec, std::span<const Token> tokens);

/// \throws Error Unsupported if the model has no language model head.
void check_head(const TransformerSpec& spec);

}  // namespace aceso::nn
