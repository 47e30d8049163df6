#include "aceso/lm/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace aceso::lm {
namespace {

using V = std::vector<double>;

TEST(Spearman, RanksWithTies) {
  EXPECT_DOUBLE_EQ(spearman(V{1, 2, 3}, V{10, 20, 1000}), 1);
  EXPECT_DOUBLE_EQ(spearman(V{1, 2, 3}, V{3, 2, 1}), -1);
  // Ranks 1, 2.5, 2.5, 4 against 1..4: by hand 4.5 / sqrt(4.5 * 5).
  EXPECT_DOUBLE_EQ(spearman(V{1, 2, 2, 3}, V{1, 2, 3, 4}), 4.5 / std::sqrt(4.5 * 5));
}

TEST(Spearman, HasNoValueWithoutSpread) {
  EXPECT_TRUE(std::isnan(spearman(V{}, V{})));
  EXPECT_TRUE(std::isnan(spearman(V{1}, V{2})));
  EXPECT_TRUE(std::isnan(spearman(V{1, 1}, V{2, 3})));
}

}  // namespace
}  // namespace aceso::lm
