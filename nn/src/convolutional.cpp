#include "aceso/nn/convolutional.hpp"

#include "aceso/core/error.hpp"
#include "checked_weights.hpp"
#include "convolutional_steps.hpp"

#include <algorithm>
#include <cmath>

namespace aceso::nn {
namespace {

using Kind = ConvolutionalLayer::Kind;

ConvolutionalSpec spec_of(const ModelFolder& model) {
  const ModelDescription& description = model.description();
  const std::string source = model.path().string();
  if (description.architecture != "convolutional")
    fail(Errc::Unsupported, "{}: expected a model of architecture convolutional, found {}", source,
         description.architecture);
  return ConvolutionalSpec::from_json(description.config, source);
}

Tensor copy_of(const Tensor& tensor) {
  Tensor made(DType::F32, tensor.shape());
  std::ranges::copy(tensor.values<float>(), made.values<float>().begin());
  return made;
}

Tensor filled(std::int64_t count, float value) {
  Tensor made(DType::F32, {count});
  std::ranges::fill(made.values<float>(), value);
  return made;
}

void take_weights(ConvolutionalStep& step, const TensorSet& weights) {
  const auto take = [&](const char* part) {
    const auto found = weights.find(step.layer.name + "." + part);
    return found == weights.end() ? Tensor() : found->second;
  };
  step.weight = take("weight");
  step.bias = take("bias");
  step.slope = take("slope");
  if (step.layer.kind != Kind::BatchNorm) return;
  // From here on x * weight + bias, with the statistics in it (Ioffe and Szegedy 2015).
  const Tensor mean = take("running_mean"), variance = take("running_var");
  step.weight = copy_of(step.weight);
  step.bias = copy_of(step.bias);
  for (std::size_t c = 0; c < static_cast<std::size_t>(step.channels); ++c) {
    float &weight = step.weight.values<float>()[c], &bias = step.bias.values<float>()[c];
    const double scale =
        weight / std::sqrt(double{variance.values<float>()[c]} + step.layer.epsilon);
    bias = static_cast<float>(bias - scale * mean.values<float>()[c]);
    weight = static_cast<float>(scale);
  }
}

/// Multiplies what `step` makes by a scale for each channel, and adds a shift.
void fold(ConvolutionalStep& step, const ConvolutionalStep& norm) {
  step.weight = copy_of(step.weight);
  step.bias = step.bias.shape().empty() ? filled(step.channels, 0) : copy_of(step.bias);
  const auto scale = norm.weight.values<float>(), shift = norm.bias.values<float>();
  const auto weight = step.weight.values<float>(), bias = step.bias.values<float>();
  for (std::size_t c = 0; c < bias.size(); ++c) bias[c] = bias[c] * scale[c] + shift[c];
  // Rows of a channel: [O, ...], but [groups, C / groups, O / groups, ...] if transposed.
  const bool transposed = step.layer.kind == Kind::Transposed;
  const auto out = static_cast<std::size_t>(step.channels);
  const auto groups = transposed ? static_cast<std::size_t>(step.layer.groups) : 1;
  const auto rows = transposed ? static_cast<std::size_t>(step.in_channels) / groups : 1;
  const std::size_t row = weight.size() / (out * rows);
  for (std::size_t i = 0; i < weight.size(); ++i) {
    const std::size_t line = i / row, made = out / groups;
    weight[i] *= scale[line / (rows * made) * made + line % made];
  }
  step.layer.activation = norm.layer.activation;
  step.layer.slope = norm.layer.slope;
  step.slope = norm.slope;
}

bool takes_a_norm(const ConvolutionalStep& step) {
  const Kind kind = step.layer.kind;
  return (kind == Kind::Convolution || kind == Kind::Transposed || kind == Kind::Linear) &&
         step.layer.activation == ConvolutionalLayer::Function::None;
}

/// The net without the batch norms that stand alone behind a convolution.
ConvolutionalSteps folded(const ConvolutionalSteps& all) {
  std::vector<std::size_t> readers(all.steps.size() + 1, 0);
  for (const ConvolutionalStep& step : all.steps)
    for (const std::size_t input : step.inputs) ++readers[input];
  for (const std::size_t output : all.outputs) ++readers[output];
  ConvolutionalSteps made{all.dimensions, all.channels, {}, {}};
  std::vector<std::size_t> renamed{0};
  for (const ConvolutionalStep& step : all.steps) {
    const std::size_t before = step.inputs.front();
    const bool norm = step.layer.kind == Kind::BatchNorm && before > 0 && readers[before] == 1;
    if (norm && takes_a_norm(made.steps[renamed[before] - 1])) {
      fold(made.steps[renamed[before] - 1], step);
      renamed.push_back(renamed[before]);
      continue;
    }
    made.steps.push_back(step);
    for (std::size_t& input : made.steps.back().inputs) input = renamed[input];
    renamed.push_back(made.steps.size());
  }
  for (const std::size_t output : all.outputs) made.outputs.push_back(renamed[output]);
  return made;
}

ConvolutionalSteps weighted(const ConvolutionalSpec& spec, const TensorSet& tensors,
                            std::string_view source) {
  ConvolutionalSteps all = resolved(spec, source);
  const TensorSet weights = checked_weights(tensors, spec.weights(), source);
  for (ConvolutionalStep& step : all.steps) take_weights(step, weights);
  return folded(all);
}

Precision possible(Precision wanted) {
  if (wanted == Precision::Int8)
    fail(Errc::Unsupported, "expected the precision fp32 or bf16 for a convolutional net, found {}",
         name(wanted));
  return wanted == Precision::Bf16 && !onednn_has_bf16() ? Precision::Fp32 : wanted;
}

}  // namespace

struct Convolutional::Impl {
  ConvolutionalSpec spec;
  Precision precision;
  std::shared_ptr<const ConvolutionEngine> engine;

  void check(const Tensor& images) const {
    const auto axes = static_cast<std::size_t>(spec.dimensions);
    const auto& shape = images.shape();
    const bool fits = shape.size() == axes + 2 && shape[1] == spec.channels &&
                      std::all_of(shape.begin() + 2, shape.end(),
                                  [](std::int64_t size) { return size > 0 && size <= 1 << 20; });
    if (!fits || images.type() != DType::F32 || !images.is_contiguous())
      fail(Errc::InvalidArgument,
           "expected contiguous f32 images with {} channels and {} axes, found {} {}",
           spec.channels, axes, aceso::name(images.type()), shape_text(shape));
  }
};

Convolutional::Convolutional(const ModelFolder& model, Precision precision)
    : Convolutional(spec_of(model), model.weights().all(), precision, model.path().string()) {}

Convolutional::Convolutional(const ConvolutionalSpec& spec, const TensorSet& weights,
                             Precision precision, std::string_view source) {
  const Precision used = possible(precision);
  impl_ = std::make_shared<const Impl>(spec, used,
                                       onednn_convolutions(weighted(spec, weights, source), used));
}

const ConvolutionalSpec& Convolutional::spec() const noexcept { return impl_->spec; }

Precision Convolutional::precision() const noexcept { return impl_->precision; }

std::vector<Tensor> Convolutional::run(const Tensor& images) const {
  impl_->check(images);
  return impl_->engine->run(images);
}

}  // namespace aceso::nn
