#include "aceso/core/error.hpp"
#include "aceso/core/random.hpp"
#include "aceso/core/text.hpp"
#include "aceso/nn/convolutional.hpp"
#include "convolutional_steps.hpp"
#include "settings.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

namespace aceso::nn {
namespace {

using Layer = ConvolutionalLayer;
using Kind = Layer::Kind;
using Function = Layer::Function;

constexpr std::int64_t kMostChannels = 1 << 16, kMostFeatures = 1 << 24, kMostSize = 1 << 20;
constexpr std::size_t kMostLayers = 4096;

struct KindInfo {
  Kind kind;
  const char* name;
  std::vector<std::string> settings;  ///< beside those of every layer
};

const std::vector<KindInfo>& kinds() {
  static const std::vector<KindInfo> all{
      {Kind::Convolution,
       "convolution",
       {"channels", "kernel", "stride", "padding", "dilation", "groups", "bias"}},
      {Kind::Transposed,
       "transposed",
       {"channels", "kernel", "stride", "padding", "dilation", "groups", "bias", "output_padding"}},
      {Kind::Linear, "linear", {"channels", "features", "bias"}},
      {Kind::MaxPool, "max_pool", {"kernel", "stride", "padding"}},
      {Kind::AveragePool, "average_pool", {"kernel", "stride", "padding"}},
      {Kind::GlobalAverage, "global_average", {}},
      {Kind::Nearest, "nearest", {"scale"}},
      {Kind::Interpolate, "interpolate", {"scale"}},
      {Kind::BatchNorm, "batch_norm", {"epsilon"}},
      {Kind::InstanceNorm, "instance_norm", {"affine", "epsilon"}},
      {Kind::GroupNorm, "group_norm", {"groups", "affine", "epsilon"}},
      {Kind::Activation, "activation", {}},
      {Kind::Add, "add", {}},
      {Kind::Concatenate, "concatenate", {}}};
  return all;
}

const KindInfo& info(Kind kind) { return *std::ranges::find(kinds(), kind, &KindInfo::kind); }

bool has(const Layer& layer, std::string_view setting) {
  return std::ranges::find(info(layer.kind).settings, setting) != info(layer.kind).settings.end();
}

constexpr std::array<std::pair<Function, const char*>, 7> kFunctions{
    {{Function::None, "none"},
     {Function::Relu, "relu"},
     {Function::LeakyRelu, "leaky_relu"},
     {Function::Prelu, "prelu"},
     {Function::Gelu, "gelu"},
     {Function::Silu, "silu"},
     {Function::Sigmoid, "sigmoid"}}};

/// A list of numbers for axes: its name, its member, what stands for an empty one (-1: it must be
/// there; -2: the kernel), and its smallest number.
struct AxisSetting {
  const char* name;
  Sizes Layer::* member;
  std::int64_t missing, least;
};
constexpr std::int64_t kNeeded = -1, kAsKernel = -2;

std::vector<AxisSetting> axis_settings(Kind kind) {
  const bool pool = kind == Kind::MaxPool || kind == Kind::AveragePool;
  return {{"kernel", &Layer::kernel, kNeeded, 1},
          {"stride", &Layer::stride, pool ? kAsKernel : 1, 1},
          {"padding", &Layer::padding, 0, 0},
          {"dilation", &Layer::dilation, 1, 1},
          {"output_padding", &Layer::output_padding, 0, 0},
          {"scale", &Layer::scale, kNeeded, 1}};
}

/// Checks one net and complains in its name.
class Resolver {
 public:
  Resolver(const ConvolutionalSpec& spec, std::string_view source) : spec_(spec), source_(source) {}

