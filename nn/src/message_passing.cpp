#include "aceso/nn/message_passing.hpp"

#include "matmul.hpp"
#include "settings.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <type_traits>

namespace aceso::nn {
namespace {

/// Rows of numbers, one behind the other.
using Rows = std::vector<float>;

Rows rows_of(std::int64_t rows, std::int64_t columns) {
  return Rows(static_cast<std::size_t>(rows * columns), 0.0F);
}

void relu(Rows& rows) {
  for (float& value : rows) value = std::max(value, 0.0F);
}

/// One row of [left, right].
void put_row(Rows& rows, std::size_t row, std::span<const float> left,
             std::span<const float> right) {
  float* to = rows.data() + row * (left.size() + right.size());
  std::ranges::copy(left, to);
  std::ranges::copy(right, to + left.size());
}

class Member {
 public:
  Member(const MessagePassingSpec& spec, const TensorSet& weights, std::int64_t number)
      : spec_(spec), prefix_(fmt::format("members.{}.", number)) {
    const std::int64_t h = spec.hidden;
    input_ = layer(weights, "input", h, spec.atom_features + spec.bond_features, spec.bias);
    message_ = layer(weights, "message", h, h, spec.bias);
    readout_ = layer(weights, "readout", h, spec.atom_features + h, true);
    for (std::int64_t i = 0; i < spec.head_layers; ++i) {
      const bool last = i + 1 == spec.head_layers;
      const auto outputs = static_cast<std::int64_t>(spec.outputs.size());
      head_.push_back(layer(weights, fmt::format("head.{}", i), last ? outputs : spec.head_hidden,
                            i == 0 ? h + spec.molecule_features : spec.head_hidden, true));
    }
    if (spec.task == "regression") {
      mean_ = values(weights, "scale.mean");
      deviation_ = values(weights, "scale.deviation");
    }
  }

  /// Writes [molecules, outputs].
  void predict(const BondGraphs& batch, float* to) const {
    const Rows atoms = atom_states(batch, bond_states(batch));
    Rows state = with_features(batch, molecule_states(batch, atoms));
    const auto molecules = static_cast<std::int64_t>(batch.molecules());
    for (std::size_t i = 0; i < head_.size(); ++i) {
      const bool last = i + 1 == head_.size();
      Rows next = rows_of(molecules, last ? outputs() : spec_.head_hidden);
      head_[i].apply(state.data(), next.data(), molecules);
      if (!last) relu(next);
      state = std::move(next);
    }
    for (std::int64_t i = 0; i < molecules * outputs(); ++i)
      to[i] = finished(state[static_cast<std::size_t>(i)], static_cast<std::size_t>(i % outputs()));
  }

 private:
  [[nodiscard]] std::int64_t outputs() const {
    return static_cast<std::int64_t>(spec_.outputs.size());
  }

  Linear layer(const TensorSet& weights, const std::string& name, std::int64_t out, std::int64_t in,
               bool bias) const {
    const Tensor& weight = weights.at(prefix_ + name + ".weight");
    const float* shift =
        bias ? weights.at(prefix_ + name + ".bias").values<const float>().data() : nullptr;
    return {
        weight.values<const float>().data(), shift, out, in, Precision::Fp32, Linear::Result::Same};
  }

  std::vector<float> values(const TensorSet& weights, const std::string& name) const {
    const auto span = weights.at(prefix_ + name).values<const float>();
    return {span.begin(), span.end()};
  }

  [[nodiscard]] std::span<const float> row(const Rows& rows, std::int64_t index,
                                           std::int64_t columns) const {
    return std::span(rows).subspan(static_cast<std::size_t>(index * columns),
                                   static_cast<std::size_t>(columns));
  }

  /// Sums of the states of the bonds that go to each atom.
  [[nodiscard]] Rows gathered(const BondGraphs& batch, const Rows& bonds) const {
    const auto h = static_cast<std::size_t>(spec_.hidden);
    Rows sums(static_cast<std::size_t>(batch.atom_offsets.back()) * h, 0.0F);
    for (std::size_t b = 0; b < batch.target.size(); ++b) {
      float* to = sums.data() + static_cast<std::size_t>(batch.target[b]) * h;
      for (std::size_t d = 0; d < h; ++d) to[d] += bonds[b * h + d];
    }
    return sums;
  }

