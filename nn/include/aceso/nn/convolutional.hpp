/// \file
/// Convolutional nets over signals, images and volumes, described as data: U-Nets (Ronneberger et
/// al. 2015; Çiçek et al. 2016), SegResNet (Myronenko 2018), image classifiers.
#pragma once

#include "aceso/core/json.hpp"
#include "aceso/core/tensor.hpp"
#include "aceso/nn/model_folder.hpp"
#include "aceso/nn/transformer.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::nn {

/// One layer: what it reads, what it does, and the activation at its end. Lists for axes have one
/// number for all axes, or one for each, slowest first (depth, height, width); empty: the default.
struct ConvolutionalLayer {
  enum class Kind {
    Convolution,    ///< kernel, stride, padding, dilation, groups, channels, bias
    Transposed,     ///< the same, and output_padding
    Linear,         ///< channels from all `features` of the image together, which becomes one place
    MaxPool,        ///< kernel, stride (default: kernel), padding
    AveragePool,    ///< the same; padding counts as zeros
    GlobalAverage,  ///< the mean of each channel, in one place
    Nearest,        ///< scale: each place repeated
    Interpolate,    ///< scale: linear along each axis, edges repeated (align_corners off)
    BatchNorm,      ///< by the statistics of training; folded into the convolution before it
    InstanceNorm,   ///< by mean and variance of a channel (Ulyanov et al. 2016)
    GroupNorm,      ///< by mean and variance of one of `groups` of channels (Wu and He 2018)
    Activation,     ///< only the activation
    Add,            ///< the sum of its inputs, which are of one shape
    Concatenate     ///< the channels of its inputs, one behind the other
  };
  enum class Function {
    None,
    Relu,
    LeakyRelu,  ///< x < 0: slope * x
    Prelu,      ///< the same with a slope for each channel (He et al. 2015)
    Gelu,       ///< the erf form
    Silu,       ///< x * sigmoid(x)
    Sigmoid
  };

  std::string name;  ///< before its weights' names; unique
  Kind kind = Kind::Convolution;
  std::vector<std::string> inputs = {};  ///< "input" or layers above; empty: the layer before
  std::int64_t channels = 0;             ///< that it makes (Convolution, Transposed, Linear)
  std::int64_t features = 0;             ///< channels times places of what Linear reads
  std::vector<std::int64_t> kernel = {};
  std::vector<std::int64_t> stride = {};          ///< 1
  std::vector<std::int64_t> padding = {};         ///< 0; on both sides
  std::vector<std::int64_t> dilation = {};        ///< 1
  std::vector<std::int64_t> output_padding = {};  ///< 0; below stride
  std::vector<std::int64_t> scale = {};
  std::int64_t groups = 1;
  bool bias = true;
  bool affine = true;  ///< InstanceNorm and GroupNorm: with weight and bias
  double epsilon = 1e-5;
  Function activation = Function::None;
  double slope = 0.01;
};

/// A net: `config` of model.yaml, architecture "convolutional". Weight names, with C channels of
/// what is read, O of what is made, G groups, K... the kernel:
///
///   convolution NAME.weight [O,C/G,K...], NAME.bias [O]; transposed NAME.weight [C,O/G,K...]
///   linear NAME.weight [O,features] (features in the order channel, depth, height, width)
///   batch_norm NAME.{weight,bias,running_mean,running_var} [C]
///   instance_norm, group_norm NAME.{weight,bias} [C], if affine
///   any layer with prelu NAME.slope [O]
///
/// As PyTorch lays them out.
struct ConvolutionalSpec {
  std::int64_t dimensions = 2;  ///< 1 to 3
  std::int64_t channels = 1;    ///< of "input"
  std::vector<ConvolutionalLayer> layers = {};
  std::vector<std::string> outputs = {};  ///< names; empty: the last layer

  [[nodiscard]] Json to_json() const;
  /// \throws Error CorruptData naming `source`, the layer and the setting that is missing,
  /// unknown, impossible, or does not fit the layers above.
  [[nodiscard]] static ConvolutionalSpec from_json(const Json& config, std::string_view source);
  /// \throws Error CorruptData as from_json().
  void check(std::string_view source) const;
  /// Every weight's name and shape, of a checked spec.
  [[nodiscard]] std::vector<TensorInfo> weights() const;
};

/// Weights to begin a training with: uniform, of variance 2 / (inputs of one sum) (He et al. 2015,
/// arXiv:1502.01852); biases 0, norms 1, slopes 0.25. The same for one seed on every platform.
[[nodiscard]] TensorSet initial_weights(const ConvolutionalSpec& spec, std::uint64_t seed);

/// A net ready to compute. One object may serve many threads; each call runs on the caller's
/// thread alone.
class Convolutional {
 public:
  /// bf16 multiplies and keeps bf16 and sums in f32; on a CPU without AVX512-BF16 it is fp32.
  /// \throws Error CorruptData naming the layer that is impossible, or the tensor that is missing
  /// or has another shape; Unsupported for another architecture, and for int8.
  Convolutional(const ModelFolder& model, Precision precision);
  Convolutional(const ConvolutionalSpec& spec, const TensorSet& weights, Precision precision,
                std::string_view source);

  [[nodiscard]] const ConvolutionalSpec& spec() const noexcept;
  /// What is computed with: fp32 where bf16 was wanted and this CPU has none.
  [[nodiscard]] Precision precision() const noexcept;

  /// The outputs for `images`, f32 [images, channels, size...], contiguous: f32 [images, channels,
  /// size...] for each of spec().outputs. An image's result does not depend on the images beside
  /// it, nor on other threads. A value that is not a number reaches only what is computed from it:
  /// convolutions and norms hand it on; max pooling and relu may make a number of it.
  ///
  /// The first call for a size of image makes its plan, which takes tens of milliseconds for a
  /// U-Net; plans of the last 16 sizes are kept.
  /// \throws Error InvalidArgument on another type or shape, and naming the layer that cannot work
  /// on images of this size; OutOfResources.
  [[nodiscard]] std::vector<Tensor> run(const Tensor& images) const;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

}  // namespace aceso::nn