  ConvolutionalSteps run() {
    if (spec_.dimensions < 1 || spec_.dimensions > 3)
      fail(Errc::CorruptData, "{}: config.dimensions: expected a number from 1 to 3, found {}",
           source_, spec_.dimensions);
    if (spec_.channels < 1 || spec_.channels > kMostChannels)
      fail(Errc::CorruptData, "{}: config.channels: expected a number from 1 to {}, found {}",
           source_, kMostChannels, spec_.channels);
    if (spec_.layers.empty() || spec_.layers.size() > kMostLayers)
      fail(Errc::CorruptData, "{}: config.layers: expected 1 to {} layers, found {}", source_,
           kMostLayers, spec_.layers.size());
    ConvolutionalSteps all{spec_.dimensions, spec_.channels, {}, {}};
    values_ = {{"input", 0}};
    channels_ = {spec_.channels};
    for (const Layer& layer : spec_.layers) all.steps.push_back(step(layer));
    for (const std::string& name : spec_.outputs) all.outputs.push_back(value(name, "outputs"));
    if (all.outputs.empty()) all.outputs = {all.steps.size()};
    return all;
  }

 private:
  template <typename... Args>
  [[noreturn]] void wrong(const Layer& layer, fmt::format_string<Args...> what, Args&&... args) {
    fail(Errc::CorruptData, "{}: config: layer {}: {}", source_, printable(layer.name),
         fmt::format(what, std::forward<Args>(args)...));
  }

  std::size_t value(const std::string& name, std::string_view reader) {
    const auto found = values_.find(name);
    if (found == values_.end())
      fail(Errc::CorruptData,
           "{}: config: {}: expected \"input\" or the name of a layer above, found {}", source_,
           reader, printable(name));
    return found->second;
  }

  ConvolutionalStep step(const Layer& layer) {
    ConvolutionalStep made{layer, {}};
    for (const std::string& name : layer.inputs)
      made.inputs.push_back(value(name, "layer " + printable(layer.name)));
    if (layer.inputs.empty()) made.inputs = {channels_.size() - 1};
    for (const std::size_t input : made.inputs) made.in_channels += channels_[input];
    fill_axes(made.layer);
    check_inputs(made);
    check_counts(made);
    made.channels = channels_made(made);
    if (layer.name.empty() || !values_.emplace(layer.name, channels_.size()).second)
      wrong(layer, "expected a name of its own");
    channels_.push_back(made.channels);
    return made;
  }

  void fill_axes(Layer& layer) {
    for (const AxisSetting& setting : axis_settings(layer.kind)) {
      if (!has(layer, setting.name)) continue;
      Sizes& list = layer.*setting.member;
      if (list.empty() && setting.missing == kNeeded) wrong(layer, "{} is missing", setting.name);
      if (list.empty()) list = setting.missing == kAsKernel ? layer.kernel : Sizes{setting.missing};
      const auto axes = static_cast<std::size_t>(spec_.dimensions);
      if (list.size() == 1) list.resize(axes, list.front());
      if (list.size() != axes)
        wrong(layer, "{}: expected 1 or {} numbers, found {}", setting.name, axes, list.size());
      for (const std::int64_t number : list)
        if (number < setting.least || number > 1024)
          wrong(layer, "{}: expected numbers from {} to 1024, found {}", setting.name,
                setting.least, number);
    }
    for (std::size_t axis = 0; axis < layer.output_padding.size() && has(layer, "output_padding");
         ++axis)
      if (layer.output_padding[axis] >= std::max(layer.stride[axis], layer.dilation[axis]))
        wrong(layer, "output_padding: expected less than the stride or the dilation, found {}",
              layer.output_padding[axis]);
    if (layer.kind == Kind::MaxPool || layer.kind == Kind::AveragePool)
      for (std::size_t axis = 0; axis < layer.kernel.size(); ++axis)
        if (2 * layer.padding[axis] > layer.kernel[axis])
          wrong(layer, "padding: expected at most half of the kernel, found {}",
                layer.padding[axis]);
  }

  void check_inputs(const ConvolutionalStep& step) {
    const bool many = step.layer.kind == Kind::Add || step.layer.kind == Kind::Concatenate;
    const std::size_t count = step.inputs.size();
    if (many ? count < 2 || count > 64 : count != 1)
      wrong(step.layer, "expected {}, found {}", many ? "2 to 64 inputs" : "one input", count);
    if (step.layer.kind != Kind::Add) return;
    for (const std::size_t input : step.inputs)
      if (channels_[input] != channels_[step.inputs.front()])
        wrong(step.layer, "expected inputs of as many channels, found {} and {}",
              channels_[step.inputs.front()], channels_[input]);
  }