  [[nodiscard]] Rows bond_states(const BondGraphs& batch) const {
    const auto count = static_cast<std::int64_t>(batch.source.size());
    const auto h = static_cast<std::size_t>(spec_.hidden);
    Rows features = rows_of(count, spec_.atom_features + spec_.bond_features);
    for (std::size_t b = 0; b < batch.source.size(); ++b)
      put_row(features, b, row(batch.atoms, batch.source[b], spec_.atom_features),
              row(batch.bonds, static_cast<std::int64_t>(b), spec_.bond_features));
    Rows first = rows_of(count, spec_.hidden);
    input_.apply(features.data(), first.data(), count);
    Rows state = first, sent = rows_of(count, spec_.hidden), heard = sent;
    relu(state);
    for (std::int64_t step = 1; step < spec_.depth; ++step) {
      const Rows sums = gathered(batch, state);
      for (std::size_t b = 0; b < batch.source.size(); ++b) {
        // What reached the bond's source, without what came back along the bond itself.
        const float* all = sums.data() + static_cast<std::size_t>(batch.source[b]) * h;
        const float* back = state.data() + static_cast<std::size_t>(batch.reverse[b]) * h;
        for (std::size_t d = 0; d < h; ++d) sent[b * h + d] = all[d] - back[d];
      }
      message_.apply(sent.data(), heard.data(), count);
      for (std::size_t i = 0; i < state.size(); ++i) state[i] = std::max(first[i] + heard[i], 0.0F);
    }
    return state;
  }

  [[nodiscard]] Rows atom_states(const BondGraphs& batch, const Rows& bonds) const {
    const std::int64_t count = batch.atom_offsets.back();
    const Rows sums = gathered(batch, bonds);
    Rows features = rows_of(count, spec_.atom_features + spec_.hidden);
    for (std::int64_t a = 0; a < count; ++a)
      put_row(features, static_cast<std::size_t>(a), row(batch.atoms, a, spec_.atom_features),
              row(sums, a, spec_.hidden));
    Rows state = rows_of(count, spec_.hidden);
    readout_.apply(features.data(), state.data(), count);
    relu(state);
    return state;
  }

  [[nodiscard]] Rows molecule_states(const BondGraphs& batch, const Rows& atoms) const {
    const auto h = static_cast<std::size_t>(spec_.hidden);
    Rows sums = rows_of(static_cast<std::int64_t>(batch.molecules()), spec_.hidden);
    for (std::size_t m = 0; m < batch.molecules(); ++m) {
      const std::int32_t begin = batch.atom_offsets[m], end = batch.atom_offsets[m + 1];
      for (std::int32_t a = begin; a < end; ++a)
        for (std::size_t d = 0; d < h; ++d)
          sums[m * h + d] += atoms[static_cast<std::size_t>(a) * h + d];
      const std::int64_t divisor = spec_.aggregation == "mean"   ? std::max(end - begin, 1)
                                   : spec_.aggregation == "norm" ? spec_.aggregation_norm
                                                                 : 1;
      for (std::size_t d = 0; d < h; ++d) sums[m * h + d] /= static_cast<float>(divisor);
    }
    return sums;
  }

  /// What the head reads of each molecule.
  [[nodiscard]] Rows with_features(const BondGraphs& batch, Rows states) const {
    if (spec_.molecule_features == 0) return states;
    Rows both = rows_of(static_cast<std::int64_t>(batch.molecules()),
                        spec_.hidden + spec_.molecule_features);
    for (std::size_t m = 0; m < batch.molecules(); ++m) {
      const auto index = static_cast<std::int64_t>(m);
      put_row(both, m, row(states, index, spec_.hidden),
              row(batch.features, index, spec_.molecule_features));
    }
    return both;
  }

  [[nodiscard]] float finished(float value, std::size_t output) const {
    if (spec_.task == "classification") return 1.0F / (1.0F + std::exp(-value));
    return value * deviation_[output] + mean_[output];
  }

