#include "aceso/nn/recurrent.hpp"

#include "aceso/core/error.hpp"
#include "checked_weights.hpp"
#include "kernels/decode.hpp"
#include "matmul.hpp"
#include "settings.hpp"

#include <algorithm>
#include <optional>

namespace aceso::nn {
namespace {

struct Layer {
  Linear input;      ///< none in the first layer, whose input is one of few rows
  Linear recurrent;  ///< added to the gates
};

Tensor rows_of(std::int64_t rows, std::int64_t width) {
  Tensor made(DType::F32, {rows, width});
  std::ranges::fill(made.values<float>(), 0.0F);
  return made;
}

const float* floats(const TensorSet& weights, const std::string& name) {
  return weights.at(name).values<float>().data();
}

std::string layer_name(std::int64_t layer, const char* part) {
  return fmt::format("layers.{}.{}", layer, part);
}

RecurrentSpec spec_of(const ModelFolder& model) {
  const ModelDescription& description = model.description();
  const std::string source = model.path().string();
  if (description.architecture != "lstm")
    fail(Errc::Unsupported, "{}: expected a model of architecture lstm, found {}", source,
         description.architecture);
  return RecurrentSpec::from_json(description.config, source);
}

}  // namespace

Json RecurrentSpec::to_json() const {
  return {
      {"vocabulary", vocabulary}, {"embedding", embedding}, {"hidden", hidden}, {"layers", layers}};
}

RecurrentSpec RecurrentSpec::from_json(const Json& config, std::string_view source) {
  const Settings settings(config, source, "an LSTM");
  RecurrentSpec spec;
  spec.vocabulary = settings.count("vocabulary", 1, 1 << 20);
  spec.embedding = settings.count("embedding", 0, 1 << 16, 0);
  spec.hidden = settings.count("hidden", 1, 1 << 14);
  spec.layers = settings.count("layers", 1, 64);
  return spec;
}

std::vector<TensorInfo> RecurrentSpec::weights() const {
  std::vector<TensorInfo> list;
  const std::int64_t first = embedding > 0 ? embedding : vocabulary;
  if (embedding > 0) list.push_back({"embed.tokens.weight", DType::F32, {vocabulary, embedding}});
  for (std::int64_t i = 0; i < layers; ++i) {
    list.push_back(
        {layer_name(i, "input.weight"), DType::F32, {4 * hidden, i == 0 ? first : hidden}});
    list.push_back({layer_name(i, "recurrent.weight"), DType::F32, {4 * hidden, hidden}});
    list.push_back({layer_name(i, "bias"), DType::F32, {4 * hidden}});
  }
  list.push_back({"head.weight", DType::F32, {vocabulary, hidden}});
  list.push_back({"head.bias", DType::F32, {vocabulary}});
  return list;
}

struct Recurrent::Impl {
  RecurrentSpec spec;
  const kernels::DecodeTable& kernels = kernels::best_decoder();
  std::vector<Layer> layers;
  Linear head;
  Tensor first_gates;  ///< [vocabulary, 4H]: what each token adds to the first layer's gates

  Impl(const RecurrentSpec& the_spec, const TensorSet& tensors, std::string_view source)
      : spec(the_spec) {
    const TensorSet weights = checked_weights(tensors, spec.weights(), source);
    const std::int64_t h = spec.hidden;
    for (std::int64_t i = 0; i < spec.layers; ++i) {
      Layer layer;
      layer.recurrent = Linear(floats(weights, layer_name(i, "recurrent.weight")), nullptr, 4 * h,
                               h, Precision::Fp32, Linear::Result::Added);
      if (i > 0)
        layer.input = Linear(floats(weights, layer_name(i, "input.weight")),
                             floats(weights, layer_name(i, "bias")), 4 * h, h, Precision::Fp32,
                             Linear::Result::Same);
      layers.push_back(std::move(layer));
    }
    head = Linear(floats(weights, "head.weight"), floats(weights, "head.bias"), spec.vocabulary, h,
                  Precision::Fp32, Linear::Result::Same);
    first_gates = gates_of_tokens(weights);
  }