  void check_counts(const ConvolutionalStep& step) {
    const Layer& layer = step.layer;
    const auto count = [&](const char* name, std::int64_t number, std::int64_t most) {
      if (has(layer, name) && (number < 1 || number > most))
        wrong(layer, "{}: expected a number from 1 to {}, found {}", name, most, number);
    };
    count("channels", layer.channels, kMostChannels);
    count("features", layer.features, kMostFeatures);
    count("groups", layer.groups, kMostChannels);
    const bool makes = has(layer, "channels");
    if (has(layer, "groups") &&
        (step.in_channels % layer.groups != 0 || (makes && layer.channels % layer.groups != 0)))
      wrong(layer, "groups: {} do not divide {} channels", layer.groups,
            step.in_channels % layer.groups != 0 ? step.in_channels : layer.channels);
    if (!(layer.epsilon >= 0 && layer.epsilon < 1))
      wrong(layer, "epsilon: expected a number from 0 to 1, found {}", layer.epsilon);
    if (!(layer.slope >= -100 && layer.slope <= 100))
      wrong(layer, "slope: expected a number from -100 to 100, found {}", layer.slope);
  }

  std::int64_t channels_made(const ConvolutionalStep& step) {
    if (has(step.layer, "channels")) return step.layer.channels;
    if (step.layer.kind != Kind::Concatenate) return channels_[step.inputs.front()];
    if (step.in_channels > kMostChannels)
      wrong(step.layer, "expected at most {} channels, found {}", kMostChannels, step.in_channels);
    return step.in_channels;
  }

  const ConvolutionalSpec& spec_;
  std::string source_;
  std::map<std::string, std::size_t> values_;
  std::vector<std::int64_t> channels_;
};

/// Reads one layer's settings.
class LayerReader {
 public:
  LayerReader(const Json& json, const std::string& source)
      : json_(json), source_(source), settings_(json, source, "a layer") {}

  Layer run() {
    std::vector<std::string> names;
    for (const KindInfo& one : kinds()) names.emplace_back(one.name);
    Layer layer;
    layer.name = text("name");
    if (!json_.contains("kind")) fail(Errc::CorruptData, "{}: config.kind is missing", source_);
    const std::string kind = settings_.one_of("kind", names);
    layer.kind = std::ranges::find(kinds(), kind, &KindInfo::name)->kind;
    refuse_unknown(layer);
    if (json_.contains("inputs")) layer.inputs = settings_.texts("inputs", 64);
    if (has(layer, "channels")) layer.channels = settings_.count("channels", 1, kMostChannels);
    if (has(layer, "features")) layer.features = settings_.count("features", 1, kMostFeatures);
    if (has(layer, "groups")) layer.groups = settings_.count("groups", 1, kMostChannels, 1);
    layer.bias = settings_.flag("bias", true);
    layer.affine = settings_.flag("affine", true);
    layer.epsilon = settings_.small("epsilon", 1e-5);
    for (const AxisSetting& setting : axis_settings(layer.kind))
      layer.*setting.member = numbers(setting.name);
    read_activation(layer);
    return layer;
  }

 private:
  std::string text(const char* name) {
    const auto found = json_.find(name);
    if (found == json_.end() || !found->is_string())
      fail(Errc::CorruptData, "{}: config.{}: expected a text", source_, name);
    return found->get<std::string>();
  }

  void refuse_unknown(const Layer& layer) {
    std::vector<std::string> known{"name", "kind", "inputs", "activation", "slope"};
    const auto& more = info(layer.kind).settings;
    known.insert(known.end(), more.begin(), more.end());
    for (const auto& [key, value] : json_.items())
      if (std::ranges::find(known, key) == known.end())
        fail(Errc::CorruptData, "{}: config.{}: expected one of {}", source_, printable(key),
             join(known, ", "));
  }

