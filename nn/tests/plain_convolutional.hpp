/// \file
/// Convolutional nets as their formulas say, in double and one value at a time.
#pragma once

#include "aceso/nn/convolutional.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace aceso::nn::plain {

using Layer = ConvolutionalLayer;
using Kind = Layer::Kind;
using Place = std::array<std::int64_t, 3>;

struct Image {
  std::int64_t channels = 0;
  Place size{1, 1, 1};
  std::vector<double> values = {};

  Image(std::int64_t the_channels, Place the_size) : channels(the_channels), size(the_size) {
    values.resize(static_cast<std::size_t>(channels * places()));
  }
  [[nodiscard]] std::int64_t places() const { return size[0] * size[1] * size[2]; }
  [[nodiscard]] bool inside(const Place& p) const {
    for (std::size_t a = 0; a < 3; ++a)
      if (p[a] < 0 || p[a] >= size[a]) return false;
    return true;
  }
  [[nodiscard]] double& at(std::int64_t c, const Place& p) {
    return values[static_cast<std::size_t>(((c * size[0] + p[0]) * size[1] + p[1]) * size[2] +
                                           p[2])];
  }
  [[nodiscard]] double at(std::int64_t c, const Place& p) const {
    return const_cast<Image*>(this)->at(c, p);
  }
};

inline void each(const Place& size, const std::function<void(const Place&)>& action) {
  for (std::int64_t z = 0; z < size[0]; ++z)
    for (std::int64_t y = 0; y < size[1]; ++y)
      for (std::int64_t x = 0; x < size[2]; ++x) action({z, y, x});
}

class Net {
 public:
  Net(const ConvolutionalSpec& spec, const TensorSet& weights) : spec_(spec), weights_(weights) {}

  /// The outputs for one image.
  std::vector<Image> run(const Image& input) {
    values_.clear();
    values_.emplace("input", input);
    std::string before = "input";
    for (const Layer& layer : spec_.layers) {
      std::vector<Image> inputs;
      for (const std::string& name : layer.inputs) inputs.push_back(values_.at(name));
      if (inputs.empty()) inputs.push_back(values_.at(before));
      Image made = apply(layer, inputs);
      for (std::int64_t c = 0; c < made.channels; ++c)
        each(made.size, [&](const Place& p) { made.at(c, p) = bent(layer, c, made.at(c, p)); });
      values_.insert_or_assign(layer.name, made);
      before = layer.name;
    }
    std::vector<Image> outputs;
    for (const std::string& name : spec_.outputs) outputs.push_back(values_.at(name));
    if (outputs.empty()) outputs.push_back(values_.at(before));
    return outputs;
  }

 private:
  [[nodiscard]] double weight(const Layer& layer, const char* part, std::int64_t i) const {
    return weights_.at(layer.name + "." + part).values<float>()[static_cast<std::size_t>(i)];
  }

  [[nodiscard]] double bent(const Layer& layer, std::int64_t channel, double x) const {
    switch (layer.activation) {
      case Layer::Function::None:
        return x;
      case Layer::Function::Relu:
        return x < 0 ? 0 : x;
      case Layer::Function::LeakyRelu:
        return x < 0 ? layer.slope * x : x;
      case Layer::Function::Prelu:
        return x < 0 ? weight(layer, "slope", channel) * x : x;
      case Layer::Function::Gelu:
        return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
      case Layer::Function::Silu:
        return x / (1 + std::exp(-x));
      case Layer::Function::Sigmoid:
        return 1 / (1 + std::exp(-x));
    }
    return x;
  }

  /// A list of axes, widened to three.
  [[nodiscard]] Place axes(const std::vector<std::int64_t>& list, std::int64_t missing,
                           std::int64_t outside) const {
    const auto count = static_cast<std::size_t>(spec_.dimensions);
    Place made{outside, outside, outside};
    for (std::size_t a = 0; a < count; ++a)
      made[3 - count + a] = list.empty() ? missing : list[list.size() == 1 ? 0 : a];
    return made;
  }

