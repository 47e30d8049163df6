#include "surrogate.hpp"

#include <algorithm>
#include <cmath>

namespace aceso::molecules {
namespace {

double dot(const double* a, const double* b, std::size_t size) {
  // Four sums, so that additions need not wait for each other.
  double sums[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= size; i += 4)
    for (std::size_t lane = 0; lane < 4; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  for (; i < size; ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// Turns the lower half of a positive definite matrix into its Cholesky factor.
void factorise(std::vector<double>& matrix, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) {
    double* row = matrix.data() + i * size;
    for (std::size_t j = 0; j <= i; ++j) {
      const double* other = matrix.data() + j * size;
      const double rest = row[j] - dot(row, other, j);
      row[j] = i == j ? std::sqrt(std::max(rest, 1e-12)) : rest / other[j];
    }
  }
}

void solve_lower(const std::vector<double>& factor, std::vector<double>& x) {
  const std::size_t size = x.size();
  for (std::size_t i = 0; i < size; ++i) {
    const double* row = factor.data() + i * size;
    x[i] = (x[i] - dot(row, x.data(), i)) / row[i];
  }
}

void solve_upper(const std::vector<double>& factor, std::vector<double>& x) {
  const std::size_t size = x.size();
  for (std::size_t i = size; i-- > 0;) {
    x[i] /= factor[i * size + i];
    for (std::size_t j = 0; j < i; ++j) x[j] -= factor[i * size + j] * x[i];
  }
}

}  // namespace

Surrogate::Surrogate(std::vector<Example> examples, double noise) : examples_(std::move(examples)) {
  const std::size_t size = examples_.size();
  for (const Example& example : examples_) centre_ += example.score / static_cast<double>(size);
  double variance = 0;
  for (const Example& example : examples_)
    variance += (example.score - centre_) * (example.score - centre_);
  scale_ = std::sqrt(std::max(variance / static_cast<double>(size), 1e-12));
  factor_.assign(size * size, 0);
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = 0; j < i; ++j)
      factor_[i * size + j] = tanimoto(*examples_[i].features, *examples_[j].features);
    factor_[i * size + i] = 1 + noise;
    weights_.push_back((examples_[i].score - centre_) / scale_);
  }
  factorise(factor_, size);
  solve_lower(factor_, weights_);
  solve_upper(factor_, weights_);
}

Guess Surrogate::operator()(const FeatureCounts& features) const {
  std::vector<double> kernel;
  kernel.reserve(examples_.size());
  double mean = 0;
  for (std::size_t i = 0; i < examples_.size(); ++i) {
    kernel.push_back(tanimoto(features, *examples_[i].features));
    mean += kernel[i] * weights_[i];
  }
  solve_lower(factor_, kernel);
  const double variance = 1 - dot(kernel.data(), kernel.data(), kernel.size());
  return {centre_ + scale_ * mean, scale_ * std::sqrt(std::max(variance, 0.0))};
}

}  // namespace aceso::molecules
