/// \file
/// A convolutional net as its engine takes it: names resolved, defaults filled in, sizes checked.
#pragma once

#include "aceso/nn/convolutional.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::nn {

using Sizes = std::vector<std::int64_t>;  ///< of the axes of an image

/// A layer whose lists have one number for each axis.
struct ConvolutionalStep {
  ConvolutionalLayer layer;
  std::vector<std::size_t> inputs;  ///< values: 0 is the net's input, i + 1 what step i makes
  std::int64_t in_channels = 0;     ///< of all inputs together
  std::int64_t channels = 0;        ///< that it makes
  Tensor weight = {}, bias = {};    ///< f32; empty where there is none
  Tensor slope = {};                ///< of prelu
};

struct ConvolutionalSteps {
  std::int64_t dimensions = 0, channels = 0;
  std::vector<ConvolutionalStep> steps;
  std::vector<std::size_t> outputs;  ///< values
};

/// \throws Error CorruptData naming `source` and the layer that is impossible.
[[nodiscard]] ConvolutionalSteps resolved(const ConvolutionalSpec& spec, std::string_view source);

/// What `step` makes of images of these sizes. \throws Error InvalidArgument naming the layer.
[[nodiscard]] Sizes size_made(const ConvolutionalStep& step, const std::vector<Sizes>& inputs);

[[nodiscard]] std::int64_t product(const Sizes& sizes) noexcept;

/// Computes steps whose weights are given. Thread-safe.
class ConvolutionEngine {
 public:
  ConvolutionEngine() = default;
  ConvolutionEngine(const ConvolutionEngine&) = delete;
  ConvolutionEngine& operator=(const ConvolutionEngine&) = delete;
  virtual ~ConvolutionEngine() = default;
  /// `images` and the result as in Convolutional::run, checked.
  [[nodiscard]] virtual std::vector<Tensor> run(const Tensor& images) const = 0;
};

/// oneDNN, in fp32 or bf16.
[[nodiscard]] std::shared_ptr<const ConvolutionEngine> onednn_convolutions(ConvolutionalSteps steps,
                                                                           Precision precision);
/// Whether this CPU multiplies bf16 itself, through oneDNN.
[[nodiscard]] bool onednn_has_bf16();

}  // namespace aceso::nn
