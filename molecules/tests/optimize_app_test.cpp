#include "../src/apps.hpp"
#include "aceso/app/runner.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/molecules/chemistry.hpp"
#include "aceso/molecules/molecule_file.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace aceso::molecules {
namespace {
namespace fs = std::filesystem;

class OptimizeAppTest : public testing::Test {
 protected:
  [[nodiscard]] std::string place(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  app::RunResult optimize(const std::string& objective, Json options,
                          const std::string& start = "") const {
    write_file(place("o.yaml"), objective);
    Json inputs = {{"objective", place("o.yaml")}};
    if (!start.empty()) {
      write_file(place("start.smi"), start);
      inputs["start"] = place("start.smi");
    }
    std::vector<app::Mistake> mistakes;
    app::AppTable table;
    table.add(optimize_app());
    const app::App& app = table.all().front();
    const auto request = app::check_request(app.description,
                                            {{"inputs", inputs},
                                             {"options", std::move(options)},
                                             {"outputs", {{"output", place("design")}}}},
                                            app::paths_of_this_machine(), mistakes);
    EXPECT_EQ(app::format_mistakes(mistakes), "");
    return app::run_app(app, request, {});
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(OptimizeAppTest, WritesTablesAndPictures) {
  const auto result = optimize("task: qed\n", {{"budget", 150}});
  ASSERT_EQ(result.exit_code(), 0);
  EXPECT_EQ(result.metrics["calls"], 150);
  EXPECT_GT(result.metrics["auc_top10"].get<double>(), 0.3);
  EXPECT_LE(result.metrics["auc_top10"].get<double>(), result.metrics["best"].get<double>());
  const auto rows = split(read_file(place("design/molecules.csv")), '\n');
  ASSERT_EQ(rows.size(), 152U);  // names, molecules, the end
  EXPECT_EQ(rows[0], "call,smiles,score,qed");
  const auto cells = split(rows[1], ',');
  EXPECT_NEAR(std::stod(cells[2]), qed(parse_smiles(cells[1])), 1e-5);
  EXPECT_EQ(split(read_file(place("design/top.csv")), '\n').size(), 102U);
  EXPECT_EQ(split(read_file(place("design/history.csv")), '\n').size(), 4U);
  EXPECT_NE(read_file(place("design/objective.yaml")).find("descriptor: qed"), std::string::npos);
  EXPECT_NE(read_file(place("design/top.svg")).find("<svg"), std::string::npos);
}

TEST_F(OptimizeAppTest, BeginsWithTheUsersMolecules) {
  const auto result = optimize("task: qed\n", {{"budget", 2}},
                               "SMILES name\nCC(=O)Oc1ccccc1C(=O)O aspirin\nC1CC broken\n"
                               "CN1C=NC2=C1C(=O)N(C(=O)N2C)C caffeine\r\n");
  ASSERT_EQ(result.exit_code(), 0);
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_NE(result.warnings[0].examples[0].find("start.smi: line 3"), std::string::npos);
  const std::string text = read_file(place("design/molecules.csv"));
  EXPECT_NE(text.find("CC(=O)Oc1ccccc1C(=O)O"), std::string::npos);
  EXPECT_NE(text.find("Cn1c(=O)c2c(ncn2C)n(C)c1=O"), std::string::npos);
}

TEST_F(OptimizeAppTest, MistakesLeaveNothingBehind) {
  const auto problem = [&](const std::string& objective, const std::string& start = "") {
    const auto result = optimize(objective, {{"budget", 10}}, start);
    EXPECT_EQ(result.exit_code(), 3);
    EXPECT_FALSE(fs::exists(place("design")));
    return result.error ? std::string(result.error->what()) : "";
  };
  EXPECT_NE(problem("task: drd2\n").find("o.yaml: line 1: the task \"drd2\" needs"),
            std::string::npos);
  EXPECT_NE(problem("terms: 3\n").find("line 1: expected a list of terms"), std::string::npos);
  EXPECT_NE(problem("task: qed\n", "C1CC\n").find("expected a molecule that can be read"),
            std::string::npos);
  EXPECT_NE(problem("task: qed\n", "[Na+].[Cl-]\n").find("expected starting molecules"),
            std::string::npos);
  EXPECT_NE(problem("task: qed\n", "\n# nothing\n").find("expected at least one molecule"),
            std::string::npos);
}

TEST_F(OptimizeAppTest, MoleculesAreReadFromTablesToo) {
  write_file(place("m.csv"), "ID,SMILES\r\n\"a, b\",CCO\r\n,CCC\r\n");
  const auto records = read_molecules(place("m.csv"));
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].id, "a, b");
  EXPECT_EQ(records[0].smiles, "CCO");
  EXPECT_EQ(records[1].id, "2");
}

}  // namespace
}  // namespace aceso::molecules