  Image apply(const Layer& layer, const std::vector<Image>& inputs) {
    const Image& x = inputs.front();
    switch (layer.kind) {
      case Kind::Convolution:
        return convolved(layer, x);
      case Kind::Transposed:
        return transposed(layer, x);
      case Kind::Linear:
        return linear(layer, x);
      case Kind::MaxPool:
      case Kind::AveragePool:
        return pooled(layer, x);
      case Kind::GlobalAverage:
        return averaged(x);
      case Kind::Nearest:
      case Kind::Interpolate:
        return resampled(layer, x);
      case Kind::BatchNorm:
      case Kind::InstanceNorm:
      case Kind::GroupNorm:
        return normalised(layer, x);
      case Kind::Activation:
        return x;
      case Kind::Add:
      case Kind::Concatenate:
        return joined(layer, inputs);
    }
    return x;
  }

  Image convolved(const Layer& layer, const Image& x) {
    const Place k = axes(layer.kernel, 1, 1), s = axes(layer.stride, 1, 1),
                pad = axes(layer.padding, 0, 0), d = axes(layer.dilation, 1, 1);
    Image y(layer.channels, {});
    for (std::size_t a = 0; a < 3; ++a)
      y.size[a] = (x.size[a] + 2 * pad[a] - d[a] * (k[a] - 1) - 1) / s[a] + 1;
    y = Image(layer.channels, y.size);
    const std::int64_t in = x.channels / layer.groups, out = y.channels / layer.groups;
    for (std::int64_t o = 0; o < y.channels; ++o)
      each(y.size, [&](const Place& p) {
        double sum = layer.bias ? weight(layer, "bias", o) : 0;
        for (std::int64_t i = 0; i < in; ++i)
          each(k, [&](const Place& q) {
            Place from;
            for (std::size_t a = 0; a < 3; ++a) from[a] = p[a] * s[a] - pad[a] + q[a] * d[a];
            const std::int64_t at = (((o * in + i) * k[0] + q[0]) * k[1] + q[1]) * k[2] + q[2];
            if (x.inside(from)) sum += weight(layer, "weight", at) * x.at(o / out * in + i, from);
          });
        y.at(o, p) = sum;
      });
    return y;
  }

  Image transposed(const Layer& layer, const Image& x) {
    const Place k = axes(layer.kernel, 1, 1), s = axes(layer.stride, 1, 1),
                pad = axes(layer.padding, 0, 0), d = axes(layer.dilation, 1, 1),
                more = axes(layer.output_padding, 0, 0);
    Place size;
    for (std::size_t a = 0; a < 3; ++a)
      size[a] = (x.size[a] - 1) * s[a] - 2 * pad[a] + d[a] * (k[a] - 1) + more[a] + 1;
    Image y(layer.channels, size);
    const std::int64_t in = x.channels / layer.groups, out = y.channels / layer.groups;
    if (layer.bias)
      for (std::int64_t o = 0; o < y.channels; ++o)
        each(size, [&](const Place& p) { y.at(o, p) = weight(layer, "bias", o); });
    for (std::int64_t i = 0; i < x.channels; ++i)
      for (std::int64_t o = 0; o < out; ++o)
        each(x.size, [&](const Place& p) {
          each(k, [&](const Place& q) {
            Place to;
            for (std::size_t a = 0; a < 3; ++a) to[a] = p[a] * s[a] - pad[a] + q[a] * d[a];
            const std::int64_t at = (((i * out + o) * k[0] + q[0]) * k[1] + q[1]) * k[2] + q[2];
            if (y.inside(to))
              y.at(i / in * out + o, to) += weight(layer, "weight", at) * x.at(i, p);
          });
        });
    return y;
  }

  Image linear(const Layer& layer, const Image& x) {
    Image y(layer.channels, {1, 1, 1});
    for (std::int64_t o = 0; o < y.channels; ++o) {
      double sum = layer.bias ? weight(layer, "bias", o) : 0;
      for (std::size_t i = 0; i < x.values.size(); ++i)
        sum += x.values[i] *
               weight(layer, "weight", o * layer.features + static_cast<std::int64_t>(i));
      y.at(o, {0, 0, 0}) = sum;
    }
    return y;
  }

