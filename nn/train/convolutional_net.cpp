#include "convolutional_net.hpp"

#include <ATen/ops/avg_pool1d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/max_pool1d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/max_pool3d.h>
#include <ATen/ops/prelu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>

namespace aceso::train {
namespace {

using Sizes = std::vector<std::int64_t>;

/// One layer as model.yaml tells it, with its defaults; see nn::ConvolutionalLayer.
struct Layer {
  std::string name, kind, activation;
  std::vector<std::string> inputs;
  Sizes kernel, stride, padding, dilation;
  std::int64_t groups = 1;
  bool bias = true, affine = true;
  double epsilon = 1e-5, slope = 0.01;

  Layer(const nlohmann::json& json, std::int64_t axes)
      : name(json.at("name")),
        kind(json.at("kind")),
        activation(json.value("activation", "none")),
        inputs(json.value("inputs", std::vector<std::string>())),
        kernel(numbers(json, "kernel", axes, {})),
        stride(numbers(json, "stride", axes, is_pool() ? kernel : Sizes(count(axes), 1))),
        padding(numbers(json, "padding", axes, Sizes(count(axes), 0))),
        dilation(numbers(json, "dilation", axes, Sizes(count(axes), 1))),
        groups(json.value("groups", std::int64_t{1})),
        bias(json.value("bias", true)),
        affine(json.value("affine", true)),
        epsilon(json.value("epsilon", 1e-5)),
        slope(json.value("slope", 0.01)) {}

  bool is_pool() const { return kind == "max_pool" || kind == "average_pool"; }

 private:
  static std::size_t count(std::int64_t axes) { return static_cast<std::size_t>(axes); }

  static Sizes numbers(const nlohmann::json& json, const char* name, std::int64_t axes,
                       const Sizes& missing) {
    const auto found = json.find(name);
    if (found == json.end()) return missing;
    Sizes read = found->is_array() ? found->get<Sizes>() : Sizes{found->get<std::int64_t>()};
    if (read.empty()) return missing;
    if (read.size() == 1) read.resize(count(axes), read.front());
    return read;
  }
};

at::Tensor max_pool(const Layer& l, const at::Tensor& x) {
  if (l.kernel.size() == 1) return at::max_pool1d(x, l.kernel, l.stride, l.padding);
  if (l.kernel.size() == 2) return at::max_pool2d(x, l.kernel, l.stride, l.padding);
  return at::max_pool3d(x, l.kernel, l.stride, l.padding);
}

/// Padding counts as zeros.
at::Tensor average_pool(const Layer& l, const at::Tensor& x) {
  if (l.kernel.size() == 1) return at::avg_pool1d(x, l.kernel, l.stride, l.padding);
  if (l.kernel.size() == 2) return at::avg_pool2d(x, l.kernel, l.stride, l.padding);
  return at::avg_pool3d(x, l.kernel, l.stride, l.padding);
}

class ConvolutionalNet : public Net {
 public:
  explicit ConvolutionalNet(const nlohmann::json& config) : axes_(config.at("dimensions")) {
    for (const nlohmann::json& layer : config.at("layers")) layers_.emplace_back(layer, axes_);
    for (const Layer& layer : layers_)
      for (const char* kind : {"transposed", "nearest", "interpolate", "batch_norm"})
        if (layer.kind == kind)
          throw Mistake("layer " + layer.name + ": " + kind + " cannot be trained");
    const auto outputs = config.value("outputs", std::vector<std::string>());
    if (outputs.size() > 1) throw Mistake("a net with several outputs cannot be trained");
    output_ = outputs.empty() ? layers_.back().name : outputs.front();
  }

