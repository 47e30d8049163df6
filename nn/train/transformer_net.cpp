#include "transformer_net.hpp"

#include "attention.hpp"
#include "linear.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <mutex>

namespace aceso::train {
namespace {

struct Shape {
  std::int64_t layers, heads, hidden;
  bool causal, rotary, masked_head, tied, token_dropout;
  std::int64_t mask_token;
  double epsilon;

  explicit Shape(const nlohmann::json& config)
      : layers(config.at("layers")),
        heads(config.at("heads")),
        hidden(config.at("hidden")),
        causal(config.value("causal", false)),
        rotary(config.value("positions", "rotary") == "rotary"),
        masked_head(config.value("head", "masked") == "masked"),
        tied(config.value("tied", true)),
        token_dropout(config.value("token_dropout", false)),
        mask_token(config.value("mask_token", -1)),
        epsilon(config.value("norm_epsilon", 1e-5)) {}
};

std::int64_t longest(const at::Tensor& offsets) {
  const auto* offset = offsets.data_ptr<std::int32_t>();
  std::int64_t most = 0;
  for (std::int64_t s = 0; s + 1 < offsets.numel(); ++s)
    most = std::max<std::int64_t>(most, offset[s + 1] - offset[s]);
  return most;
}

/// One factor for each token: 0 at mask tokens; else as ESM scales for the share of masked tokens.
at::Tensor dropout_factors(const at::Tensor& tokens, const at::Tensor& offsets,
                           std::int64_t mask_token) {
  at::Tensor factors = at::empty({tokens.numel(), 1}, at::kFloat);
  const auto* token = tokens.data_ptr<std::int32_t>();
  const auto* offset = offsets.data_ptr<std::int32_t>();
  float* to = factors.data_ptr<float>();
  for (std::int64_t s = 0; s + 1 < offsets.numel(); ++s) {
    const auto masked = std::count(token + offset[s], token + offset[s + 1], mask_token);
    const auto length = static_cast<float>(offset[s + 1] - offset[s]);
    const float scale = (1.0F - 0.15F * 0.8F) / (1.0F - static_cast<float>(masked) / length);
    for (std::int32_t t = offset[s]; t < offset[s + 1]; ++t)
      to[t] = token[t] == mask_token ? 0.0F : scale;
  }
  return factors;
}

/// The place of each token in its sequence, for learned positions.
at::Tensor positions_of(const at::Tensor& offsets, std::int64_t tokens) {
  at::Tensor result = at::empty({tokens}, at::kInt);
  const auto* offset = offsets.data_ptr<std::int32_t>();
  auto* to = result.data_ptr<std::int32_t>();
  for (std::int64_t s = 0; s + 1 < offsets.numel(); ++s)
    for (std::int32_t t = offset[s]; t < offset[s + 1]; ++t) to[t] = t - offset[s];
  return result;
}

/// Linear layers as the weights are to be computed with.
at::Tensor product(const Weights& w, const at::Tensor& x, const at::Tensor& weight,
                   const at::Tensor& bias = {}) {
  return w.own_kernels ? linear_with(x, weight, bias) : plain_linear(x, weight, bias);
}

/// The means of spans of rows, as a product with a matrix of shares: [spans, rows] x [rows, H].
at::Tensor span_means(const at::Tensor& rows, const at::Tensor& spans) {
  at::Tensor shares = at::zeros({spans.size(0), rows.size(0)}, at::kFloat);
  const auto* span = spans.data_ptr<std::int32_t>();
  float* to = shares.data_ptr<float>();
  for (std::int64_t s = 0; s < spans.size(0); ++s) {
    const std::int32_t first = span[2 * s], last = span[2 * s + 1];
    if (first < 0 || last <= first || last > rows.size(0)) throw Mistake("a span is no span");
    std::fill(to + s * rows.size(0) + first, to + s * rows.size(0) + last,
              1.0F / static_cast<float>(last - first));
  }
  return at::matmul(shares.to(rows.device()), rows);
}

class TransformerNet : public Net {
 public:
  TransformerNet(const nlohmann::json& config, const nlohmann::json& objective)
      : shape_(config),
        spans_(objective.at("rows") == "spans"),
        task_(objective.at("head") == "task") {}

  at::Tensor outputs(const Weights& w, const Tensors& batch) const override {
    const at::Tensor x = body(w, batch);
    const at::Tensor rows = spans_ ? span_means(x, find(batch, "spans"))
                                   : x.index_select(0, find(batch, "places").to(w.device));
    return task_ ? task_head(w, rows) : token_head(w, rows);
  }

  std::int64_t size(const Tensors& batch) const override { return find(batch, "tokens").numel(); }

