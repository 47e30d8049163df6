#include "aceso/lm/principal_components.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/threads.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace aceso::lm {
namespace {

/// Vectors that are iterated for the two that are wanted: convergence is by the ratio of the
/// second eigenvalue to the one after the last of these.
constexpr std::size_t kBlock = 12;
constexpr int kMostIterations = 5000;
constexpr double kTolerance = 1e-11;

/// A dense matrix, row by row.
struct Matrix {
  std::size_t rows = 0, columns = 0;
  std::vector<double> values;

  Matrix(std::size_t r, std::size_t c) : rows(r), columns(c), values(r * c, 0.0) {}
  [[nodiscard]] std::span<double> row(std::size_t i) {
    return std::span(values).subspan(i * columns, columns);
  }
  [[nodiscard]] std::span<const double> row(std::size_t i) const {
    return std::span(values).subspan(i * columns, columns);
  }
};

double dot(std::span<const double> a, std::span<const double> b) {
  // Four sums, which a compiler may keep in one register, in an order that never changes.
  std::array<double, 4> sums{};
  std::size_t i = 0;
  for (; i + 4 <= a.size(); i += 4)
    for (std::size_t lane = 0; lane < 4; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  for (; i < a.size(); ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void add_scaled(std::span<double> to, double factor, std::span<const double> from) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += factor * from[i];
}

Matrix centred(std::span<const float> rows, std::size_t dimensions) {
  Matrix data(rows.size() / dimensions, dimensions);
  std::vector<double> mean(dimensions, 0.0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!std::isfinite(rows[i]))
      fail(Errc::InvalidArgument, "row {}: expected finite numbers, found {}", i / dimensions + 1,
           rows[i]);
    mean[i % dimensions] += rows[i];
  }
  for (double& value : mean) value /= static_cast<double>(data.rows);
  for (std::size_t i = 0; i < rows.size(); ++i) data.values[i] = rows[i] - mean[i % dimensions];
  return data;
}

Matrix transposed(const Matrix& matrix) {
  Matrix result(matrix.columns, matrix.rows);
  for (std::size_t i = 0; i < matrix.rows; ++i)
    for (std::size_t j = 0; j < matrix.columns; ++j)
      result.values[j * matrix.rows + i] = matrix.values[i * matrix.columns + j];
  return result;
}

/// The products of all rows with each other. Each is one sum, whoever computes it.
Matrix products(const Matrix& matrix, unsigned threads, const std::stop_token& stop) {
  constexpr std::size_t kRowsAtOnce = 16;
  Matrix result(matrix.rows, matrix.rows);
  const auto compute = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i)
      for (std::size_t j = 0; j <= i; ++j)
        result.values[i * matrix.rows + j] = result.values[j * matrix.rows + i] =
            dot(matrix.row(i), matrix.row(j));
  };
  parallel_for(matrix.rows, kRowsAtOnce, threads, compute, stop);
  return result;
}

/// Makes the rows of `basis` orthonormal (modified Gram-Schmidt, twice against cancellation); rows
/// that depend on others become 0.
void orthonormalise(Matrix& basis) {
  for (std::size_t i = 0; i < basis.rows; ++i) {
    const double before = std::sqrt(dot(basis.row(i), basis.row(i)));
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t j = 0; j < i; ++j)
        add_scaled(basis.row(i), -dot(basis.row(i), basis.row(j)), basis.row(j));
    const double length = std::sqrt(dot(basis.row(i), basis.row(i)));
    const double factor = length > 1e-12 * before && length > 0 ? 1 / length : 0;
    for (double& value : basis.row(i)) value *= factor;
  }
}

/// Eigenvalues, largest first, and eigenvectors as rows of a small symmetric matrix: Jacobi's
/// rotations (Golub & Van Loan 2013, 8.5).
struct Eigen {
  std::vector<double> values;
  Matrix vectors;
};

void rotate(Matrix& m, Matrix& vectors, std::size_t p, std::size_t q) {
  const std::size_t n = m.rows;
  const double pq = m.values[p * n + q];
  if (pq == 0) return;
  const double theta = (m.values[q * n + q] - m.values[p * n + p]) / (2 * pq);
  const double t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
  const double c = 1 / std::sqrt(t * t + 1), s = t * c;
  const auto turn = [c, s](double& a, double& b) {
    const double first = a, second = b;
    a = c * first - s * second;
    b = s * first + c * second;
  };
  for (std::size_t k = 0; k < n; ++k) turn(m.values[k * n + p], m.values[k * n + q]);
  for (std::size_t k = 0; k < n; ++k) turn(m.values[p * n + k], m.values[q * n + k]);
  for (std::size_t k = 0; k < n; ++k) turn(vectors.values[p * n + k], vectors.values[q * n + k]);
}

Eigen small_eigen(Matrix m) {
  constexpr int kSweeps = 30;  // ten are enough for doubles
  const std::size_t n = m.rows;
  Matrix vectors(n, n);
  for (std::size_t i = 0; i < n; ++i) vectors.values[i * n + i] = 1;
  for (int sweep = 0; sweep < kSweeps; ++sweep)
    for (std::size_t p = 0; p < n; ++p)
      for (std::size_t q = p + 1; q < n; ++q) rotate(m, vectors, p, q);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](std::size_t i) { return m.values[i * n + i]; });
  Eigen result{{}, Matrix(n, n)};
  for (std::size_t i = 0; i < n; ++i) {
    result.values.push_back(m.values[order[i] * n + order[i]]);
    std::ranges::copy(vectors.row(order[i]), result.vectors.row(i).begin());
  }
  return result;
}