  const MessagePassingSpec& spec_;
  std::string prefix_;
  Linear input_, message_, readout_;
  std::vector<Linear> head_;
  std::vector<float> mean_, deviation_;
};

void check_weights(const TensorSet& weights, const MessagePassingSpec& spec,
                   std::string_view source) {
  for (const TensorInfo& wanted : spec.weights()) {
    const auto found = weights.find(wanted.name);
    if (found == weights.end())
      fail(Errc::CorruptData, "{}: the tensor {} is missing", source, wanted.name);
    if (found->second.type() != DType::F32 || found->second.shape() != wanted.shape)
      fail(Errc::CorruptData, "{}: {}: expected F32 {}, found {} {}", source, wanted.name,
           shape_text(wanted.shape), name(found->second.type()), shape_text(found->second.shape()));
  }
}

void check_features(const BondGraphs& batch, const MessagePassingSpec& spec) {
  const auto atoms = static_cast<std::size_t>(batch.atom_offsets.back());
  if (batch.atoms.size() != atoms * static_cast<std::size_t>(spec.atom_features) ||
      batch.bonds.size() != batch.source.size() * static_cast<std::size_t>(spec.bond_features) ||
      batch.target.size() != batch.source.size() || batch.reverse.size() != batch.source.size() ||
      batch.features.size() != batch.molecules() * static_cast<std::size_t>(spec.molecule_features))
    fail(Errc::InvalidArgument, "expected {} features an atom, {} a bond and {} a molecule",
         spec.atom_features, spec.bond_features, spec.molecule_features);
}

template <typename T>
Tensor array_of(const std::vector<T>& values, std::int64_t columns = 1) {
  constexpr DType kType = std::is_same_v<T, float> ? DType::F32 : DType::I32;
  const auto rows = static_cast<std::int64_t>(values.size()) / columns;
  Tensor tensor(kType, columns == 1 && kType == DType::I32
                           ? std::vector<std::int64_t>{rows}
                           : std::vector<std::int64_t>{rows, columns});
  std::ranges::copy(values, tensor.values<T>().begin());
  return tensor;
}

Json interval_json(const PredictionInterval& interval) {
  return {
      {"coverage", interval.coverage}, {"factor", interval.factor}, {"offset", interval.offset}};
}

/// One number, zero or more, for each output.
std::vector<double> widths(const Json& interval, const char* name, std::size_t outputs,
                           std::string_view source) {
  const auto found = interval.find(name);
  const auto fits = [](const Json& one) { return one.is_number() && one.get<double>() >= 0; };
  if (found == interval.end() || !found->is_array() || found->size() != outputs ||
      !std::ranges::all_of(*found, fits))
    fail(Errc::CorruptData, "{}: config.interval.{}: expected {} numbers, none below 0", source,
         name, outputs);
  return found->get<std::vector<double>>();
}

std::optional<PredictionInterval> interval_from(const Json& config, std::size_t outputs,
                                                std::string_view source) {
  const auto found = config.find("interval");
  if (found == config.end()) return std::nullopt;
  const Settings settings(*found, source, "an interval");
  return PredictionInterval{.coverage = settings.small("coverage", 0.9),
                            .factor = widths(*found, "factor", outputs, source),
                            .offset = widths(*found, "offset", outputs, source)};
}

}  // namespace

Json MessagePassingSpec::to_json() const {
  Json json{{"featuriser", featuriser},
            {"atom_features", atom_features},
            {"bond_features", bond_features},
            {"molecule_features", molecule_features},
            {"molecule_featuriser", molecule_featuriser},
            {"hidden", hidden},
            {"depth", depth},
            {"head_layers", head_layers},
            {"head_hidden", head_hidden},
            {"members", members},
            {"aggregation", aggregation},
            {"aggregation_norm", aggregation_norm},
            {"task", task},
            {"bias", bias},
            {"outputs", outputs}};
  if (interval) json["interval"] = interval_json(*interval);
  return json;
}

MessagePassingSpec MessagePassingSpec::from_json(const Json& config, std::string_view source) {
  const Settings settings(config, source, "a message passing net");
  MessagePassingSpec spec;
  spec.featuriser = settings.one_of("featuriser", {"chemprop-v1", "chemprop-v2"});
  spec.atom_features = settings.count("atom_features", 1, 10'000);
  spec.bond_features = settings.count("bond_features", 1, 10'000);
  spec.molecule_features = settings.count("molecule_features", 0, 10'000, 0);
  if (spec.molecule_features > 0)
    spec.molecule_featuriser = settings.one_of("molecule_featuriser", {"rdkit-2d-normalised"});
  spec.hidden = settings.count("hidden", 1, 100'000);
  spec.depth = settings.count("depth", 1, 100);
  spec.head_layers = settings.count("head_layers", 1, 100);
  spec.head_hidden = settings.count("head_hidden", 1, 100'000);
  spec.members = settings.count("members", 1, 1000);
  spec.aggregation = settings.one_of("aggregation", {"mean", "sum", "norm"});
  spec.aggregation_norm = settings.count("aggregation_norm", 1, 1'000'000, 100);
  spec.task = settings.one_of("task", {"regression", "classification"});
  spec.bias = settings.flag("bias", false);
  spec.outputs = settings.texts("outputs", 10'000);
  spec.interval = interval_from(config, spec.outputs.size(), source);
  return spec;
}

std::vector<TensorInfo> MessagePassingSpec::weights() const {
  std::vector<TensorInfo> list;
  const auto add = [&](const std::string& name, std::int64_t out, std::int64_t in, bool with_bias) {
    list.push_back({name + ".weight", DType::F32, {out, in}});
    if (with_bias) list.push_back({name + ".bias", DType::F32, {out}});
  };
  const auto count = static_cast<std::int64_t>(outputs.size());
  for (std::int64_t m = 0; m < members; ++m) {
    const std::string prefix = fmt::format("members.{}.", m);
    add(prefix + "input", hidden, atom_features + bond_features, bias);
    add(prefix + "message", hidden, hidden, bias);
    add(prefix + "readout", hidden, atom_features + hidden, true);
    for (std::int64_t i = 0; i < head_layers; ++i)
      add(fmt::format("{}head.{}", prefix, i), i + 1 == head_layers ? count : head_hidden,
          i == 0 ? hidden + molecule_features : head_hidden, true);
    if (task != "regression") continue;
    list.push_back({prefix + "scale.mean", DType::F32, {count}});
    list.push_back({prefix + "scale.deviation", DType::F32, {count}});
  }
  return list;
}

TensorSet training_arrays(const BondGraphs& graphs, const MessagePassingSpec& spec) {
  check_features(graphs, spec);
  TensorSet arrays{{"atoms", array_of(graphs.atoms, spec.atom_features)},
                   {"bonds", array_of(graphs.bonds, spec.bond_features)},
                   {"source", array_of(graphs.source)},
                   {"target", array_of(graphs.target)},
                   {"reverse", array_of(graphs.reverse)},
                   {"atom_offsets", array_of(graphs.atom_offsets)}};
  if (spec.molecule_features > 0)
    arrays.emplace("features", array_of(graphs.features, spec.molecule_features));
  return arrays;
}

struct MessagePassing::Impl {
  MessagePassingSpec spec;
  std::vector<Member> members;

  Impl(MessagePassingSpec given, const TensorSet& weights, std::string_view source)
      : spec(std::move(given)) {
    check_weights(weights, spec, source);
    for (std::int64_t m = 0; m < spec.members; ++m) members.emplace_back(spec, weights, m);
  }
  Impl(const Impl&) = delete;  // members refer to spec
  Impl& operator=(const Impl&) = delete;
};

MessagePassing::MessagePassing(const ModelFolder& model) {
  const ModelDescription& description = model.description();
  const std::string source = model.path().string();
  if (description.architecture != "dmpnn")
    fail(Errc::Unsupported, "{}: expected a model of architecture dmpnn, found {}", source,
         description.architecture);
  impl_ = std::make_shared<const Impl>(MessagePassingSpec::from_json(description.config, source),
                                       model.weights().all(), source);
}

MessagePassing::MessagePassing(const MessagePassingSpec& spec, const TensorSet& weights,
                               std::string_view source)
    : impl_(std::make_shared<const Impl>(spec, weights, source)) {}

const MessagePassingSpec& MessagePassing::spec() const noexcept { return impl_->spec; }

Tensor MessagePassing::predict(const BondGraphs& batch) const {
  const MessagePassingSpec& spec = impl_->spec;
  check_features(batch, spec);
  const auto molecules = static_cast<std::int64_t>(batch.molecules());
  const auto outputs = static_cast<std::int64_t>(spec.outputs.size());
  Tensor result(DType::F32, {spec.members, molecules, outputs});
  float* to = result.values<float>().data();
  for (const Member& member : impl_->members) {
    member.predict(batch, to);
    to += molecules * outputs;
  }
  return result;
}

}  // namespace aceso::nn
