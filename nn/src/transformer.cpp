#include "aceso/nn/transformer.hpp"

#include "aceso/core/error.hpp"
#include "cuda/cuda_transformer.hpp"
#include "cuda/driver.hpp"
#include "kernels/kernels.hpp"
#include "key_value_cache.hpp"
#include "matmul.hpp"
#include "rotary.hpp"
#include "transformer_net.hpp"
#include "transformer_weights.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace aceso::nn {
namespace {

using kernels::Bf16;

struct Layer {
  Norm attention_norm, mlp_norm;
  Linear qkv, output, up, down;
};

/// A layer as the CPU computes it.
Linear linear(const LinearTensors& tensors, Precision precision,
              Linear::Result result = Linear::Result::Same) {
  return {tensors.weight.values<float>().data(),
          tensors.bias.values<float>().data(),
          tensors.weight.shape()[0],
          tensors.weight.shape()[1],
          precision,
          result};
}

float* floats(const Buffer& buffer) { return reinterpret_cast<float*>(buffer.data()); }

Buffer float_buffer(std::int64_t count) {
  return Buffer(static_cast<std::size_t>(count) * sizeof(float));
}

/// A transformer on the CPU.
struct CpuTransformer final : TransformerNet {
  TransformerSpec spec;
  Precision precision;
  const kernels::Table& kernels = kernels::best();
  Tensor embedding, positions;
  std::vector<Layer> layers;
  Norm final_norm;
  std::optional<RotaryTable> rotary;
  // The head is small beside the layers and always computed in f32.
  Linear head_dense, scores;
  Norm head_norm;

  CpuTransformer(const TransformerSpec& the_spec, const TransformerWeights& weights,
                 Precision the_precision)
      : spec(the_spec), precision(the_precision) {
    embedding = weights("embed.tokens.weight");
    if (spec.positions == "learned")
      positions = weights("embed.positions.weight");
    else
      rotary.emplace(spec.head_size());
    for (std::int64_t i = 0; i < spec.layers; ++i) layers.push_back(layer(weights, i));
    final_norm = weights.norm("final_norm");
    load_head(weights);
  }

  [[nodiscard]] Layer layer(const TransformerWeights& weights, std::int64_t i) const {
    const std::string name = "layers." + std::to_string(i) + ".";
    Layer made;
    made.attention_norm = weights.norm(name + "attention.norm");
    made.qkv = linear(weights.query_key_value(name + "attention."), precision);
    made.output =
        linear(weights.linear(name + "attention.output"), precision, Linear::Result::Added);
    made.mlp_norm = weights.norm(name + "mlp.norm");
    made.up = linear(weights.linear(name + "mlp.up"), precision, Linear::Result::Gelu);
    made.down = linear(weights.linear(name + "mlp.down"), precision, Linear::Result::Added);
    return made;
  }

  void load_head(const TransformerWeights& weights) {
    if (spec.head == "none") return;
    if (spec.head == "masked") {
      head_dense = linear(weights.linear("head.dense"), Precision::Fp32, Linear::Result::Gelu);
      head_norm = weights.norm("head.norm");
    }
    const Tensor weight = spec.tied ? embedding : weights("head.decoder.weight");
    const Tensor bias = weights("head.bias");
    scores = linear({weight, bias}, Precision::Fp32);
  }

  /// Whether layers exchange bf16 values.
  [[nodiscard]] bool bf16() const { return precision != Precision::Fp32; }

  void embed(const PackedTokens& batch, float* x) const {
    const std::size_t width = static_cast<std::size_t>(spec.hidden);
    const float* table = embedding.values<float>().data();
    for (std::size_t s = 0; s < batch.sequences(); ++s) {
      const auto first = static_cast<std::size_t>(batch.offsets[s]);
      const auto last = static_cast<std::size_t>(batch.offsets[s + 1]);
      if (first == last) continue;
      const float scale = dropout_scale(spec, std::span(batch.tokens).subspan(first, last - first));
      for (std::size_t t = first; t < last; ++t) {
        const bool zeroed = spec.token_dropout && batch.tokens[t] == spec.mask_token;
        const float* row = table + static_cast<std::size_t>(batch.tokens[t]) * width;
        float* to = x + t * width;
        for (std::size_t d = 0; d < width; ++d) to[d] = zeroed ? 0.0F : row[d] * scale;
        if (spec.positions == "learned") {
          const float* place = positions.values<float>().data() + (t - first) * width;
          for (std::size_t d = 0; d < width; ++d) to[d] += place[d];
        }
      }
    }
  }