 private:
  at::Tensor body(const Weights& w, const Tensors& batch) const {
    const at::Tensor& tokens = find(batch, "tokens");
    const at::Tensor& offsets = find(batch, "offsets");
    at::Tensor x = embed(w, tokens, offsets);
    const at::Tensor rotary =
        (shape_.rotary ? angles(longest(offsets)) : at::empty({0}, at::kFloat)).to(w.device);
    const auto attention = w.own_kernels ? packed_attention : plain_attention;
    for (std::int64_t i = 0; i < shape_.layers; ++i) {
      const std::string layer = "layers." + std::to_string(i) + ".";
      at::Tensor y = norm(w, layer + "attention.norm", x, shape_.epsilon);
      y = attention(qkv(w, layer + "attention.", y), offsets, rotary, shape_.heads, shape_.causal);
      x = x + linear(w, layer + "attention.output", y);
      y = norm(w, layer + "mlp.norm", x, shape_.epsilon);
      x = x + linear(w, layer + "mlp.down", at::gelu(linear(w, layer + "mlp.up", y)));
    }
    return norm(w, "final_norm", x, shape_.epsilon);
  }

  at::Tensor embed(const Weights& w, const at::Tensor& tokens, const at::Tensor& offsets) const {
    at::Tensor x = at::embedding(w("embed.tokens.weight"), tokens.to(w.device)).to(at::kFloat);
    if (shape_.token_dropout)
      x = x * dropout_factors(tokens, offsets, shape_.mask_token).to(w.device);
    if (!shape_.rotary)
      x = x + at::embedding(w("embed.positions.weight"),
                            positions_of(offsets, tokens.numel()).to(w.device))
                  .to(at::kFloat);
    return x;
  }

  /// Query, key and value in one product.
  static at::Tensor qkv(const Weights& w, const std::string& name, const at::Tensor& x) {
    const std::string q = name + "query", k = name + "key", v = name + "value";
    const at::Tensor weight = at::cat({w(q + ".weight"), w(k + ".weight"), w(v + ".weight")});
    const at::Tensor bias = at::cat({w(q + ".bias"), w(k + ".bias"), w(v + ".bias")});
    const at::Tensor y = product(w, x, weight, bias);
    std::vector<at::Tensor> parts;
    bool adapted = false;
    for (const std::string& part : {q, k, v}) {
      at::Tensor added = adapter(w, part, x);
      adapted = adapted || added.defined();
      if (!added.defined()) added = at::zeros({x.size(0), x.size(1)}, y.options());
      parts.push_back(added);
    }
    return adapted ? y + at::cat(parts, 1) : y;
  }

  at::Tensor token_head(const Weights& w, const at::Tensor& rows) const {
    at::Tensor x = rows;
    if (shape_.masked_head)
      x = norm(w, "head.norm", at::gelu(linear(w, "head.dense", x)), shape_.epsilon);
    const at::Tensor& decoder = shape_.tied ? w("embed.tokens.weight") : w("head.decoder.weight");
    return at::linear(x.to(decoder.scalar_type()), decoder).to(at::kFloat) + w("head.bias");
  }

  static at::Tensor task_head(const Weights& w, const at::Tensor& rows) {
    const bool dense = w.has("task.dense.weight");
    const at::Tensor x = dense ? at::gelu(linear(w, "task.dense", rows)) : rows;
    return linear(w, "task.output", x).to(at::kFloat);
  }

  at::Tensor angles(std::int64_t positions) const {
    const std::scoped_lock lock(mutex_);
    if (!angles_.defined() || angles_.size(0) < positions)
      angles_ = rotary_table(positions, shape_.hidden / shape_.heads);
    return angles_;
  }

  Shape shape_;
  bool spans_, task_;
  mutable std::mutex mutex_;
  mutable at::Tensor angles_;
};

}  // namespace

std::unique_ptr<Net> transformer_net(const nlohmann::json& config,
                                     const nlohmann::json& objective) {
  return std::make_unique<TransformerNet>(config, objective);
}

Tensors borrow(const aceso_arrays& arrays) {
  Tensors result;
  for (std::size_t i = 0; i < arrays.count; ++i) {
    const aceso_array& array = arrays.arrays[i];
    const std::vector<std::int64_t> shape(array.shape, array.shape + array.rank);
    result[array.name] = at::from_blob(const_cast<void*>(array.data), shape,
                                       array.type == ACESO_F32 ? at::kFloat : at::kInt);
  }
  return result;
}

at::Tensor adapter(const Weights& weights, const std::string& name, const at::Tensor& x) {
  const std::string down = "adapters." + name + ".down";
  if (!weights.has(down)) return {};
  const at::Tensor& first = weights(down);
  const at::Tensor narrow = product(weights, x, first);
  return product(weights, narrow, weights("adapters." + name + ".up")) * weights.adapter_scale;
}

at::Tensor linear(const Weights& weights, const std::string& name, const at::Tensor& x) {
  const at::Tensor y =
      product(weights, x, weights(name + ".weight"),
              weights.has(name + ".bias") ? weights(name + ".bias") : at::Tensor());
  const at::Tensor added = adapter(weights, name, x);
  return added.defined() ? y + added : y;
}

at::Tensor norm(const Weights& weights, const std::string& name, const at::Tensor& x,
                double epsilon) {
  const at::Tensor& gain = weights(name + ".weight");
  return at::layer_norm(x.to(at::kFloat), {gain.numel()}, gain, weights(name + ".bias"), epsilon);
}

}  // namespace aceso::train
