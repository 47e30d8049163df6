#include "aceso/lm/principal_components.hpp"

#include "aceso/core/error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <random>
#include <vector>

namespace aceso::lm {
namespace {

double variance(const std::vector<double>& values) {
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum;
}

/// Rows that are spread along two known directions, more along the first, and little elsewhere.
struct Cloud {
  std::size_t dimensions;
  std::vector<double> u, v;
  std::vector<double> along_u, along_v;
  std::vector<float> rows;

  Cloud(std::size_t count, std::size_t d, double noise) : dimensions(d), u(d, 0.0), v(d, 0.0) {
    // Orthonormal: even and odd places. The largest loading of each is positive.
    double length_u = 0, length_v = 0;
    for (std::size_t i = 0; i < d; ++i) {
      (i % 2 == 0 ? u : v)[i] = i < 2 ? 3 : (i % 3 == 0 ? -1 : 0.5);
      length_u += u[i] * u[i];
      length_v += v[i] * v[i];
    }
    for (std::size_t i = 0; i < d; ++i) {
      u[i] /= std::sqrt(length_u);
      v[i] /= std::sqrt(length_v);
    }
    std::mt19937 random(3);
    std::normal_distribution<double> normal;
    for (std::size_t n = 0; n < count; ++n) {
      // On an ellipse, so that the two are uncorrelated however few rows there are.
      const double angle =
          2 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(count);
      along_u.push_back(10 * std::cos(angle));
      along_v.push_back(4 * std::sin(angle));
      for (std::size_t i = 0; i < d; ++i)
        rows.push_back(
            static_cast<float>(7 + along_u[n] * u[i] + along_v[n] * v[i] + noise * normal(random)));
    }
  }
};

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double n = static_cast<double>(a.size());
  double sa = 0, sb = 0, ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sa += a[i];
    sb += b[i];
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return (n * ab - sa * sb) / std::sqrt((n * aa - sa * sa) * (n * bb - sb * sb));
}

TEST(PrincipalPlane, FindsTheDirectionsOfTheSpreadWithTheirSign) {
  for (const std::size_t count : {200U, 12U}) {  // by the covariance, and by the rows' products
    const Cloud cloud(count, 30, 0.01);
    const PrincipalPlane plane = principal_plane(cloud.rows, cloud.dimensions);
    ASSERT_EQ(plane.first.size(), count);
    EXPECT_GT(correlation(plane.first, cloud.along_u), 0.95) << count;
    EXPECT_GT(correlation(plane.second, cloud.along_v), 0.95) << count;
    EXPECT_GT(plane.explained_first, plane.explained_second);
    EXPECT_GT(plane.explained_first + plane.explained_second, 0.999);
    EXPECT_LE(plane.explained_first + plane.explained_second, 1 + 1e-9);
  }
}

TEST(PrincipalPlane, ComponentsAreUncorrelatedAndOfTheVarianceThatIsTold) {
  const Cloud cloud(300, 40, 2.0);
  const PrincipalPlane plane = principal_plane(cloud.rows, cloud.dimensions);
  double total = 0;
  for (std::size_t d = 0; d < cloud.dimensions; ++d) {
    std::vector<double> column;
    for (std::size_t i = 0; i < 300; ++i) column.push_back(cloud.rows[i * cloud.dimensions + d]);
    total += variance(column);
  }
  EXPECT_NEAR(correlation(plane.first, plane.second), 0, 1e-8);
  EXPECT_NEAR(variance(plane.first) / total, plane.explained_first, 1e-9);
  EXPECT_NEAR(variance(plane.second) / total, plane.explained_second, 1e-9);
}

TEST(PrincipalPlane, ManyRowsAndFewGiveTheSamePicture) {
  // Each row twice: other products, the same components.
  const Cloud cloud(25, 40, 1.0);
  std::vector<float> twice = cloud.rows;
  twice.insert(twice.end(), cloud.rows.begin(), cloud.rows.end());
  const PrincipalPlane once = principal_plane(cloud.rows, 40);
  const PrincipalPlane both = principal_plane(twice, 40);
  for (std::size_t i = 0; i < 25; ++i) {
    EXPECT_NEAR(both.first[i], once.first[i], 1e-6);
    EXPECT_NEAR(both.second[i + 25], once.second[i], 1e-6);
  }
}

TEST(PrincipalPlane, WhatHasNoSpreadStandsInTheMiddle) {
  const PrincipalPlane one = principal_plane(std::vector<float>{1, 2, 3}, 3);
  EXPECT_EQ(one.first, (std::vector<double>{0}));
  const PrincipalPlane same = principal_plane(std::vector<float>{1, 2, 1, 2, 1, 2}, 2);
  EXPECT_EQ(same.first, (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(same.explained_first, 0);
  const PrincipalPlane line = principal_plane(std::vector<float>{0, 0, 3, 4}, 2);
  EXPECT_NEAR(line.first[1] - line.first[0], 5, 1e-12) << "towards the positive largest loading";
  EXPECT_EQ(line.second, (std::vector<double>{0, 0}));
  EXPECT_NEAR(line.explained_first, 1, 1e-12);
  EXPECT_TRUE(principal_plane({}, 4).first.empty());
}

TEST(PrincipalPlane, RefusesWhatIsNoTableOfNumbers) {
  EXPECT_THROW((void)principal_plane(std::vector<float>{1, 2, 3}, 2), Error);
  EXPECT_THROW((void)principal_plane(std::vector<float>{1, 2}, 0), Error);
  EXPECT_THROW((void)principal_plane(std::vector<float>{1, std::nanf("")}, 2), Error);
}

}  // namespace
}  // namespace aceso::lm