/// Each row of `basis` times the symmetric `matrix`.
Matrix times(const Matrix& basis, const Matrix& matrix) {
  Matrix result(basis.rows, matrix.rows);
  for (std::size_t i = 0; i < matrix.rows; ++i)
    for (std::size_t b = 0; b < basis.rows; ++b)
      result.values[b * matrix.rows + i] = dot(matrix.row(i), basis.row(b));
  return result;
}

/// Each row of `weights` as a sum of the rows of `basis`.
Matrix combined(const Matrix& weights, const Matrix& basis) {
  Matrix result(weights.rows, basis.columns);
  for (std::size_t i = 0; i < weights.rows; ++i)
    for (std::size_t j = 0; j < basis.rows; ++j)
      add_scaled(result.row(i), weights.values[i * weights.columns + j], basis.row(j));
  return result;
}

/// Vectors that begin nowhere near an eigenvector of a usual matrix, and always the same.
Matrix first_basis(std::size_t size) {
  Matrix basis(std::min(kBlock, size), size);
  std::uint64_t state = 0x9E3779B97F4A7C15;
  for (double& value : basis.values) {
    state = state * 6364136223846793005 + 1442695040888963407;
    value = static_cast<double>(state >> 11) * 0x1p-53 - 0.5;
  }
  return basis;
}

/// How far the first two Ritz vectors are from being eigenvectors.
double residual(const Matrix& vectors, const Matrix& images, const std::vector<double>& values) {
  double worst = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(2, vectors.rows); ++i) {
    std::vector<double> rest(images.row(i).begin(), images.row(i).end());
    add_scaled(rest, -values[i], vectors.row(i));
    worst = std::max(worst, std::sqrt(dot(rest, rest)));
  }
  return worst;
}

/// The largest eigenvalues of a positive semidefinite matrix and their vectors; the first two are
/// exact.
Eigen leading_eigen(const Matrix& matrix) {
  Matrix basis = first_basis(matrix.rows);
  orthonormalise(basis);
  for (int iteration = 0;; ++iteration) {
    const Matrix images = times(basis, matrix);
    Matrix projected(basis.rows, basis.rows);
    for (std::size_t i = 0; i < basis.rows; ++i)
      for (std::size_t j = 0; j < basis.rows; ++j)
        projected.values[i * basis.rows + j] = dot(basis.row(i), images.row(j));
    Eigen small = small_eigen(std::move(projected));
    Matrix vectors = combined(small.vectors, basis);
    Matrix vector_images = combined(small.vectors, images);
    const double largest = small.values.empty() ? 0 : std::abs(small.values.front());
    if (iteration == kMostIterations ||
        residual(vectors, vector_images, small.values) <= kTolerance * largest)
      return {std::move(small.values), std::move(vectors)};
    basis = std::move(vector_images);
    orthonormalise(basis);
  }
}

/// Turns the component around unless its largest loading is positive.
void fix_sign(std::span<double> loadings) {
  const auto largest =
      std::ranges::max_element(loadings, {}, [](double value) { return std::abs(value); });
  if (largest == loadings.end() || *largest >= 0) return;
  for (double& value : loadings) value = -value;
}

}  // namespace

PrincipalPlane principal_plane(std::span<const float> rows, std::size_t dimensions,
                               unsigned threads, const std::stop_token& stop) {
  if (dimensions == 0 || rows.size() % dimensions != 0)
    fail(Errc::InvalidArgument, "expected rows of {} numbers, found {} numbers", dimensions,
         rows.size());
  PrincipalPlane plane;
  if (rows.empty()) return plane;
  const Matrix data = centred(rows, dimensions);
  const Matrix features = transposed(data);
  const bool few_rows = data.rows < dimensions;
  const Eigen eigen = leading_eigen(products(few_rows ? data : features, threads, stop));
  const double total = dot(data.values, data.values);

  const std::array<std::vector<double>*, 2> places{&plane.first, &plane.second};
  const std::array<double*, 2> shares{&plane.explained_first, &plane.explained_second};
  for (std::size_t k = 0; k < 2; ++k) {
    places[k]->assign(data.rows, 0.0);
    // What rounding leaves where there is nothing.
    if (k >= eigen.values.size() || eigen.values[k] <= 1e-14 * total) continue;
    Matrix loadings(1, dimensions);
    if (few_rows) {
      Matrix weights(1, data.rows);
      std::ranges::copy(eigen.vectors.row(k), weights.values.begin());
      loadings = combined(weights, data);
      orthonormalise(loadings);
    } else {
      std::ranges::copy(eigen.vectors.row(k), loadings.values.begin());
    }
    fix_sign(loadings.row(0));
    for (std::size_t i = 0; i < data.rows; ++i) (*places[k])[i] = dot(data.row(i), loadings.row(0));
    *shares[k] = eigen.values[k] / total;
  }
  return plane;
}

}  // namespace aceso::lm
