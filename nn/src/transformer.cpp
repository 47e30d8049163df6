#include "aceso/nn/transformer.hpp"

#include "aceso/core/error.hpp"
#include "kernels/kernels.hpp"
#include "key_value_cache.hpp"
#include "matmul.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <optional>

namespace aceso::nn {
namespace {

using kernels::Bf16;

struct Norm {
  Tensor gain, bias;
};

struct Layer {
  Norm attention_norm, mlp_norm;
  Linear qkv, output, up, down;
};

/// Finds weights, checks their shapes and gives them as f32.
class Weights {
 public:
  Weights(const TransformerSpec& spec, const TensorSet& tensors, std::string_view source)
      : tensors_(tensors), source_(source) {
    for (TensorInfo& info : spec.weights()) shapes_.emplace(info.name, std::move(info.shape));
  }

  [[nodiscard]] Tensor operator()(const std::string& name) const {
    const auto found = tensors_.find(name);
    if (found == tensors_.end())
      fail(Errc::CorruptData, "{}: the tensor {} is missing", source_, name);
    if (found->second.shape() != shapes_.at(name))
      fail(Errc::CorruptData, "{}: {}: expected the shape {}, found {}", source_, name,
           shape_text(shapes_.at(name)), shape_text(found->second.shape()));
    return to_float32(found->second);
  }

  [[nodiscard]] Norm norm(const std::string& name) const {
    return {(*this)(name + ".weight"), (*this)(name + ".bias")};
  }

  [[nodiscard]] Linear linear(const std::string& name, Precision precision,
                              Linear::Result result = Linear::Result::Same) const {
    const Tensor weight = (*this)(name + ".weight"), bias = (*this)(name + ".bias");
    return {weight.values<float>().data(),
            bias.values<float>().data(),
            weight.shape()[0],
            weight.shape()[1],
            precision,
            result};
  }

  /// Query, key and value in one product.
  [[nodiscard]] Linear fused(const std::string& layer, std::int64_t hidden,
                             Precision precision) const {
    Tensor weight(DType::F32, {3 * hidden, hidden}), bias(DType::F32, {3 * hidden});
    float* to = weight.values<float>().data();
    float* to_bias = bias.values<float>().data();
    for (const char* part : {"query", "key", "value"}) {
      const Tensor w = (*this)(layer + part + ".weight"), b = (*this)(layer + part + ".bias");
      to = std::ranges::copy(w.values<float>(), to).out;
      to_bias = std::ranges::copy(b.values<float>(), to_bias).out;
    }
    return {
        weight.values<float>().data(), bias.values<float>().data(), 3 * hidden, hidden, precision,
        Linear::Result::Same};
  }

 private:
  const TensorSet& tensors_;
  std::string source_;
  std::map<std::string, std::vector<std::int64_t>> shapes_;
};

/// Cosines and sines of the rotary angles position * 10000^(-2 i / head size), as far as needed.
class RotaryTable {
 public:
  struct Angles {
    std::vector<float> cosine, sine;
  };

  explicit RotaryTable(std::int64_t head_size) : half_(head_size / 2) {}

  /// For positions [0, length) at least. Thread-safe.
  [[nodiscard]] std::shared_ptr<const Angles> angles(std::int64_t length) const {
    const std::scoped_lock lock(mutex_);
    if (length > length_) {
      const std::int64_t wanted = std::max<std::int64_t>(length, 2 * length_);
      auto made = std::make_shared<Angles>();
      made->cosine.reserve(static_cast<std::size_t>(wanted * half_));
      made->sine.reserve(static_cast<std::size_t>(wanted * half_));
      for (std::int64_t p = 0; p < wanted; ++p) {
        for (std::int64_t i = 0; i < half_; ++i) {
          // In float, as the published models were trained with.
          const float frequency =
              1.0F / std::pow(10000.0F, static_cast<float>(i) / static_cast<float>(half_));
          const float angle = static_cast<float>(p) * frequency;
          made->cosine.push_back(std::cos(angle));
          made->sine.push_back(std::sin(angle));
        }
      }
      angles_ = std::move(made);
      length_ = wanted;
    }
    return angles_;
  }