  void normalise(const Norm& norm, const float* x, std::int64_t rows, void* y, bool to_bf16) const {
    kernels.norm(x, norm.gain.values<float>().data(), norm.bias.values<float>().data(),
                 static_cast<float>(spec.norm_epsilon), rows, spec.hidden,
                 to_bf16 ? nullptr : static_cast<float*>(y),
                 to_bf16 ? static_cast<Bf16*>(y) : nullptr);
  }

  void attend(const PackedTokens& batch, const std::byte* qkv, std::byte* out,
              const RotaryTable::Angles* angles, float* workspace) const {
    const std::size_t row = static_cast<std::size_t>(spec.hidden) * (bf16() ? 2 : 4);
    for (std::size_t s = 0; s < batch.sequences(); ++s) {
      const auto first = static_cast<std::size_t>(batch.offsets[s]);
      kernels.attention({.qkv = qkv + 3 * row * first,
                         .out = out + row * first,
                         .bf16 = bf16(),
                         .causal = spec.causal,
                         .length = batch.offsets[s + 1] - batch.offsets[s],
                         .hidden = spec.hidden,
                         .heads = spec.heads,
                         .cosine = angles != nullptr ? angles->cosine.data() : nullptr,
                         .sine = angles != nullptr ? angles->sine.data() : nullptr,
                         .workspace = workspace});
    }
  }

  /// What a few rows need between products: little enough to stay in a core's cache.
  struct Chunk {
    static constexpr std::int64_t kRows = 384;  ///< a multiple of every product's tiles
    std::int64_t row;                           ///< bytes of `hidden` values
    Buffer normed, wide;

    Chunk(const TransformerSpec& spec, bool bf16)
        : row(spec.hidden * (bf16 ? 2 : 4)),
          normed(static_cast<std::size_t>(row * kRows)),
          wide(static_cast<std::size_t>(spec.feed_forward * (bf16 ? 2 : 4) * kRows)) {}
  };

  template <typename Body>
  static void in_chunks(std::int64_t rows, const Body& body) {
    for (std::int64_t first = 0; first < rows; first += Chunk::kRows)
      body(first, std::min(Chunk::kRows, rows - first));
  }

  [[nodiscard]] Tensor hidden(const PackedTokens& batch) const override {
    const auto rows = static_cast<std::int64_t>(batch.tokens.size());
    const std::int64_t h = spec.hidden;
    Tensor x(DType::F32, {rows, h});
    float* state = x.values<float>().data();
    embed(batch, state);

    const Buffer qkv = float_buffer(rows * 3 * h), mixed = float_buffer(rows * h);
    const Chunk chunk(spec, bf16());
    const std::int64_t length = longest(batch);
    const Buffer workspace = float_buffer(kernels::attention_workspace(length, spec.head_size()));
    const auto angles = rotary ? rotary->angles(length) : nullptr;
    for (const Layer& layer : layers) {
      in_chunks(rows, [&](std::int64_t first, std::int64_t many) {
        normalise(layer.attention_norm, state + first * h, many, chunk.normed.data(), bf16());
        layer.qkv.apply(chunk.normed.data(), qkv.data() + 3 * first * chunk.row, many);
      });
      attend(batch, qkv.data(), mixed.data(), angles.get(), floats(workspace));
      in_chunks(rows, [&](std::int64_t first, std::int64_t many) {
        float* rows_of_chunk = state + first * h;
        layer.output.apply(mixed.data() + first * chunk.row, rows_of_chunk, many);
        normalise(layer.mlp_norm, rows_of_chunk, many, chunk.normed.data(), bf16());
        layer.up.apply(chunk.normed.data(), chunk.wide.data(), many);
        layer.down.apply(chunk.wide.data(), rows_of_chunk, many);
      });
    }
    normalise(final_norm, state, rows, state, false);
    return x;
  }

  void embed_token(Token token, std::int64_t position, float* to) const {
    const std::int64_t h = spec.hidden;
    std::copy_n(embedding.values<float>().data() + token * h, h, to);
    if (spec.positions != "learned") return;
    const float* place = positions.values<float>().data() + position * h;
    for (std::int64_t d = 0; d < h; ++d) to[d] += place[d];
  }

