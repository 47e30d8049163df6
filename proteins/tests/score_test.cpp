#include "aceso/app/runner.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/language_model.hpp"
#include "aceso/lm/masked.hpp"
#include "apps.hpp"
#include "small_model.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace aceso::proteins {
namespace {
namespace fs = std::filesystem;

class ScoreTest : public testing::Test {
 protected:
  void SetUp() override { test::write_small_model(place("model")); }

  [[nodiscard]] std::string place(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  app::RunResult score(const std::string& fasta, Json options = Json::object(),
                       const std::string& mutations = "") const {
    write_file(place("s.fasta"), fasta);
    Json inputs = {{"model", place("model")}, {"sequences", place("s.fasta")}};
    if (!mutations.empty()) {
      write_file(place("m.csv"), mutations);
      inputs["mutations"] = place("m.csv");
    }
    std::vector<app::Mistake> mistakes;
    app::AppTable table;
    table.add(score_app());
    const app::App& app = table.all().front();
    const auto request = app::check_request(
        app.description,
        {{"inputs", inputs},
         {"options", std::move(options)},
         {"outputs", {{"output", place("o.csv")}, {"report_json", place("report.json")}}}},
        app::paths_of_this_machine(), mistakes);
    EXPECT_EQ(app::format_mistakes(mistakes), "");
    return app::run_app(app, request, {});
  }

  [[nodiscard]] std::vector<std::vector<std::string>> output() const {
    std::vector<std::vector<std::string>> rows;
    for (const std::string& line : split(read_file(place("o.csv")), '\n'))
      if (!line.empty()) rows.push_back(split(line, ','));
    return rows;
  }

  /// log p(residue) with `position` masked, straight from the net.
  [[nodiscard]] double expected(const std::string& sequence, std::size_t position,
                                char residue) const {
    const lm::LanguageModel model(place("model"), nn::Precision::Fp32);
    std::vector<nn::Token> tokens = model.encode(sequence, "test");
    tokens[position + 1] = model.tokenizer().mask();
    nn::PackedTokens batch;
    batch.add(tokens);
    Tensor logits = model.net().logits(model.net().hidden(batch));
    lm::log_softmax(logits.values<float>(), 33);
    return logits
        .values<float>()[(position + 1) * 33 +
                         static_cast<std::size_t>(model.tokenizer().find(std::string(1, residue)))];
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(ScoreTest, PseudoPerplexityIsTheMeanOverMaskedResidues) {
  ASSERT_EQ(score(">a\nMKWC\n>b\nGG\n").exit_code(), 0);
  const auto rows = output();
  ASSERT_EQ(rows.size(), 3U);
  double sum = 0;
  for (std::size_t i = 0; i < 4; ++i) sum += expected("MKWC", i, "MKWC"[i]);
  EXPECT_NEAR(std::stod(rows[1][2]), sum, 1e-4);
  EXPECT_NEAR(std::stod(rows[1][3]), std::exp(-sum / 4), 1e-4);
  EXPECT_EQ(rows[2][0], "b");
}

TEST_F(ScoreTest, MutantsScoreAgainstTheWildType) {
  const auto result = score(">wt\nMKWC\n", {{"first_position", 10}},
                            "mutant,note,DMS_score\nK11A,\"x, y\",1\nK11A:C13G,,2\nWT,,3\n");
  ASSERT_EQ(result.exit_code(), 0);
  const std::string text = read_file(place("o.csv"));
  EXPECT_TRUE(text.starts_with("mutant,note,DMS_score,score\nK11A,\"x, y\",1,")) << text;
  const auto rows = output();
  const double first = expected("MKWC", 1, 'A') - expected("MKWC", 1, 'K');
  const double second = expected("MKWC", 3, 'G') - expected("MKWC", 3, 'C');
  EXPECT_NEAR(std::stod(rows[1].back()), first, 1e-4);
  EXPECT_NEAR(std::stod(rows[2].back()), first + second, 1e-4);
  EXPECT_EQ(std::stod(rows[3].back()), 0);
  EXPECT_TRUE(result.metrics["spearman"].is_number());
}

TEST_F(ScoreTest, AScanHoldsEverySubstitutionOnce) {
  ASSERT_EQ(score(">wt\nMKWC\n", {{"scan", true}}).exit_code(), 0);
  const auto rows = output();
  ASSERT_EQ(rows.size(), 1 + 4 * 19U);
  EXPECT_EQ(rows[1], (std::vector<std::string>{"1", "M", "A", rows[1][3]}));
  EXPECT_NEAR(std::stod(rows[1][3]), expected("MKWC", 0, 'A') - expected("MKWC", 0, 'M'), 1e-4);
}

TEST_F(ScoreTest, AScanIsDrawnAsAHeatMap) {
  ASSERT_EQ(score(">wt\nMKWX\n", {{"scan", true}, {"first_position", 10}}).exit_code(), 0);
  const Json report = Json::parse(read_file(place("report.json")));
  const Json& map = report["sections"][0]["blocks"][1];
  ASSERT_EQ(map["type"], "heat_map");
  EXPECT_EQ(map["column_names"], (Json{"M10", "K11", "W12", "X13"}));
  ASSERT_EQ(map["row_names"].size(), 20U);
  const Json& marks = map["marks"];
  EXPECT_EQ(map["row_names"][marks[1].get<std::size_t>()], "K");
  EXPECT_EQ(marks[3], -1) << "X is none of the twenty";
  EXPECT_EQ(map["values"][marks[0].get<std::size_t>()][0], 0) << "its own residue";
  EXPECT_NEAR(map["values"][0][1].get<double>(), std::stod(output()[1 + 19][3]), 1e-3);
}

TEST_F(ScoreTest, ThreadsDoNotChangeScores) {
  const std::string fasta = ">a\n" + std::string(150, 'M') + "\n>b\nACDEFGHIKLMNPQRSTVWY\n";
  ASSERT_EQ(score(fasta, {{"threads", 1}}).exit_code(), 0);
  const std::string one = read_file(place("o.csv"));
  ASSERT_EQ(score(fasta, {{"threads", 3}}).exit_code(), 0);
  EXPECT_EQ(read_file(place("o.csv")), one);
}

TEST_F(ScoreTest, WrongTablesAreNamed) {
  const auto problem = [&](const std::string& mutations, const std::string& fasta = ">a\nMKWC\n") {
    const auto result = score(fasta, {}, mutations);
    EXPECT_EQ(result.exit_code(), 3) << mutations;
    EXPECT_FALSE(fs::exists(place("o.csv")));
    return result.error ? std::string(result.error->what()) : "";
  };
  EXPECT_NE(problem("name\nA1G\n").find("expected a column \"mutant\", found name"),
            std::string::npos);
  EXPECT_NE(problem("mutant\nK2A\nA1G\n").find("row 2: A1G expects A at position 1"),
            std::string::npos);
  EXPECT_NE(problem("mutant\nK9A\n").find("expected a position from 1 to 4"), std::string::npos);
  EXPECT_NE(problem("mutant\nfoo\n").find("such as A42G"), std::string::npos);
  EXPECT_NE(problem("mutant\nK2A:K2C\n").find("each position once"), std::string::npos);
  EXPECT_NE(problem("mutant\n").find("at least one mutation"), std::string::npos);
  EXPECT_NE(problem("mutant\nK2A\n", ">a\nMK\n>b\nMK\n").find("expected one sequence"),
            std::string::npos);
}

}  // namespace
}  // namespace aceso::proteins
