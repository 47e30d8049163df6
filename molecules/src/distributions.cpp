#include "distributions.hpp"

#include <boost/math/distributions/non_central_beta.hpp>
#include <boost/math/distributions/non_central_chi_squared.hpp>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/gamma.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace aceso::molecules {
namespace {

namespace bm = boost::math;
using Shapes = std::span<const double>;
using std::exp, std::expm1, std::log, std::log1p, std::pow, std::sqrt;

double normal(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

/// The lower incomplete gamma function, of its whole.
double gamma_below(double a, double x) {
  if (x <= 0) return 0;
  return std::isinf(x) ? 1 : bm::gamma_p(a, x);
}

double beta_below(double a, double b, double x) { return bm::ibeta(a, b, std::clamp(x, 0.0, 1.0)); }

/// Half of a distribution on z > 0, mirrored at 0.
double mirrored(double z, double below) { return z < 0 ? 0.5 - 0.5 * below : 0.5 + 0.5 * below; }

double burr(double z, double c, double d) { return z <= 0 ? 0 : pow(1 + pow(z, -c), -d); }

double gauss_hypergeometric(double z, Shapes s) {
  if (z <= 0) return 0;
  if (z >= 1) return 1;
  // t = x^a takes the pole at 0 out of x^(a - 1) (1 - x)^(b - 1) (1 + d x)^-c.
  const auto density = [&](double t) {
    const double x = pow(t, 1 / s[0]);
    return pow(1 - x, s[1] - 1) * pow(1 + s[3] * x, -s[2]);
  };
  using Rule = bm::quadrature::gauss_kronrod<double, 61>;
  constexpr unsigned kDepth = 8;
  constexpr double kTolerance = 1e-12;
  return Rule::integrate(density, 0.0, pow(z, s[0]), kDepth, kTolerance) /
         Rule::integrate(density, 0.0, 1.0, kDepth, kTolerance);
}

double log_gamma(double z, Shapes s) {
  // Below e^-700 only the series' first term is left, and z itself is at hand.
  return z < -700 ? exp(s[0] * z - std::lgamma(s[0] + 1)) : gamma_below(s[0], exp(z));
}

double exponential_normal(double z, Shapes s) {
  const double rate = 1 / s[0];
  const double tail = log(normal(z - rate)) + rate * (0.5 * rate - z);
  return normal(z) - exp(tail);
}

/// The quantile function is (p^l - (1 - p)^l) / l; it rises, so halving finds its inverse.
double tukey_lambda(double z, Shapes s) {
  const double l = s[0];
  if (l > 0 && z <= -1 / l) return 0;
  if (l > 0 && z >= 1 / l) return 1;
  double low = 0, high = 1;
  for (int i = 0; i < 60; ++i) {
    const double p = 0.5 * (low + high);
    const double quantile = l == 0 ? log(p / (1 - p)) : (pow(p, l) - pow(1 - p, l)) / l;
    (quantile < z ? low : high) = p;
  }
  return 0.5 * (low + high);
}

double non_central_f(double z, Shapes s) {
  if (z <= 0) return 0;
  const double y = s[0] * z / (s[1] + s[0] * z);
  if (!(y < 1)) return 1;
  return bm::cdf(bm::non_central_beta(s[0] / 2, s[1] / 2, s[2]), y);
}

double reciprocal_inverse_gauss(double z, Shapes s) {
  if (z <= 0) return 0;
  const double mean = 1 / s[0], root = sqrt(z);
  return normal((z - mean) / root) - exp(2 * mean) * normal(-(z + mean) / root);
}

double wald(double z, Shapes) {
  if (z <= 0) return 0;
  const double root = sqrt(z);
  return normal((z - 1) / root) + exp(2.0) * normal(-(z + 1) / root);
}

double half_logistic_general(double z, Shapes s) {
  if (z <= 0) return 0;
  if (s[0] * z >= 1) return 1;
  const double rest = exp(log1p(-s[0] * z) / s[0]);
  return (1 - rest) / (1 + rest);
}

// Sorted by name.
constexpr Family kFamilies[] = {
    {"alpha", 1,
     [](double z, Shapes s) { return z <= 0 ? 0 : normal(s[0] - 1 / z) / normal(s[0]); }},
    {"beta", 2, [](double z, Shapes s) { return beta_below(s[0], s[1], z); }},
    {"betaprime", 2,
     [](double z, Shapes s) { return z <= 0 ? 0 : beta_below(s[0], s[1], z / (1 + z)); }},
    {"burr", 2, [](double z, Shapes s) { return burr(z, s[0], s[1]); }},
    {"cauchy", 0, [](double z, Shapes) { return 0.5 + std::atan(z) / std::numbers::pi; }},
    {"chi", 1, [](double z, Shapes s) { return z <= 0 ? 0 : gamma_below(s[0] / 2, z * z / 2); }},
    {"dgamma", 1, [](double z, Shapes s) { return mirrored(z, gamma_below(s[0], std::abs(z))); }},
    {"dweibull", 1,
     [](double z, Shapes s) { return mirrored(z, -expm1(-pow(std::abs(z), s[0]))); }},
    {"exponnorm", 1, exponential_normal},
    {"exponpow", 1, [](double z, Shapes s) { return z <= 0 ? 0 : -expm1(-expm1(pow(z, s[0]))); }},
    {"exponweib", 2,
     [](double z, Shapes s) { return z <= 0 ? 0 : pow(-expm1(-pow(z, s[1])), s[0]); }},
    {"fisk", 1, [](double z, Shapes s) { return burr(z, s[0], 1); }},
    {"foldcauchy", 1,
     [](double z, Shapes s) {
       return z <= 0 ? 0 : (std::atan(z - s[0]) + std::atan(z + s[0])) / std::numbers::pi;
     }},
    {"foldnorm", 1,
     [](double z, Shapes s) { return z <= 0 ? 0 : normal(z - s[0]) - normal(-z - s[0]); }},
    {"gausshyper", 4, gauss_hypergeometric},
    {"genexpon", 3,
     [](double z, Shapes s) {
       return z <= 0 ? 0 : -expm1(-(s[0] + s[1]) * z - s[1] * expm1(-s[2] * z) / s[2]);
     }},
    {"gengamma", 2,
     [](double z, Shapes s) { return z <= 0 ? 0 : gamma_below(s[0], pow(z, s[1])); }},
    {"genhalflogistic", 1, half_logistic_general},
    {"genlogistic", 1, [](double z, Shapes s) { return exp(-s[0] * log1p(exp(-z))); }},
    {"gennorm", 1,
     [](double z, Shapes s) { return mirrored(z, gamma_below(1 / s[0], pow(std::abs(z), s[0]))); }},
    {"genpareto", 1,
     [](double z, Shapes s) { return z <= 0 ? 0 : -expm1(-log1p(s[0] * z) / s[0]); }},
    {"gibrat", 0, [](double z, Shapes) { return z <= 0 ? 0 : normal(log(z)); }},
    {"gompertz", 1, [](double z, Shapes s) { return z <= 0 ? 0 : -expm1(-s[0] * expm1(z)); }},
    {"halfgennorm", 1,
     [](double z, Shapes s) { return z <= 0 ? 0 : gamma_below(1 / s[0], pow(z, s[0])); }},
    {"halflogistic", 0, [](double z, Shapes) { return z <= 0 ? 0 : std::tanh(z / 2); }},
    {"halfnorm", 0,
     [](double z, Shapes) { return z <= 0 ? 0 : std::erf(z / std::numbers::sqrt2); }},
    {"hypsecant", 0, [](double z, Shapes) { return 2 / std::numbers::pi * std::atan(exp(z)); }},
    {"invgamma", 1, [](double z, Shapes s) { return z <= 0 ? 0 : bm::gamma_q(s[0], 1 / z); }},
    {"invweibull", 1, [](double z, Shapes s) { return z <= 0 ? 0 : exp(-pow(z, -s[0])); }},
    {"johnsonsb", 2,
     [](double z, Shapes s) {
       return z <= 0 ? 0 : z >= 1 ? 1 : normal(s[0] + s[1] * log(z / (1 - z)));
     }},
    {"johnsonsu", 2, [](double z, Shapes s) { return normal(s[0] + s[1] * std::asinh(z)); }},
    {"laplace", 0, [](double z, Shapes) { return mirrored(z, -expm1(-std::abs(z))); }},
    {"loggamma", 1, log_gamma},
    {"logistic", 0, [](double z, Shapes) { return 1 / (1 + exp(-z)); }},
    {"lognorm", 1, [](double z, Shapes s) { return z <= 0 ? 0 : normal(log(z) / s[0]); }},
    {"lomax", 1, [](double z, Shapes s) { return z <= 0 ? 0 : -expm1(-s[0] * log1p(z)); }},
    {"mielke", 2,
     [](double z, Shapes s) {
       return z <= 0 ? 0 : pow(z, s[0]) / pow(1 + pow(z, s[1]), s[0] / s[1]);
     }},
    {"ncf", 3, non_central_f},
    {"nct", 2, [](double z, Shapes s) { return bm::cdf(bm::non_central_t(s[0], s[1]), z); }},
    {"ncx2", 2,
     [](double z, Shapes s) {
       return z <= 0 ? 0 : bm::cdf(bm::non_central_chi_squared(s[0], s[1]), z);
     }},
    {"pareto", 1, [](double z, Shapes s) { return z <= 1 ? 0 : 1 - pow(z, -s[0]); }},
    {"pearson3", 1,  // of skew > 0: a gamma distribution, moved
     [](double z, Shapes s) { return gamma_below(4 / (s[0] * s[0]), 2 / s[0] * (z + 2 / s[0])); }},
    {"powerlaw", 1, [](double z, Shapes s) { return z <= 0 ? 0 : std::min(pow(z, s[0]), 1.0); }},
    {"recipinvgauss", 1, reciprocal_inverse_gauss},
    {"t", 1, [](double z, Shapes s) { return bm::cdf(bm::students_t(s[0]), z); }},
    {"tukeylambda", 1, tukey_lambda},
    {"wald", 0, wald},
};

}  // namespace

const Family* find_family(std::string_view name) {
  const auto* const found = std::ranges::lower_bound(kFamilies, name, {}, &Family::name);
  return found != std::end(kFamilies) && found->name == name ? found : nullptr;
}

}  // namespace aceso::molecules
