#include "aceso/lm/table.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace aceso::lm {
namespace {
namespace fs = std::filesystem;
using Row = std::vector<std::string>;

class TableTest : public testing::Test {
 protected:
  std::vector<Row> rows(const std::string& text) {
    write_file(path_, text);
    TableReader reader(path_);
    std::vector<Row> all{reader.columns()};
    for (Row row; reader.next(row);) all.push_back(row);
    return all;
  }
  std::string problem(const std::string& text) {
    try {
      (void)rows(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::CorruptData);
      return error.what();
    }
    return "";
  }

  ScratchFolder folder_{fs::temp_directory_path()};
  fs::path path_ = folder_.path() / "t.csv";
};

TEST_F(TableTest, QuotesLineEndsAndMarksAreRead) {
  EXPECT_EQ(rows("a,b\n1,2\n"), (std::vector<Row>{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(rows("\xEF\xBB\xBF"
                 "a,b\r\n1,\r\n\r\n,2"),
            (std::vector<Row>{{"a", "b"}, {"1", ""}, {"", "2"}}));
  EXPECT_EQ(rows("a\tb\n1,5\tx y\n"), (std::vector<Row>{{"a", "b"}, {"1,5", "x y"}}));
  EXPECT_EQ(rows("a,b\n\"x,\"\"y\"\"\",\"two\nlines\"\n"),
            (std::vector<Row>{{"a", "b"}, {"x,\"y\"", "two\nlines"}}));
}

TEST_F(TableTest, WhatIsWrittenIsReadBack) {
  const std::vector<Row> table{{"a", "b,c"}, {"\"", "x\ny"}, {"", "plain"}};
  std::string text;
  for (const Row& row : table) text += table_line(row, ',');
  EXPECT_EQ(rows(text), table);
}

TEST_F(TableTest, DamageIsNamed) {
  EXPECT_NE(problem("").find("expected a line of column names"), std::string::npos);
  EXPECT_NE(problem("a,b\n1,2\n1\n").find("row 2: expected 2 cells"), std::string::npos);
  EXPECT_NE(problem("a,b\n1,\"2\n").find("row 1: expected a closing quote"), std::string::npos);
  EXPECT_NE(problem("a,b\n1,\"2\"x\n").find("behind a closing quote"), std::string::npos);
  EXPECT_NE(problem("a,b\n1,\xff\n").find("expected UTF-8 text"), std::string::npos);
}

TEST_F(TableTest, ColumnsAreFoundByName) {
  write_file(path_, "a,b,b\n1,2,3\n");
  const TableReader reader(path_);
  EXPECT_EQ(reader.column("a"), 0U);
  EXPECT_FALSE(reader.find("c"));
  EXPECT_THROW((void)reader.column("c"), Error);
  EXPECT_THROW((void)reader.column("b"), Error);
}

TEST(NumberIn, ReadsNumbersAndGaps) {
  EXPECT_EQ(number_in(" -1.5e2", "p", "c"), -150);
  for (const char* gap : {"", "NA", "nan"}) EXPECT_TRUE(std::isnan(number_in(gap, "p", "c")));
  for (const char* wrong : {"1,5", "x", "1 2", "inf"})
    EXPECT_THROW((void)number_in(wrong, "p", "c"), Error);
}

TEST(SeparatorFor, FollowsTheName) {
  EXPECT_EQ(separator_for("x.tsv"), '\t');
  EXPECT_EQ(separator_for("x.TSV.gz"), '\t');
  EXPECT_EQ(separator_for("x.csv"), ',');
}

}  // namespace
}  // namespace aceso::lm
