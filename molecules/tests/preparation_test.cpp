#include "aceso/molecules/preparation.hpp"

#include "../src/apps.hpp"
#include "aceso/app/runner.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace aceso::molecules {
namespace {
namespace fs = std::filesystem;

TEST(Standardised, DropsSaltsAndCharges) {
  const auto standard = [](const char* smiles) {
    return canonical_smiles(standardised(parse_smiles(smiles)));
  };
  EXPECT_EQ(standard("CC(=O)[O-].[Na+]"), "CC(=O)O");
  EXPECT_EQ(standard("C[NH3+].[Cl-]"), "CN");
  EXPECT_EQ(standard("C[N+](C)(C)C.[I-]"), "C[N+](C)(C)C");  // no proton to lose
  EXPECT_EQ(standard("O.CCO"), "CCO");
}

TEST(MurckoScaffold, IsRingsAndLinkers) {
  EXPECT_EQ(murcko_scaffold(parse_smiles("CCc1ccc(CCC2CCNCC2)cc1")), "c1ccc(CCC2CCNCC2)cc1");
  EXPECT_EQ(murcko_scaffold(parse_smiles("CCCC")), "");
}

TEST(FilterSet, NamesWhatMatches) {
  const FilterSet brenk({"brenk"}), none({});
  EXPECT_FALSE(brenk.matches(parse_smiles("CC(=O)Cl")).empty());
  EXPECT_TRUE(brenk.matches(parse_smiles("CCO")).empty());
  EXPECT_TRUE(none.matches(parse_smiles("CC(=O)Cl")).empty());
  EXPECT_THROW(FilterSet({"pain"}), Error);
}

TEST(ButinaClusters, AreStarsAroundTheMostLinked) {
  const auto bits = [](std::initializer_list<int> set) {
    BitFingerprint made{};
    for (const int bit : set) made[0] |= std::uint64_t{1} << bit;
    return made;
  };
  EXPECT_DOUBLE_EQ(tanimoto(bits({1, 2, 3}), bits({2, 3, 4})), 0.5);
  // 1 is like 0 and 2, which are not like each other; 3 is alone.
  const std::vector<BitFingerprint> molecules{bits({1, 2}), bits({1, 2, 3, 4}), bits({3, 4}),
                                              bits({9})};
  for (const unsigned threads : {1U, 3U})
    EXPECT_EQ(butina_clusters(molecules, 0.5, threads), (std::vector<std::int32_t>{0, 0, 0, 1}));
  EXPECT_EQ(butina_clusters(molecules, 0.9, 1), (std::vector<std::int32_t>{0, 1, 2, 3}));
  EXPECT_TRUE(butina_clusters({}, 0.5, 1).empty());
}

class PrepareTest : public testing::Test {
 protected:
  [[nodiscard]] std::string place(const std::string& name) const {
    return (folder_.path() / name).string();
  }
  app::RunResult prepare(const std::string& smiles, Json options) const {
    write_file(place("m.smi"), smiles);
    std::vector<app::Mistake> mistakes;
    app::AppTable table;
    table.add(prepare_app());
    const app::App& app = table.all().front();
    const auto request = app::check_request(app.description,
                                            {{"inputs", {{"molecules", place("m.smi")}}},
                                             {"options", std::move(options)},
                                             {"outputs", {{"output", place("o.csv")}}}},
                                            app::paths_of_this_machine(), mistakes);
    EXPECT_EQ(app::format_mistakes(mistakes), "");
    return app::run_app(app, request, {});
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    return split(read_file(place("o.csv")), '\n');
  }
  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(PrepareTest, KeepsOneOfEachInOrder) {
  const auto result = prepare("OCC ethanol\nC1CC broken\nCCO.Cl again\nCC(=O)Cl acyl chloride\n",
                              {{"properties", "heavy_atoms"}, {"filters", "brenk"}});
  ASSERT_EQ(result.exit_code(), 0);
  ASSERT_EQ(lines().size(), 4U);
  EXPECT_EQ(lines()[0], "id,smiles,heavy_atoms,scaffold,filters");
  EXPECT_EQ(lines()[1], "ethanol,CCO,3,,");
  EXPECT_TRUE(lines()[2].starts_with("acyl chloride,CC(=O)Cl,4,,")) << lines()[2];
  EXPECT_EQ(result.metrics["duplicates"], 1);
  EXPECT_EQ(result.metrics["unreadable"], 1);
  EXPECT_EQ(result.metrics["filtered"], 1);
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_NE(result.warnings[0].examples[0].find("m.smi: line 2"), std::string::npos);
}

TEST_F(PrepareTest, ThreadsDoNotChangeTheTable) {
  std::string smiles;
  for (int i = 1; i < 120; ++i)
    smiles += "C" + std::string(static_cast<std::size_t>(i % 17), 'C') + "c1ccccc1" +
              std::string(static_cast<std::size_t>(i % 7), 'N') + "\n";
  ASSERT_EQ(prepare(smiles, {{"threads", 1}, {"cluster", 0.5}}).exit_code(), 0);
  const std::string one = read_file(place("o.csv"));
  ASSERT_EQ(prepare(smiles, {{"threads", 3}, {"cluster", 0.5}}).exit_code(), 0);
  EXPECT_EQ(read_file(place("o.csv")), one);
}

TEST_F(PrepareTest, MistakesAreNamed) {
  const auto result = prepare("CCO\n", {{"properties", "logp,weigth"}});
  EXPECT_EQ(result.exit_code(), 2);
  EXPECT_NE(std::string(result.error->what()).find("found \"weigth\""), std::string::npos);
  EXPECT_EQ(prepare("CCO\n", {{"filters", "pain"}}).exit_code(), 2);
  EXPECT_EQ(prepare("C1CC\n", {{"strict", true}}).exit_code(), 3);
  EXPECT_FALSE(fs::exists(place("o.csv")));
}

}  // namespace
}  // namespace aceso::molecules