  Image pooled(const Layer& layer, const Image& x) {
    const Place k = axes(layer.kernel, 1, 1), pad = axes(layer.padding, 0, 0),
                s = axes(layer.stride.empty() ? layer.kernel : layer.stride, 1, 1);
    Place size;
    for (std::size_t a = 0; a < 3; ++a) size[a] = (x.size[a] + 2 * pad[a] - k[a]) / s[a] + 1;
    Image y(x.channels, size);
    const bool largest = layer.kind == Kind::MaxPool;
    for (std::int64_t c = 0; c < x.channels; ++c)
      each(size, [&](const Place& p) {
        double found = largest ? -std::numeric_limits<double>::infinity() : 0;
        each(k, [&](const Place& q) {
          Place from;
          for (std::size_t a = 0; a < 3; ++a) from[a] = p[a] * s[a] - pad[a] + q[a];
          if (!x.inside(from)) return;
          found = largest ? std::max(found, x.at(c, from)) : found + x.at(c, from);
        });
        y.at(c, p) = largest ? found : found / static_cast<double>(k[0] * k[1] * k[2]);
      });
    return y;
  }

  static Image averaged(const Image& x) {
    Image y(x.channels, {1, 1, 1});
    for (std::int64_t c = 0; c < x.channels; ++c)
      each(x.size, [&](const Place& p) {
        y.at(c, {0, 0, 0}) += x.at(c, p) / static_cast<double>(x.places());
      });
    return y;
  }

  Image resampled(const Layer& layer, const Image& x) {
    const Place scale = axes(layer.scale, 1, 1);
    Image y(x.channels, {x.size[0] * scale[0], x.size[1] * scale[1], x.size[2] * scale[2]});
    for (std::int64_t c = 0; c < x.channels; ++c)
      each(y.size, [&](const Place& p) {
        double sum = 0;
        // Both neighbours along each axis; one alone where places are repeated.
        each({2, 2, 2}, [&](const Place& side) {
          double share = 1;
          Place from;
          for (std::size_t a = 0; a < 3; ++a) {
            if (layer.kind == Kind::Nearest) {
              from[a] = p[a] / scale[a];
              share *= side[a] == 0 ? 1 : 0;
              continue;
            }
            const double at =
                (static_cast<double>(p[a]) + 0.5) / static_cast<double>(scale[a]) - 0.5;
            const double left = std::floor(at);
            share *= side[a] == 0 ? 1 - (at - left) : at - left;
            from[a] = std::clamp(static_cast<std::int64_t>(left) + side[a], std::int64_t{0},
                                 x.size[a] - 1);
          }
          if (share > 0) sum += share * x.at(c, from);
        });
        y.at(c, p) = sum;
      });
    return y;
  }

  Image normalised(const Layer& layer, const Image& x) {
    Image y = x;
    const std::int64_t groups = layer.kind == Kind::GroupNorm ? layer.groups : x.channels;
    const std::int64_t width = x.channels / groups;
    for (std::int64_t c = 0; c < x.channels; ++c) {
      double mean = 0, variance = 0;
      const std::int64_t first = c / width * width;
      const auto count = static_cast<double>(width * x.places());
      if (layer.kind == Kind::BatchNorm) {
        mean = weight(layer, "running_mean", c);
        variance = weight(layer, "running_var", c);
      } else {
        for (std::int64_t i = first; i < first + width; ++i)
          each(x.size, [&](const Place& p) { mean += x.at(i, p) / count; });
        for (std::int64_t i = first; i < first + width; ++i)
          each(x.size, [&](const Place& p) { variance += std::pow(x.at(i, p) - mean, 2) / count; });
      }
      const bool affine = layer.kind == Kind::BatchNorm || layer.affine;
      const double gain = affine ? weight(layer, "weight", c) : 1;
      const double shift = affine ? weight(layer, "bias", c) : 0;
      each(x.size, [&](const Place& p) {
        y.at(c, p) = (x.at(c, p) - mean) / std::sqrt(variance + layer.epsilon) * gain + shift;
      });
    }
    return y;
  }

  static Image joined(const Layer& layer, const std::vector<Image>& inputs) {
    Image y = inputs.front();
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      const std::vector<double>& more = inputs[i].values;
      if (layer.kind == Kind::Concatenate) {
        y.values.insert(y.values.end(), more.begin(), more.end());
        y.channels += inputs[i].channels;
      } else {
        std::ranges::transform(y.values, more, y.values.begin(), std::plus<>());
      }
    }
    return y;
  }

  ConvolutionalSpec spec_;
  TensorSet weights_;
  std::map<std::string, Image> values_;
};

}  // namespace aceso::nn::plain
