/// \file
/// A picture of many vectors: the plane in which they are spread most.
#pragma once

#include <cstddef>
#include <span>
#include <stop_token>
#include <vector>

namespace aceso::lm {

struct PrincipalPlane {
  std::vector<double> first, second;  ///< for each row its place along the two components
  double explained_first = 0;         ///< share of the rows' variance, 0 to 1
  double explained_second = 0;
};

/// The first two principal components of `rows` [count, dimensions] (Pearson 1901), without
/// scaling of the dimensions. Of a component's two directions the one is taken in which its
/// largest loading, the first of equal ones, is positive: the same rows give the same picture
/// always. Components without variance are 0.
///
/// Eigenvectors of the covariance, or of the rows' products when there are fewer rows than
/// dimensions, by subspace iteration with Rayleigh-Ritz steps (Saad 2011, chapter 5), in double
/// precision. Threads do not change a bit of it.
///
/// \throws Error InvalidArgument if `rows` is not a multiple of `dimensions`, or not finite;
///         Cancelled.
/// Cost: count * dimensions * min(count, dimensions) multiplications; memory for a square matrix of
/// the smaller, and the rows in double precision.
[[nodiscard]] PrincipalPlane principal_plane(std::span<const float> rows, std::size_t dimensions,
                                             unsigned threads = 1,
                                             const std::stop_token& stop = {});

}  // namespace aceso::lm