  Sizes numbers(const char* name) {
    const auto found = json_.find(name);
    if (found == json_.end()) return {};
    const Json list = found->is_array() ? *found : Json::array({*found});
    Sizes read;
    for (const Json& one : list) {
      if (!one.is_number_integer() || list.size() > 3)
        fail(Errc::CorruptData, "{}: config.{}: expected a whole number, or one for each axis",
             source_, name);
      read.push_back(one.get<std::int64_t>());
    }
    return read;
  }

  void read_activation(Layer& layer) {
    std::vector<std::string> names;
    for (const auto& [function, name] : kFunctions) names.emplace_back(name);
    const std::string name = settings_.one_of("activation", names);
    for (const auto& [function, its_name] : kFunctions)
      if (name == its_name) layer.activation = function;
    const auto slope = json_.find("slope");
    if (slope == json_.end()) return;
    if (!slope->is_number())
      fail(Errc::CorruptData, "{}: config.slope: expected a number", source_);
    layer.slope = slope->get<double>();
  }

  const Json& json_;
  std::string source_;
  Settings settings_;
};

Json to_json(const Layer& layer) {
  Json json{{"name", layer.name}, {"kind", info(layer.kind).name}};
  if (!layer.inputs.empty()) json["inputs"] = layer.inputs;
  for (const AxisSetting& setting : axis_settings(layer.kind))
    if (const Sizes& list = layer.*setting.member; has(layer, setting.name) && !list.empty())
      json[setting.name] = list;
  const auto add = [&](const char* name, const Json& value) {
    if (has(layer, name)) json[name] = value;
  };
  add("channels", layer.channels);
  add("features", layer.features);
  add("groups", layer.groups);
  add("bias", layer.bias);
  add("affine", layer.affine);
  add("epsilon", layer.epsilon);
  for (const auto& [function, name] : kFunctions)
    if (function == layer.activation) json["activation"] = name;
  if (layer.activation == Function::LeakyRelu) json["slope"] = layer.slope;
  return json;
}

Sizes weight_shape(const ConvolutionalStep& step) {
  const Layer& layer = step.layer;
  if (layer.kind == Kind::Linear) return {layer.channels, layer.features};
  Sizes shape{layer.channels, step.in_channels / layer.groups};
  if (layer.kind == Kind::Transposed) shape = {step.in_channels, layer.channels / layer.groups};
  shape.insert(shape.end(), layer.kernel.begin(), layer.kernel.end());
  return shape;
}

void add_weights(const ConvolutionalStep& step, std::vector<TensorInfo>& list) {
  const Layer& layer = step.layer;
  const auto add = [&](const char* part, Sizes shape) {
    list.push_back({layer.name + "." + part, DType::F32, std::move(shape)});
  };
  const bool norm = has(layer, "affine") && layer.affine;
  if (has(layer, "channels")) add("weight", weight_shape(step));
  if (has(layer, "channels") && layer.bias) add("bias", {step.channels});
  if (norm || layer.kind == Kind::BatchNorm)
    for (const char* part : {"weight", "bias"}) add(part, {step.channels});
  if (layer.kind == Kind::BatchNorm)
    for (const char* part : {"running_mean", "running_var"}) add(part, {step.channels});
  if (layer.activation == Function::Prelu) add("slope", {step.channels});
}

/// One axis of what a layer makes; nothing sensible is below 1.
std::int64_t axis_made(const Layer& layer, std::size_t axis, std::int64_t size) {
  const auto at = [axis](const Sizes& list, std::int64_t missing) {
    return list.empty() ? missing : list[axis];
  };
  switch (layer.kind) {
    case Kind::Linear:
    case Kind::GlobalAverage:
      return 1;
    case Kind::Nearest:
    case Kind::Interpolate:
      return size * layer.scale[axis];
    case Kind::Transposed:
      return (size - 1) * layer.stride[axis] - 2 * layer.padding[axis] +
             layer.dilation[axis] * (layer.kernel[axis] - 1) + layer.output_padding[axis] + 1;
    case Kind::Convolution:
    case Kind::MaxPool:
    case Kind::AveragePool: {
      const std::int64_t reach = at(layer.dilation, 1) * (layer.kernel[axis] - 1) + 1;
      const std::int64_t room = size + 2 * layer.padding[axis] - reach;
      return room < 0 ? 0 : room / layer.stride[axis] + 1;
    }
    default:
      return size;
  }
}

}  // namespace

std::int64_t product(const Sizes& sizes) noexcept {
  std::int64_t all = 1;
  for (const std::int64_t size : sizes) all *= size;
  return all;
}

Sizes size_made(const ConvolutionalStep& step, const std::vector<Sizes>& inputs) {
  const Layer& layer = step.layer;
  for (const Sizes& size : inputs)
    if (size != inputs.front())
      fail(Errc::InvalidArgument, "layer {}: expected inputs of one size, found {} and {}",
           layer.name, shape_text(inputs.front()), shape_text(size));
  const Sizes& size = inputs.front();
  if (layer.kind == Kind::Linear && step.in_channels * product(size) != layer.features)
    fail(Errc::InvalidArgument, "layer {}: expected {} features, found {} channels of {}",
         layer.name, layer.features, step.in_channels, shape_text(size));
  Sizes made;
  for (std::size_t axis = 0; axis < size.size(); ++axis) {
    made.push_back(axis_made(layer, axis, size[axis]));
    if (made.back() < 1)
      fail(Errc::InvalidArgument, "layer {}: an image of {} is too small for it", layer.name,
           shape_text(size));
    if (made.back() > kMostSize)
      fail(Errc::InvalidArgument, "layer {}: an image of {} is too large for it", layer.name,
           shape_text(size));
  }
  return made;
}

ConvolutionalSteps resolved(const ConvolutionalSpec& spec, std::string_view source) {
  return Resolver(spec, source).run();
}

void ConvolutionalSpec::check(std::string_view source) const { (void)resolved(*this, source); }

std::vector<TensorInfo> ConvolutionalSpec::weights() const {
  std::vector<TensorInfo> list;
  for (const ConvolutionalStep& step : resolved(*this, "a net").steps) add_weights(step, list);
  return list;
}

TensorSet initial_weights(const ConvolutionalSpec& spec, std::uint64_t seed) {
  TensorSet set;
  std::uint64_t number = 0;
  for (const TensorInfo& info : spec.weights()) {
    Tensor tensor(DType::F32, info.shape);
    const auto values = tensor.values<float>();
    // Norms have weights of one axis.
    if (info.name.ends_with(".weight") && info.shape.size() > 1) {
      const auto inputs = tensor.element_count() / info.shape.front();
      const double most = std::sqrt(6.0 / static_cast<double>(inputs));
      Random random(seed, number++);
      for (float& value : values) value = static_cast<float>(most * (2 * random.uniform() - 1));
    } else {
      const bool one = info.name.ends_with(".weight") || info.name.ends_with(".running_var");
      std::ranges::fill(values, one ? 1.0F : info.name.ends_with(".slope") ? 0.25F : 0.0F);
    }
    set.emplace(info.name, std::move(tensor));
  }
  return set;
}

Json ConvolutionalSpec::to_json() const {
  Json list = Json::array();
  for (const Layer& layer : layers) list.push_back(nn::to_json(layer));
  Json json{{"dimensions", dimensions}, {"channels", channels}, {"layers", list}};
  if (!outputs.empty()) json["outputs"] = outputs;
  return json;
}

ConvolutionalSpec ConvolutionalSpec::from_json(const Json& config, std::string_view source) {
  const Settings settings(config, source, "a convolutional net");
  ConvolutionalSpec spec;
  spec.dimensions = settings.count("dimensions", 1, 3);
  spec.channels = settings.count("channels", 1, kMostChannels);
  const auto layers = config.find("layers");
  if (layers == config.end() || !layers->is_array())
    fail(Errc::CorruptData, "{}: config.layers: expected a list of layers", source);
  for (std::size_t i = 0; i < layers->size() && i <= kMostLayers; ++i)
    spec.layers.push_back(LayerReader((*layers)[i], fmt::format("{}: layer {}", source, i)).run());
  if (config.contains("outputs")) spec.outputs = settings.texts("outputs", 64);
  spec.check(source);
  return spec;
}

}  // namespace aceso::nn
