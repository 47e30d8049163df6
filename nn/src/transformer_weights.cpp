#include "transformer_weights.hpp"

#include "aceso/core/error.hpp"

#include <algorithm>
#include <utility>

namespace aceso::nn {

TransformerWeights::TransformerWeights(const TransformerSpec& spec, const TensorSet& tensors,
                                       std::string_view source)
    : tensors_(tensors), source_(source) {
  for (TensorInfo& info : spec.weights()) shapes_.emplace(info.name, std::move(info.shape));
}

Tensor TransformerWeights::operator()(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end())
    fail(Errc::CorruptData, "{}: the tensor {} is missing", source_, name);
  if (found->second.shape() != shapes_.at(name))
    fail(Errc::CorruptData, "{}: {}: expected the shape {}, found {}", source_, name,
         shape_text(shapes_.at(name)), shape_text(found->second.shape()));
  return to_float32(found->second);
}

Norm TransformerWeights::norm(const std::string& name) const {
  return {(*this)(name + ".weight"), (*this)(name + ".bias")};
}

LinearTensors TransformerWeights::linear(const std::string& name) const {
  return {(*this)(name + ".weight"), (*this)(name + ".bias")};
}

LinearTensors TransformerWeights::query_key_value(const std::string& layer) const {
  const std::int64_t hidden = shapes_.at(layer + "query.bias")[0];
  LinearTensors all{Tensor(DType::F32, {3 * hidden, hidden}), Tensor(DType::F32, {3 * hidden})};
  float* to = all.weight.values<float>().data();
  float* to_bias = all.bias.values<float>().data();
  for (const char* part : {"query", "key", "value"}) {
    const LinearTensors one = linear(layer + part);
    to = std::ranges::copy(one.weight.values<float>(), to).out;
    to_bias = std::ranges::copy(one.bias.values<float>(), to_bias).out;
  }
  return all;
}

std::int64_t longest(const PackedTokens& batch) {
  std::int64_t most = 0;
  for (std::size_t i = 0; i < batch.sequences(); ++i)
    most = std::max<std::int64_t>(most, batch.offsets[i + 1] - batch.offsets[i]);
  return most;
}

void check_batch(const TransformerSpec& spec, const PackedTokens& batch) {
  for (const Token token : batch.tokens) {
    if (token < 0 || token >= spec.vocabulary)
      fail(Errc::InvalidArgument, "expected tokens from 0 to {}, found {}", spec.vocabulary - 1,
           token);
  }
  if (spec.max_length > 0 && longest(batch) > spec.max_length)
    fail(Errc::InvalidArgument, "expected at most {} tokens in a sequence, found {}",
         spec.max_length, longest(batch));
}

float dropout_scale(const TransformerSpec& spec, std::span<const Token> tokens) {
  if (!spec.token_dropout) return 1.0F;
  const auto masked = static_cast<float>(std::ranges::count(tokens, spec.mask_token));
  return (1.0F - 0.15F * 0.8F) / (1.0F - masked / static_cast<float>(tokens.size()));
}

void check_head(const TransformerSpec& spec) {
  if (spec.head == "none")
    fail(Errc::Unsupported, "the model has no language model head, which logits come from");
}

}  // namespace aceso::nn