  /// Turns the halves of each head's vector by the position's angles.
  void turn(float* x, std::int64_t position, const RotaryTable::Angles& angles) const {
    const std::int64_t half = spec.head_size() / 2;
    const float* c = angles.cosine.data() + position * half;
    const float* s = angles.sine.data() + position * half;
    for (std::int64_t head = 0; head < spec.heads; ++head, x += 2 * half) {
      for (std::int64_t d = 0; d < half; ++d) {
        const float one = x[d], two = x[d + half];
        x[d] = one * c[d] - two * s[d];
        x[d + half] = two * c[d] + one * s[d];
      }
    }
  }

  /// One layer's attention of the slots' next tokens; `qkv` is turned in place.
  void attend_step(KeyValueCache& cache, std::int64_t layer, std::span<const std::size_t> slots,
                   float* qkv, float* out) const {
    const std::int64_t h = spec.hidden;
    for (const std::size_t slot : slots) {
      const std::int64_t position = cache.length(slot);
      if (rotary) {
        const auto angles = rotary->angles(position + 1);
        turn(qkv, position, *angles);
        turn(qkv + h, position, *angles);
      }
      cache.attend(layer, slot, qkv, qkv + h, qkv + 2 * h, out);
      qkv += 3 * h;
      out += h;
    }
  }

  [[nodiscard]] Tensor step(KeyValueCache& cache, std::span<const std::size_t> slots,
                            std::span<const Token> tokens) const {
    const auto rows = static_cast<std::int64_t>(slots.size()), h = spec.hidden;
    Tensor x(DType::F32, {rows, h});
    float* state = x.values<float>().data();
    for (std::size_t r = 0; r < slots.size(); ++r) {
      cache.reserve(slots[r]);
      embed_token(tokens[r], cache.length(slots[r]), state + static_cast<std::int64_t>(r) * h);
    }
    const Buffer normed = float_buffer(rows * h), qkv = float_buffer(rows * 3 * h);
    const Buffer mixed = float_buffer(rows * h), wide = float_buffer(rows * spec.feed_forward);
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const Layer& layer = layers[l];
      normalise(layer.attention_norm, state, rows, normed.data(), false);
      layer.qkv.apply(normed.data(), qkv.data(), rows);
      attend_step(cache, static_cast<std::int64_t>(l), slots, floats(qkv), floats(mixed));
      layer.output.apply(mixed.data(), state, rows);
      normalise(layer.mlp_norm, state, rows, normed.data(), false);
      layer.up.apply(normed.data(), wide.data(), rows);
      layer.down.apply(wide.data(), state, rows);
    }
    for (const std::size_t slot : slots) cache.advance(slot);
    normalise(final_norm, state, rows, state, false);
    return x;
  }

  [[nodiscard]] Tensor logits(const Tensor& hidden_rows) const override {
    const std::int64_t rows = hidden_rows.shape().at(0), h = spec.hidden;
    const Buffer one = float_buffer(rows * h), two = float_buffer(rows * h);
    std::ranges::copy(hidden_rows.values<float>(), floats(one));
    const void* features = one.data();
    if (spec.head == "masked") {
      head_dense.apply(one.data(), two.data(), rows);
      normalise(head_norm, floats(two), rows, one.data(), false);
    }
    Tensor result(DType::F32, {rows, spec.vocabulary});
    scores.apply(features, result.data(), rows);
    return result;
  }

  [[nodiscard]] std::unique_ptr<DecoderNet> decoder(std::size_t slots) const override;
};

struct CpuDecoder final : DecoderNet {
  const CpuTransformer& net;
  KeyValueCache cache;

  CpuDecoder(const CpuTransformer& the_net, std::size_t slots)
      : net(the_net), cache(net.spec.layers, net.spec.heads, net.spec.head_size(), slots) {}

  [[nodiscard]] std::size_t slots() const noexcept override { return cache.slots(); }
  [[nodiscard]] std::int64_t length(std::size_t slot) const override { return cache.length(slot); }
  void restart(std::size_t slot) override { cache.restart(slot); }
  [[nodiscard]] Tensor step(std::span<const std::size_t> slots,
                            std::span<const Token> tokens) override {
    return net.step(cache, slots, tokens);
  }
};

std::unique_ptr<DecoderNet> CpuTransformer::decoder(std::size_t slots) const {
  return std::make_unique<CpuDecoder>(*this, slots);
}

}  // namespace

void PackedTokens::add(std::span<const Token> sequence) {
  tokens.insert(tokens.end(), sequence.begin(), sequence.end());
  offsets.push_back(static_cast<std::int32_t>(tokens.size()));
}