  at::Tensor outputs(const Weights& w, const Tensors& batch) const override {
    Tensors values{{"input", find(batch, "images").to(w.device)}};
    std::string before = "input";
    for (const Layer& layer : layers_) {
      const std::vector<std::string> names =
          layer.inputs.empty() ? std::vector<std::string>{before} : layer.inputs;
      std::vector<at::Tensor> inputs;
      for (const std::string& name : names) inputs.push_back(find(values, name));
      values[layer.name] = activated(layer, w, made(layer, w, inputs));
      before = layer.name;
    }
    const at::Tensor result = find(values, output_).flatten(1);
    const auto offsets = batch.find("offsets");
    if (offsets == batch.end()) return result;
    if (offsets->second.sizes() != result.sizes())
      throw Mistake("there is not one offset for each output");
    return result + offsets->second.to(w.device);
  }

  std::int64_t size(const Tensors& batch) const override { return find(batch, "images").size(0); }

 private:
  at::Tensor made(const Layer& l, const Weights& w, const std::vector<at::Tensor>& inputs) const {
    const at::Tensor& x = inputs.front();
    if (l.kind == "convolution") return convolved(l, w, x);
    if (l.kind == "linear") {
      Sizes shape(static_cast<std::size_t>(axes_) + 2, 1);
      shape[0] = x.size(0);
      shape[1] = w(l.name + ".weight").size(0);
      return linear(w, l.name, x.flatten(1)).reshape(shape);
    }
    if (l.kind == "max_pool") return max_pool(l, x);
    if (l.kind == "average_pool") return average_pool(l, x);
    if (l.kind == "global_average") {
      Sizes axes;
      for (std::int64_t axis = 0; axis < axes_; ++axis) axes.push_back(axis + 2);
      return x.mean(axes, /*keepdim=*/true);
    }
    if (l.kind == "instance_norm") return normed(l, w, x, x.size(1));
    if (l.kind == "group_norm") return normed(l, w, x, l.groups);
    if (l.kind == "activation") return x;
    if (l.kind == "concatenate") return at::cat(inputs, 1);
    if (l.kind != "add") throw Mistake("layer " + l.name + ": " + l.kind + " is not known");
    at::Tensor sum = x;
    for (std::size_t i = 1; i < inputs.size(); ++i) sum = sum + inputs[i];
    return sum;
  }

  at::Tensor convolved(const Layer& l, const Weights& w, const at::Tensor& x) const {
    const at::Tensor& weight = w(l.name + ".weight");
    if (weight.scalar_type() != at::kFloat)
      throw Mistake("convolutional nets are trained in fp32 alone");
    const c10::optional<at::Tensor> bias =
        l.bias ? c10::optional<at::Tensor>(w(l.name + ".bias")) : c10::nullopt;
    return at::convolution(x, weight, bias, l.stride, l.padding, l.dilation, false,
                           Sizes(l.stride.size(), 0), l.groups);
  }

  at::Tensor normed(const Layer& l, const Weights& w, const at::Tensor& x,
                    std::int64_t groups) const {
    if (!l.affine) return at::group_norm(x, groups, {}, {}, l.epsilon, false);
    return at::group_norm(x, groups, w(l.name + ".weight"), w(l.name + ".bias"), l.epsilon, false);
  }

  at::Tensor activated(const Layer& l, const Weights& w, const at::Tensor& x) const {
    if (l.activation == "none") return x;
    if (l.activation == "relu") return at::relu(x);
    if (l.activation == "leaky_relu") return at::leaky_relu(x, l.slope);
    if (l.activation == "prelu") return at::prelu(x, w(l.name + ".slope"));
    if (l.activation == "gelu") return at::gelu(x);
    if (l.activation == "silu") return at::silu(x);
    if (l.activation == "sigmoid") return at::sigmoid(x);
    throw Mistake("layer " + l.name + ": the activation " + l.activation + " is not known");
  }

  std::int64_t axes_;
  std::vector<Layer> layers_;
  std::string output_;
};

}  // namespace

std::unique_ptr<Net> convolutional_net(const nlohmann::json& config) {
  return std::make_unique<ConvolutionalNet>(config);
}

}  // namespace aceso::train
