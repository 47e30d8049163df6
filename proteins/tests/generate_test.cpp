#include "aceso/app/runner.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/lm/fasta.hpp"
#include "apps.hpp"
#include "small_model.hpp"

#include <gtest/gtest.h>

#include <set>

namespace aceso::proteins {
namespace {
namespace fs = std::filesystem;

class GenerateTest : public testing::Test {
 protected:
  void SetUp() override { test::write_small_model(place("model")); }

  [[nodiscard]] std::string place(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  app::RunResult generate(const std::string& fasta, Json options) const {
    Json inputs = {{"model", place("model")}};
    if (!fasta.empty()) {
      write_file(place("t.fasta"), fasta);
      inputs["templates"] = place("t.fasta");
    }
    std::vector<app::Mistake> mistakes;
    app::AppTable table;
    table.add(generate_app());
    const app::App& app = table.all().front();
    const auto request = app::check_request(app.description,
                                            {{"inputs", inputs},
                                             {"options", std::move(options)},
                                             {"outputs", {{"output", place("o.fasta")}}}},
                                            app::paths_of_this_machine(), mistakes);
    EXPECT_EQ(app::format_mistakes(mistakes), "");
    return app::run_app(app, request, {});
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(GenerateTest, OnlyOpenPlacesChangeAndConstraintsHold) {
  const auto result =
      generate(">a\nMK__WCDEFG\n>b\n_AAAA\n",
               {{"count", 30}, {"redesign", "5"}, {"allow", "5:DE,3-4:KR"}, {"exclude", "R"}});
  ASSERT_EQ(result.exit_code(), 0);
  const auto designs = lm::read_fasta(place("o.fasta"));
  ASSERT_EQ(designs.size(), 60U);
  EXPECT_EQ(designs[0].id, "a_1");
  EXPECT_EQ(designs[59].id, "b_30");
  std::set<std::string> distinct;
  for (std::size_t i = 0; i < 30; ++i) {
    const std::string& s = designs[i].sequence;
    EXPECT_EQ(s.substr(0, 4), "MKKK");
    EXPECT_NE(std::string("DE").find(s[4]), std::string::npos);
    EXPECT_EQ(s.substr(5), "CDEFG");
    EXPECT_EQ(designs[30 + i].sequence.substr(1, 3), "AAA");
    distinct.insert(designs[30 + i].sequence);
  }
  EXPECT_GT(distinct.size(), 5U);
}

TEST_F(GenerateTest, TheSeedAloneDecides) {
  const auto designs = [&](Json options) {
    options["length"] = 40;
    options["count"] = 7;
    EXPECT_EQ(generate("", std::move(options)).exit_code(), 0);
    return read_file(place("o.fasta"));
  };
  const std::string one = designs({{"threads", 1}, {"seed", 3}});
  EXPECT_EQ(designs({{"threads", 3}, {"seed", 3}}), one);
  EXPECT_NE(designs({{"threads", 1}, {"seed", 4}}), one);
  EXPECT_EQ(one.find('_', one.find('\n')), one.find("_2"));
}

TEST_F(GenerateTest, OneOfTopKIsTheLikeliest) {
  ASSERT_EQ(generate("", {{"length", 12}, {"count", 5}, {"top_k", 1}}).exit_code(), 0);
  std::set<std::string> distinct;
  for (const auto& record : lm::read_fasta(place("o.fasta"))) distinct.insert(record.sequence);
  EXPECT_EQ(distinct.size(), 1U);
}

// With a GPU it must do what the CPU does; without one it must say so and write nothing.
TEST_F(GenerateTest, OnAGpuGivesTheSameOrSaysWhatIsMissing) {
  const Json options = {{"length", 30}, {"count", 3}, {"top_k", 1}};
  Json on_gpu = options;
  on_gpu["device"] = "cuda";
  const auto result = generate("", on_gpu);
  if (result.error) {
    EXPECT_EQ(result.exit_code(), 2);
    EXPECT_TRUE(std::string(result.error->what()).starts_with("device cuda: expected "))
        << result.error->what();
    EXPECT_FALSE(fs::exists(place("o.fasta")));
    return;
  }
  const auto sequences = [&] {
    std::vector<std::string> all;
    for (const auto& record : lm::read_fasta(place("o.fasta"))) all.push_back(record.sequence);
    return all;
  };
  const auto found = sequences();
  ASSERT_EQ(generate("", options).exit_code(), 0);
  EXPECT_EQ(found, sequences());
}

TEST_F(GenerateTest, AGpuDoesNotComputeInInt8) {
  const auto result = generate("", {{"length", 5}, {"device", "cuda"}, {"precision", "int8"}});
  ASSERT_TRUE(result.error.has_value());
  EXPECT_STREQ(result.error->what(), "the device cuda computes in fp32 or bf16, found int8");
}

TEST_F(GenerateTest, WrongRequestsAreNamed) {
  const auto problem = [&](const std::string& fasta, Json options) {
    const auto result = generate(fasta, std::move(options));
    EXPECT_EQ(result.exit_code(), 2);
    return result.error ? std::string(result.error->what()) : "";
  };
  EXPECT_NE(problem("", Json::object()).find("either --templates or --length"), std::string::npos);
  EXPECT_NE(problem(">a\nMK\n", Json::object()).find("expected open places"), std::string::npos);
  EXPECT_NE(problem(">a\nMK\n", {{"redesign", "3"}}).find("from 1 to 2"), std::string::npos);
  EXPECT_NE(problem(">a\nMK\n", {{"redesign", "2-1"}}).find("rising"), std::string::npos);
  EXPECT_NE(problem(">a\nMK\n", {{"redesign", "x"}}).find("such as 24-36"), std::string::npos);
  EXPECT_NE(problem(">a\n__\n", {{"allow", "1"}}).find("PLACES:LETTERS"), std::string::npos);
  EXPECT_NE(problem(">a\n__\n", {{"allow", "1:B"}}).find("expected letters among"),
            std::string::npos);
  EXPECT_NE(problem(">a\n__\n", {{"allow", "1:C"}, {"exclude", "C"}}).find("nothing may stand"),
            std::string::npos);
}

}  // namespace
}  // namespace aceso::proteins