void PackedTokens::clear() {
  tokens.clear();
  offsets.assign(1, 0);
}

namespace {

TransformerSpec spec_of(const ModelFolder& model) {
  const ModelDescription& description = model.description();
  const std::string source = model.path().string();
  if (description.architecture != "transformer")
    fail(Errc::Unsupported, "{}: expected a model of architecture transformer, found {}", source,
         description.architecture);
  return TransformerSpec::from_json(description.config, source);
}

}  // namespace

struct Transformer::Impl {
  TransformerSpec spec;
  Precision precision;
  Device device;
  std::shared_ptr<const TransformerNet> net;

  Impl(const TransformerSpec& the_spec, const TensorSet& tensors, Precision the_precision,
       std::string_view source, Device the_device)
      : spec(the_spec), precision(the_precision), device(the_device) {
    const TransformerWeights weights(spec, tensors, source);
    if (device == Device::Cuda) {
      cuda::CudaTransformer::check(spec, precision);
      net = std::make_shared<const cuda::CudaTransformer>(cuda::first_gpu(), spec, weights,
                                                          precision);
    } else {
      net = std::make_shared<const CpuTransformer>(spec, weights, precision);
    }
  }
};

Transformer::Transformer(const ModelFolder& model, Precision precision, Device device)
    : Transformer(spec_of(model), model.weights().all(), precision, model.path().string(), device) {
}

Transformer::Transformer(const TransformerSpec& spec, const TensorSet& weights, Precision precision,
                         std::string_view source, Device device)
    : impl_(std::make_shared<const Impl>(spec, weights, precision, source, device)) {}

const TransformerSpec& Transformer::spec() const noexcept { return impl_->spec; }
Precision Transformer::precision() const noexcept { return impl_->precision; }
Device Transformer::device() const noexcept { return impl_->device; }

Tensor Transformer::hidden(const PackedTokens& batch) const {
  check_batch(impl_->spec, batch);
  return impl_->net->hidden(batch);
}

Tensor Transformer::logits(const Tensor& hidden) const {
  check_head(impl_->spec);
  return impl_->net->logits(hidden);
}

struct Decoder::State {
  TransformerSpec spec;
  std::shared_ptr<const TransformerNet> net;
  std::unique_ptr<DecoderNet> decoder;  ///< before the net when they end

  State(const TransformerSpec& the_spec, std::shared_ptr<const TransformerNet> the_net,
        std::size_t slots)
      : spec(the_spec), net(std::move(the_net)), decoder(net->decoder(slots)) {}

  void check(std::size_t slot) const {
    if (slot >= decoder->slots())
      fail(Errc::InvalidArgument, "expected slots below {}, found {}", decoder->slots(), slot);
  }

  void check(std::span<const std::size_t> slots, std::span<const Token> tokens) const {
    if (slots.size() != tokens.size())
      fail(Errc::InvalidArgument, "expected a token for each of {} slots, found {}", slots.size(),
           tokens.size());
    for (std::size_t r = 0; r < slots.size(); ++r) {
      check(slots[r]);
      if (tokens[r] < 0 || tokens[r] >= spec.vocabulary)
        fail(Errc::InvalidArgument, "expected tokens from 0 to {}, found {}", spec.vocabulary - 1,
             tokens[r]);
      if (spec.max_length > 0 && decoder->length(slots[r]) >= spec.max_length)
        fail(Errc::InvalidArgument, "expected at most {} tokens in a sequence, found more",
             spec.max_length);
    }
  }
};

Decoder::Decoder(const Transformer& net, std::size_t slots) {
  if (!net.spec().causal || net.spec().token_dropout)
    fail(Errc::Unsupported,
         "expected a causal transformer without token dropout, to write with; found another");
  if (net.precision() != Precision::Fp32)
    fail(Errc::Unsupported, "sequences are written in fp32, found {}", name(net.precision()));
  state_ = std::make_unique<State>(net.spec(), net.impl_->net, slots);
}

Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

Tensor Decoder::step(std::span<const std::size_t> slots, std::span<const Token> tokens) {
  state_->check(slots, tokens);
  return state_->decoder->step(slots, tokens);
}

void Decoder::restart(std::size_t slot) {
  state_->check(slot);
  state_->decoder->restart(slot);
}

std::int64_t Decoder::length(std::size_t slot) const {
  state_->check(slot);
  return state_->decoder->length(slot);
}

}  // namespace aceso::nn