 private:
  std::int64_t half_;
  mutable std::mutex mutex_;
  mutable std::int64_t length_ = 0;
  mutable std::shared_ptr<const Angles> angles_;
};

std::int64_t longest(const PackedTokens& batch) {
  std::int64_t most = 0;
  for (std::size_t i = 0; i < batch.sequences(); ++i)
    most = std::max<std::int64_t>(most, batch.offsets[i + 1] - batch.offsets[i]);
  return most;
}

float* floats(const Buffer& buffer) { return reinterpret_cast<float*>(buffer.data()); }

Buffer float_buffer(std::int64_t count) {
  return Buffer(static_cast<std::size_t>(count) * sizeof(float));
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

struct Transformer::Impl {
  TransformerSpec spec;
  Precision precision;
  const kernels::Table& kernels = kernels::best();
  Tensor embedding, positions;
  std::vector<Layer> layers;
  Norm final_norm;
  std::optional<RotaryTable> rotary;
  // The head is small beside the layers and always computed in f32.
  Linear head_dense, decoder;
  Norm head_norm;

  Impl(const TransformerSpec& the_spec, const TensorSet& tensors, Precision the_precision,
       std::string_view source)
      : spec(the_spec), precision(the_precision) {
    const Weights weights(spec, tensors, source);
    embedding = weights("embed.tokens.weight");
    if (spec.positions == "learned")
      positions = weights("embed.positions.weight");
    else
      rotary.emplace(spec.head_size());
    for (std::int64_t i = 0; i < spec.layers; ++i) layers.push_back(layer(weights, i));
    final_norm = weights.norm("final_norm");
    load_head(weights);
  }

  [[nodiscard]] Layer layer(const Weights& weights, std::int64_t i) const {
    const std::string name = "layers." + std::to_string(i) + ".";
    Layer made;
    made.attention_norm = weights.norm(name + "attention.norm");
    made.qkv = weights.fused(name + "attention.", spec.hidden, precision);
    made.output = weights.linear(name + "attention.output", precision, Linear::Result::Added);
    made.mlp_norm = weights.norm(name + "mlp.norm");
    made.up = weights.linear(name + "mlp.up", precision, Linear::Result::Gelu);
    made.down = weights.linear(name + "mlp.down", precision, Linear::Result::Added);
    return made;
  }

  void load_head(const Weights& weights) {
    if (spec.head == "none") return;
    if (spec.head == "masked") {
      head_dense = weights.linear("head.dense", Precision::Fp32, Linear::Result::Gelu);
      head_norm = weights.norm("head.norm");
    }
    const Tensor weight = spec.tied ? embedding : weights("head.decoder.weight");
    const Tensor bias = weights("head.bias");
    decoder = Linear(weight.values<float>().data(), bias.values<float>().data(), spec.vocabulary,
                     spec.hidden, Precision::Fp32, Linear::Result::Same);
  }

  /// Whether layers exchange bf16 values.
  [[nodiscard]] bool bf16() const { return precision != Precision::Fp32; }

  void check(const PackedTokens& batch) const {
    for (const Token token : batch.tokens) {
      if (token < 0 || token >= spec.vocabulary)
        fail(Errc::InvalidArgument, "expected tokens from 0 to {}, found {}", spec.vocabulary - 1,
             token);
    }
    if (spec.max_length > 0 && longest(batch) > spec.max_length)
      fail(Errc::InvalidArgument, "expected at most {} tokens in a sequence, found {}",
           spec.max_length, longest(batch));
  }

  /// ESM was trained with 15 % of the tokens chosen, 80 % of these masked, and embeddings scaled
  /// for the share of zeroed mask tokens.
  [[nodiscard]] float dropout_scale(std::span<const Token> tokens) const {
    if (!spec.token_dropout) return 1.0F;
    const auto masked = static_cast<float>(std::ranges::count(tokens, spec.mask_token));
    return (1.0F - 0.15F * 0.8F) / (1.0F - masked / static_cast<float>(tokens.size()));
  }

  void embed(const PackedTokens& batch, float* x) const {
    const std::size_t width = static_cast<std::size_t>(spec.hidden);
    const float* table = embedding.values<float>().data();
    for (std::size_t s = 0; s < batch.sequences(); ++s) {
      const auto first = static_cast<std::size_t>(batch.offsets[s]);
      const auto last = static_cast<std::size_t>(batch.offsets[s + 1]);
      if (first == last) continue;
      const float scale = dropout_scale(std::span(batch.tokens).subspan(first, last - first));
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
    static constexpr std::int64_t kRows = 384;  ///< a multiple of Linear's padding
    std::int64_t row;                           ///< bytes of `hidden` values
    Buffer normed, wide;

    Chunk(const TransformerSpec& spec, bool bf16)
        : row(spec.hidden * (bf16 ? 2 : 4)),
          normed(static_cast<std::size_t>(row * kRows)),
          wide(static_cast<std::size_t>(spec.feed_forward * (bf16 ? 2 : 4) * kRows)) {
      // Linear may compute rows of padding too, which must hold numbers.
      std::memset(normed.data(), 0, normed.size());
    }
  };

  template <typename Body>
  static void in_chunks(std::int64_t rows, const Body& body) {
    for (std::int64_t first = 0; first < rows; first += Chunk::kRows)
      body(first, std::min(Chunk::kRows, rows - first));
  }

  [[nodiscard]] Tensor hidden(const PackedTokens& batch) const {
    check(batch);
    const auto rows = static_cast<std::int64_t>(batch.tokens.size());
    const std::int64_t padded = Linear::rows_with_padding(rows);
    const std::int64_t h = spec.hidden;
    Tensor x(DType::F32, {padded, h});
    float* state = x.values<float>().data();
    embed(batch, state);
    std::fill(state + rows * h, state + padded * h, 0.0F);

    const Buffer qkv = float_buffer(padded * 3 * h), mixed = float_buffer(padded * h);
    const Chunk chunk(spec, bf16());
    const std::int64_t length = longest(batch);
    const Buffer workspace = float_buffer(kernels::attention_workspace(length, spec.head_size()));
    const auto angles = rotary ? rotary->angles(length) : nullptr;
    std::memset(mixed.data() + rows * chunk.row, 0,
                static_cast<std::size_t>((padded - rows) * chunk.row));
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
    return x.slice(0, rows);
  }

  void check_step(const KeyValueCache& cache, std::span<const std::size_t> slots,
                  std::span<const Token> tokens) const {
    if (slots.size() != tokens.size())
      fail(Errc::InvalidArgument, "expected a token for each of {} slots, found {}", slots.size(),
           tokens.size());
    for (std::size_t r = 0; r < slots.size(); ++r) {
      if (slots[r] >= cache.slots())
        fail(Errc::InvalidArgument, "expected slots below {}, found {}", cache.slots(), slots[r]);
      if (tokens[r] < 0 || tokens[r] >= spec.vocabulary)
        fail(Errc::InvalidArgument, "expected tokens from 0 to {}, found {}", spec.vocabulary - 1,
             tokens[r]);
      if (spec.max_length > 0 && cache.length(slots[r]) >= spec.max_length)
        fail(Errc::InvalidArgument, "expected at most {} tokens in a sequence, found more",
             spec.max_length);
    }
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
    check_step(cache, slots, tokens);
    const auto rows = static_cast<std::int64_t>(slots.size()), h = spec.hidden;
    const std::int64_t padded = Linear::rows_with_padding(rows);
    Tensor x(DType::F32, {padded, h});
    float* state = x.values<float>().data();
    std::fill(state, state + padded * h, 0.0F);
    for (std::size_t r = 0; r < slots.size(); ++r) {
      cache.reserve(slots[r]);
      embed_token(tokens[r], cache.length(slots[r]), state + static_cast<std::int64_t>(r) * h);
    }
    const Buffer normed = float_buffer(padded * h), qkv = float_buffer(padded * 3 * h);
    const Buffer mixed = float_buffer(padded * h), wide = float_buffer(padded * spec.feed_forward);
    std::memset(mixed.data(), 0, mixed.size());
    for (std::size_t l = 0; l < layers.size(); ++l) {
      const Layer& layer = layers[l];
      normalise(layer.attention_norm, state, padded, normed.data(), false);
      layer.qkv.apply(normed.data(), qkv.data(), rows);
      attend_step(cache, static_cast<std::int64_t>(l), slots, floats(qkv), floats(mixed));
      layer.output.apply(mixed.data(), state, rows);
      normalise(layer.mlp_norm, state, padded, normed.data(), false);
      layer.up.apply(normed.data(), wide.data(), rows);
      layer.down.apply(wide.data(), state, rows);
    }
    for (const std::size_t slot : slots) cache.advance(slot);
    normalise(final_norm, state, rows, state, false);
    return x.slice(0, rows);
  }

  [[nodiscard]] Tensor logits(const Tensor& hidden_rows) const {
    if (spec.head == "none")
      fail(Errc::Unsupported, "the model has no language model head, which logits come from");
    const std::int64_t rows = hidden_rows.shape().at(0), h = spec.hidden;
    const std::int64_t padded = Linear::rows_with_padding(rows);
    const Buffer one = float_buffer(padded * h), two = float_buffer(padded * h);
    std::memset(one.data(), 0, one.size());
    std::ranges::copy(hidden_rows.values<float>(), floats(one));
    const void* features = one.data();
    if (spec.head == "masked") {
      head_dense.apply(one.data(), two.data(), rows);
      normalise(head_norm, floats(two), padded, one.data(), false);
    }
    Tensor result(DType::F32, {padded, spec.vocabulary});
    decoder.apply(features, result.data(), rows);
    return result.slice(0, rows);
  }
};

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

Transformer::Transformer(const ModelFolder& model, Precision precision)
    : Transformer(spec_of(model), model.weights().all(), precision, model.path().string()) {}

Transformer::Transformer(const TransformerSpec& spec, const TensorSet& weights, Precision precision,
                         std::string_view source)
    : impl_(std::make_shared<const Impl>(spec, weights, precision, source)) {}

const TransformerSpec& Transformer::spec() const noexcept { return impl_->spec; }
Precision Transformer::precision() const noexcept { return impl_->precision; }
Tensor Transformer::hidden(const PackedTokens& batch) const { return impl_->hidden(batch); }
Tensor Transformer::logits(const Tensor& hidden) const { return impl_->logits(hidden); }

struct Decoder::State {
  std::shared_ptr<const Transformer::Impl> net;
  KeyValueCache cache;

  State(std::shared_ptr<const Transformer::Impl> impl, std::size_t slots)
      : net(std::move(impl)),
        cache(net->spec.layers, net->spec.heads, net->spec.head_size(), slots) {}

  void check(std::size_t slot) const {
    if (slot >= cache.slots())
      fail(Errc::InvalidArgument, "expected slots below {}, found {}", cache.slots(), slot);
  }
};

Decoder::Decoder(const Transformer& net, std::size_t slots) {
  if (!net.spec().causal || net.spec().token_dropout)
    fail(Errc::Unsupported,
         "expected a causal transformer without token dropout, to write with; found another");
  if (net.precision() != Precision::Fp32)
    fail(Errc::Unsupported, "sequences are written in fp32, found {}", name(net.precision()));
  state_ = std::make_unique<State>(net.impl_, slots);
}

Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

Tensor Decoder::step(std::span<const std::size_t> slots, std::span<const Token> tokens) {
  return state_->net->step(state_->cache, slots, tokens);
}

void Decoder::restart(std::size_t slot) {
  state_->check(slot);
  state_->cache.restart(slot);
}

std::int64_t Decoder::length(std::size_t slot) const {
  state_->check(slot);
  return state_->cache.length(slot);
}

}  // namespace aceso::nn