  /// A one-hot vector picks a column of the first layer's weights, an embedding is the same for
  /// each token: either way the product is made once.
  [[nodiscard]] Tensor gates_of_tokens(const TensorSet& weights) const {
    const std::int64_t width = spec.embedding > 0 ? spec.embedding : spec.vocabulary;
    const Linear input(floats(weights, layer_name(0, "input.weight")),
                       floats(weights, layer_name(0, "bias")), 4 * spec.hidden, width,
                       Precision::Fp32, Linear::Result::Same);
    Tensor tokens = rows_of(spec.vocabulary, width);
    const auto values = tokens.values<float>();
    if (spec.embedding > 0) {
      std::ranges::copy(weights.at("embed.tokens.weight").values<float>(), values.begin());
    } else {
      for (std::int64_t t = 0; t < spec.vocabulary; ++t)
        values[static_cast<std::size_t>(t * width + t)] = 1.0F;
    }
    Tensor gates = rows_of(spec.vocabulary, 4 * spec.hidden);
    input.apply(tokens.data(), gates.data(), spec.vocabulary);
    return gates;
  }

  [[nodiscard]] std::size_t hidden() const { return static_cast<std::size_t>(spec.hidden); }

  /// A slot's cell in one layer; its state lies behind it.
  [[nodiscard]] float* cell(RecurrentState& state, std::size_t slot, std::size_t layer) const {
    return state.values.data() + (slot * layers.size() + layer) * 2 * hidden();
  }

  void check(const RecurrentState& state, std::span<const std::size_t> slots,
             std::span<const Token> tokens) const {
    if (slots.size() != tokens.size())
      fail(Errc::InvalidArgument, "expected a token for each of {} slots, found {}", slots.size(),
           tokens.size());
    for (const std::size_t slot : slots)
      if (slot >= state.slots)
        fail(Errc::InvalidArgument, "expected slots below {}, found {}", state.slots, slot);
    for (const Token token : tokens)
      if (token < 0 || token >= spec.vocabulary)
        fail(Errc::InvalidArgument, "expected tokens from 0 to {}, found {}", spec.vocabulary - 1,
             token);
  }

  void gather_states(RecurrentState& state, std::span<const std::size_t> slots, std::size_t layer,
                     Tensor& to) const {
    for (std::size_t r = 0; r < slots.size(); ++r)
      std::copy_n(cell(state, slots[r], layer) + hidden(), hidden(),
                  to.values<float>().data() + r * hidden());
  }

  [[nodiscard]] Tensor step(RecurrentState& state, std::span<const std::size_t> slots,
                            std::span<const Token> tokens) const {
    check(state, slots, tokens);
    const auto rows = static_cast<std::int64_t>(slots.size());
    const std::size_t wide = 4 * hidden();
    Tensor gates = rows_of(rows, 4 * spec.hidden), before = rows_of(rows, spec.hidden);
    Tensor below = rows_of(rows, spec.hidden);
    for (std::size_t r = 0; r < slots.size(); ++r)
      std::copy_n(first_gates.values<float>().data() + static_cast<std::size_t>(tokens[r]) * wide,
                  wide, gates.values<float>().data() + r * wide);
    for (std::size_t l = 0; l < layers.size(); ++l) {
      if (l > 0) layers[l].input.apply(below.data(), gates.data(), rows);
      gather_states(state, slots, l, before);
      layers[l].recurrent.apply(before.data(), gates.data(), rows);
      for (std::size_t r = 0; r < slots.size(); ++r) {
        float* memory = cell(state, slots[r], l);
        kernels.lstm_cell(gates.values<float>().data() + r * wide, memory, memory + hidden(),
                          spec.hidden);
      }
      gather_states(state, slots, l, below);
    }
    Tensor logits = rows_of(rows, spec.vocabulary);
    head.apply(below.data(), logits.data(), rows);
    return logits.slice(0, rows);
  }
};

Recurrent::Recurrent(const ModelFolder& model)
    : Recurrent(spec_of(model), model.weights().all(), model.path().string()) {}

Recurrent::Recurrent(const RecurrentSpec& spec, const TensorSet& weights, std::string_view source)
    : impl_(std::make_shared<const Impl>(spec, weights, source)) {}

const RecurrentSpec& Recurrent::spec() const noexcept { return impl_->spec; }

RecurrentState Recurrent::state(std::size_t slots) const {
  const auto size = static_cast<std::size_t>(2 * spec().hidden * spec().layers);
  return {slots, std::vector<float>(slots * size, 0.0F)};
}

void Recurrent::restart(RecurrentState& state, std::size_t slot) const {
  if (slot >= state.slots)
    fail(Errc::InvalidArgument, "expected slots below {}, found {}", state.slots, slot);
  std::fill_n(impl_->cell(state, slot, 0), 2 * spec().hidden * spec().layers, 0.0F);
}

Tensor Recurrent::step(RecurrentState& state, std::span<const std::size_t> slots,
                       std::span<const Token> tokens) const {
  return impl_->step(state, slots, tokens);
}

}  // namespace aceso::nn
