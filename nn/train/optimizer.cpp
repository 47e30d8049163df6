#include "optimizer.hpp"

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_addcdiv.h>
#include <ATen/ops/_foreach_addcmul.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_foreach_sqrt.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>

namespace aceso::train {
namespace {

/// The sum of squares, in double, in one fixed order.
double squares(const at::Tensor& tensor) {
  const float* values = tensor.data_ptr<float>();
  const std::int64_t count = tensor.numel();
  // Eight sums side by side, so that the compiler may use vectors.
  double sums[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (int lane = 0; lane < 8; ++lane)
      sums[lane] += static_cast<double>(values[i + lane]) * values[i + lane];
  double total = 0;
  for (const double sum : sums) total += sum;
  for (; i < count; ++i) total += static_cast<double>(values[i]) * values[i];
  return total;
}

}  // namespace

AdamWSettings AdamWSettings::from_json(const nlohmann::json& settings) {
  AdamWSettings s;
  s.beta1 = settings.value("beta1", s.beta1);
  s.beta2 = settings.value("beta2", s.beta2);
  s.epsilon = settings.value("epsilon", s.epsilon);
  s.weight_decay = settings.value("weight_decay", s.weight_decay);
  s.clip = settings.value("clip", s.clip);
  return s;
}

AdamW::AdamW(const Tensors& weights, const std::vector<std::string>& names, AdamWSettings settings,
             const std::vector<bool>& owned, bool own_loops)
    : names_(names), settings_(settings), own_loops_(own_loops) {
  for (std::size_t p = 0; p < names_.size(); ++p) {
    const at::Tensor& weight = find(weights, names_[p]);
    // Biases and norms are not pulled towards zero.
    Parameter parameter{weight, {}, {}, weight.dim() > 1};
    if (owned.empty() || owned[p]) {
      parameter.first = at::zeros_like(weight);
      parameter.second = at::zeros_like(weight);
    }
    parameters_.push_back(std::move(parameter));
  }
}

double AdamW::norm_of(const std::vector<at::Tensor>& gradients) const {
  if (!own_loops_)
    return at::stack(at::_foreach_norm(gradients, 2)).to(at::kDouble).norm().item<double>();
  double total = 0;
  for (const at::Tensor& gradient : gradients) total += squares(gradient);
  return std::sqrt(total);
}

double AdamW::step(const std::vector<at::Tensor>& gradients, double learning_rate) {
  const double norm = norm_of(gradients);
  const bool clips = settings_.clip > 0 && norm > settings_.clip;
  const double factor = clips ? settings_.clip / norm : 1.0;
  ++steps_;
  const auto steps = static_cast<double>(steps_);
  const Rates rates{learning_rate / (1 - std::pow(settings_.beta1, steps)),
                    1 / std::sqrt(1 - std::pow(settings_.beta2, steps)),
                    1 - learning_rate * settings_.weight_decay};
  own_loops_ ? step_by_loops(gradients, factor, rates)
             : step_by_operators(gradients, factor, rates);
  return norm;
}

void AdamW::step_by_loops(const std::vector<at::Tensor>& gradients, double factor,
                          const Rates& rates) {
  const auto scale = static_cast<float>(factor);
  const auto beta1 = static_cast<float>(settings_.beta1);
  const auto beta2 = static_cast<float>(settings_.beta2);
  const auto rate = static_cast<float>(rates.rate), root = static_cast<float>(rates.root);
  const auto epsilon = static_cast<float>(settings_.epsilon);
  for (std::size_t p = 0; p < parameters_.size(); ++p) {
    Parameter& parameter = parameters_[p];
    if (!parameter.first.defined()) continue;
    const auto keep = static_cast<float>(parameter.decays ? rates.kept : 1.0);
    const float* gradient = gradients[p].data_ptr<float>();
    float* weight = parameter.weight.data_ptr<float>();
    float* first = parameter.first.data_ptr<float>();
    float* second = parameter.second.data_ptr<float>();
    const std::int64_t count = parameter.weight.numel();
    for (std::int64_t i = 0; i < count; ++i) {
      const float g = gradient[i] * scale;
      first[i] = beta1 * first[i] + (1 - beta1) * g;
      second[i] = beta2 * second[i] + (1 - beta2) * g * g;
      weight[i] = weight[i] * keep - rate * first[i] / (std::sqrt(second[i]) * root + epsilon);
    }
  }
}

void AdamW::step_by_operators(const std::vector<at::Tensor>& gradients, double factor,
                              const Rates& rates) {
  std::vector<at::Tensor> weights, decaying, first, second, given;
  for (std::size_t p = 0; p < parameters_.size(); ++p) {
    const Parameter& parameter = parameters_[p];
    if (!parameter.first.defined()) continue;
    weights.push_back(parameter.weight);
    first.push_back(parameter.first);
    second.push_back(parameter.second);
    given.push_back(gradients[p]);
    if (parameter.decays) decaying.push_back(parameter.weight);
  }
  if (weights.empty()) return;  // other ranks have all
  at::_foreach_mul_(given, factor);
  at::_foreach_mul_(first, settings_.beta1);
  at::_foreach_add_(first, given, 1 - settings_.beta1);
  at::_foreach_mul_(second, settings_.beta2);
  at::_foreach_addcmul_(second, given, given, 1 - settings_.beta2);
  std::vector<at::Tensor> divisors = at::_foreach_sqrt(second);
  at::_foreach_mul_(divisors, rates.root);
  at::_foreach_add_(divisors, settings_.epsilon);
  if (!decaying.empty()) at::_foreach_mul_(decaying, rates.kept);
  at::_foreach_addcdiv_(weights, first, divisors, -rates.rate);
}

Tensors AdamW::moments() const {
  Tensors all;
  for (std::size_t p = 0; p < names_.size(); ++p) {
    if (!parameters_[p].first.defined()) continue;
    all["first." + names_[p]] = parameters_[p].first;
    all["second." + names_[p]] = parameters_[p].second;
  }
  return all;
}

void AdamW::restore(const Tensors& moments, std::int64_t steps) {
  const auto copy = [&](at::Tensor& to, const std::string& name) {
    const at::Tensor& from = find(moments, name);
    if (from.sizes() != to.sizes()) throw Mistake(name + " has another shape");
    to.copy_(from);
  };
  for (std::size_t p = 0; p < names_.size(); ++p) {
    if (!parameters_[p].first.defined()) continue;
    copy(parameters_[p].first, "first." + names_[p]);
    copy(parameters_[p].second, "second." + names_[p]);
  }
  steps_ = steps;
}

}  // namespace aceso::train
