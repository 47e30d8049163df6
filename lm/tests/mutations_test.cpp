#include "mutations.hpp"

#include "aceso/core/error.hpp"

#include <gtest/gtest.h>

namespace aceso::lm {
namespace {

constexpr std::string_view kLetters = "ACDEFGHIKLMNPQRSTVWY";

TEST(ParseSubstitutions, ReadsTheUsualForms) {
  EXPECT_TRUE(parse_substitutions("WT", "MK", 1, kLetters, "p").empty());
  const auto both = parse_substitutions("M1A:K2G", "MK", 1, kLetters, "p");
  ASSERT_EQ(both.size(), 2U);
  EXPECT_EQ(both[1].position, 1);
  EXPECT_EQ(both[1].to, 'G');
  for (const char* wrong : {"M1", "M1B", "1MA", "M-1A", "M99999999999999999999A", ":", "M1A:"})
    EXPECT_THROW((void)parse_substitutions(wrong, "MK", 1, kLetters, "p"), Error) << wrong;
}

}  // namespace
}  // namespace aceso::lm
