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

TEST(RSquared, IsOneForTheTruthAndZeroForItsMean) {
  EXPECT_DOUBLE_EQ(r_squared(V{1, 2, 6}, V{1, 2, 6}), 1);
  EXPECT_DOUBLE_EQ(r_squared(V{1, 2, 6}, V{3, 3, 3}), 0);
  EXPECT_DOUBLE_EQ(r_squared(V{1, 2, 6}, V{2, 2, 6}), 1 - 1.0 / 14);
  EXPECT_TRUE(std::isnan(r_squared(V{2, 2}, V{1, 2})));
}

TEST(Auroc, CountsPairsAndHalfOfTies) {
  const V positive{1, 0, 1, 0, 0}, scores{0.9, 0.5, 0.5, 0.1, 0.7};
  double pairs = 0;
  for (std::size_t p = 0; p < 5; ++p)
    for (std::size_t n = 0; n < 5; ++n)
      if (positive[p] == 1 && positive[n] == 0)
        pairs += scores[p] > scores[n] ? 1 : scores[p] == scores[n] ? 0.5 : 0;
  EXPECT_DOUBLE_EQ(auroc(positive, scores), pairs / 6);
  EXPECT_TRUE(std::isnan(auroc(V{1, 1}, V{0.1, 0.2})));
}

TEST(AveragePrecision, IsByHandAndTakesEqualScoresTogether) {
  // Positives at ranks 1 and 3 of 4.
  EXPECT_DOUBLE_EQ(average_precision(V{1, 0, 1, 0}, V{4, 3, 2, 1}), 0.5 + 0.5 * 2 / 3);
  // All alike: the share of positives.
  EXPECT_DOUBLE_EQ(average_precision(V{1, 0, 0, 0}, V{2, 2, 2, 2}), 0.25);
  EXPECT_TRUE(std::isnan(average_precision(V{0}, V{1})));
}

}  // namespace
}  // namespace aceso::lm
