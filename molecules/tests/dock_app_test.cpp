#include "../src/apps.hpp"
#include "aceso/app/runner.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/molecules/objective.hpp"
#include "aceso/molecules/sdf_file.hpp"
#include "docking_fixture.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace aceso::molecules {
namespace {
namespace fs = std::filesystem;

class DockAppTest : public testing::Test {
 protected:
  void SetUp() override { write_file(place("pocket.pdbqt"), pocket_text()); }

  [[nodiscard]] std::string place(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  app::RunResult run(const app::App& made, Json inputs, Json options, Json outputs,
                     unsigned threads = 1) const {
    options["threads"] = threads;
    std::vector<app::Mistake> mistakes;
    app::AppTable table;
    table.add(made);
    const app::App& app = table.all().front();
    const auto request = app::check_request(
        app.description,
        {{"inputs", std::move(inputs)}, {"options", std::move(options)}, {"outputs", outputs}},
        app::paths_of_this_machine(), mistakes);
    EXPECT_EQ(app::format_mistakes(mistakes), "");
    return app::run_app(app, request, {});
  }

  app::RunResult dock(const std::string& ligands, Json options, unsigned threads = 1) const {
    if (!options.contains("center") && !options.contains("size"))
      options.update({{"center", "0,0,0"}, {"size", "14,14,14"}});
    return run(dock_app(), {{"receptor", place("pocket.pdbqt")}, {"ligands", place(ligands)}},
               std::move(options), {{"output", place("poses.sdf")}, {"table", place("poses.tsv")}},
               threads);
  }

  std::string problem(const std::string& ligands, Json options, int code) const {
    const auto result = dock(ligands, std::move(options));
    EXPECT_EQ(result.exit_code(), code);
    EXPECT_FALSE(fs::exists(place("poses.sdf")));
    return result.error ? std::string(result.error->what()) : "";
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(DockAppTest, WritesPosesThatScoreAsSaidOnAnyNumberOfThreads) {
  write_file(place("l.smi"), "CCO ethanol\nC1CC broken\nCC(=O)N acetamide\n");
  const auto result = dock("l.smi", {{"exhaustiveness", 2}});
  ASSERT_EQ(result.exit_code(), 0) << (result.error ? result.error->what() : "");
  EXPECT_EQ(result.metrics["docked"], 2);
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_NE(result.warnings[0].examples[0].find("l.smi: line 2"), std::string::npos);
  const std::string poses = read_file(place("poses.sdf")), table = read_file(place("poses.tsv"));
  ASSERT_EQ(dock("l.smi", {{"exhaustiveness", 2}}, 2).exit_code(), 0);
  EXPECT_EQ(read_file(place("poses.sdf")), poses);
  EXPECT_EQ(read_file(place("poses.tsv")), table);
  SdfReader reader(place("poses.sdf"));
  SdfRecord first;
  ASSERT_TRUE(reader.next(first));
  EXPECT_EQ(first.title, "ethanol");
  EXPECT_EQ(first.smiles, "CCO");
  const double energy = std::stod(*first.find("energy_kcal_per_mol"));
  // Poses are read and scored again.
  fs::rename(place("poses.sdf"), place("again.sdf"));
  ASSERT_EQ(dock("again.sdf", {{"score_only", true}}).exit_code(), 0);
  SdfReader again(place("poses.sdf"));
  SdfRecord scored;
  ASSERT_TRUE(again.next(scored));
  EXPECT_NEAR(std::stod(*scored.find("energy_kcal_per_mol")), energy, 0.01);
  // A minimum stays where it is.
  ASSERT_EQ(dock("again.sdf", {{"local_only", true}}).exit_code(), 0);
  SdfReader local(place("poses.sdf"));
  ASSERT_TRUE(local.next(scored));
  EXPECT_NEAR(std::stod(*scored.find("energy_kcal_per_mol")), energy, 0.02);
  EXPECT_LT(std::stod(*scored.find("rmsd_angstrom")), 0.2);
}

TEST_F(DockAppTest, DrawsTheBoxAroundAReference) {
  write_file(place("l.smi"), "CCO ethanol\n");
  write_file(place("r.pdbqt"), "ROOT\n" + pdbqt_line(1, 1, 2, 0, "C") + "ENDROOT\n");
  const auto result = run(dock_app(),
                          {{"receptor", place("pocket.pdbqt")},
                           {"ligands", place("l.smi")},
                           {"reference", place("r.pdbqt")}},
                          {{"exhaustiveness", 1}}, {{"output", place("poses.sdf")}});
  EXPECT_EQ(result.exit_code(), 0);
}

TEST_F(DockAppTest, MistakesLeaveNothingBehind) {
  write_file(place("l.smi"), "CCO ethanol\n");
  write_file(place("empty.sdf"), "");
  write_file(place("zinc.smi"), "C[Zn]C\n");
  EXPECT_NE(problem("l.smi", {{"size", "0,20,20"}, {"center", "0,0,0"}}, 2).find("found 0"),
            std::string::npos);
  EXPECT_NE(problem("l.smi", {{"size", "200,20,20"}, {"center", "0,0,0"}}, 2).find("found 200"),
            std::string::npos);
  EXPECT_NE(
      problem("l.smi", {{"size", "9,9,9"}, {"center", "90,0,0"}}, 2).find("near the receptor"),
      std::string::npos);
  EXPECT_NE(problem("l.smi", {{"size", "9,9"}, {"center", "0,0,0"}}, 2).find("--size: expected"),
            std::string::npos);
  EXPECT_NE(problem("l.smi", {{"center", "0,0,0"}}, 2).find("both --center and --size"),
            std::string::npos);
  EXPECT_NE(problem("empty.sdf", Json::object(), 3).find("expected at least one molecule"),
            std::string::npos);
  EXPECT_NE(problem("zinc.smi", Json::object(), 3).find("that can be docked"), std::string::npos);
  EXPECT_NE(problem("l.smi", {{"score_only", true}}, 3).find("places in space"), std::string::npos);
  write_file(place("pocket.pdbqt"), pdbqt_line(1, 0, 0, 0, "Xx"));
  EXPECT_NE(problem("l.smi", Json::object(), 3).find("pocket.pdbqt: line 1: expected one of"),
            std::string::npos);
}

constexpr const char* kObjective =
    "terms:\n"
    "  - type: docking\n"
    "    receptor: pocket.pdbqt\n"
    "    center: [0, 0, 0]\n"
    "    size: [14, 14, 14]\n"
    "    modifier: {type: clip, lower: 0, upper: -10}\n";

TEST_F(DockAppTest, IsAnObjectiveOfADesign) {
  write_file(place("o.yaml"), kObjective);
  write_file(place("start.smi"), "CCO\nCCN\nCC(=O)N\nCCCO\nc1ccccc1\nCOC\nCC=O\nCC#N\n");
  const auto design = [&](unsigned threads) {
    const auto result =
        run(optimize_app(), {{"objective", place("o.yaml")}, {"start", place("start.smi")}},
            {{"budget", 20}, {"most_atoms", 8}}, {{"scored", place("scored.csv")}}, threads);
    EXPECT_EQ(result.exit_code(), 0) << (result.error ? result.error->what() : "");
    EXPECT_GT(result.metrics["best"].get<double>(), 0.05);
    return read_file(place("scored.csv"));
  };
  const std::string one = design(1);
  EXPECT_EQ(split(one, '\n').size(), 22U);
  EXPECT_EQ(design(2), one);
}

TEST_F(DockAppTest, ObjectivesScoreWhatCannotBeDockedZero) {
  const Objective objective(kObjective, "o.yaml", {.folder = folder_.path()});
  EXPECT_EQ(objective(parse_smiles("C[Zn]C")).total, 0);
  EXPECT_GT(objective(parse_smiles("CCO")).total, 0);
  const Objective given(kObjective, "o.yaml", {.receptor = place("pocket.pdbqt")});
  EXPECT_EQ(given(parse_smiles("CCO")).total, objective(parse_smiles("CCO")).total);
  // However the molecule is written.
  EXPECT_EQ(objective(parse_smiles("CCO")).total, objective(parse_smiles("OCC")).total);
}

TEST_F(DockAppTest, ObjectivesSayWhatIsWrong) {
  const auto mistake = [&](const std::string& from, const std::string& to) -> std::string {
    std::string text = kObjective;
    text.replace(text.find(from), from.size(), to);
    try {
      (void)Objective(text, "o.yaml", {.folder = folder_.path()});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::CorruptData);
      return error.what();
    }
    return "";
  };
  EXPECT_NE(mistake("pocket.pdbqt", "../pocket.pdbqt").find("line 3: expected a file beside"),
            std::string::npos);
  EXPECT_NE(mistake("pocket.pdbqt", "/etc/passwd").find("expected a file beside"),
            std::string::npos);
  EXPECT_NE(mistake("pocket.pdbqt", "none.pdbqt").find("none.pdbqt"), std::string::npos);
  EXPECT_NE(mistake("[0, 0, 0]", "[0, 0]").find("line 4: expected three numbers"),
            std::string::npos);
  EXPECT_NE(mistake("[14, 14, 14]", "[0, 9, 9]").find("found 0"), std::string::npos);
  EXPECT_NE(mistake("    center", "    exhaustiveness: 1.5\n    center").find("whole number"),
            std::string::npos);
}

}  // namespace
}  // namespace aceso::molecules
