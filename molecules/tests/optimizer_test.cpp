#include "../src/optimizer.hpp"

#include "../src/operators.hpp"
#include "../src/start_pool.hpp"
#include "../src/surrogate.hpp"
#include "aceso/core/error.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace aceso::molecules {
namespace {

TEST(Graph, GoesThereAndBack) {
  for (const char* smiles :
       {"CC(=O)Oc1ccccc1C(=O)O", "O=[N+]([O-])c1ccc[nH]1", "CS(=O)(=O)c1ccncc1", "C#CCN(C)C",
        "OP(=O)(O)OC1CCCC1", "FC(F)(F)c1nc2ccccc2s1"}) {
    const Molecule molecule = parse_smiles(smiles);
    const auto graph = graph_of(molecule);
    ASSERT_TRUE(graph) << smiles;
    EXPECT_TRUE(breedable(*graph)) << smiles;
    const auto back = molecule_of(*graph);
    ASSERT_TRUE(back) << smiles;
    EXPECT_EQ(canonical_smiles(*back), canonical_smiles(molecule));
  }
  EXPECT_FALSE(graph_of(parse_smiles("CC.O")));
  EXPECT_FALSE(graph_of(parse_smiles("C*")));
  EXPECT_FALSE(graph_of(parse_smiles("[CH3]")));
}

TEST(Graph, KnowsItsRings) {
  const auto graph = graph_of(parse_smiles("CC1CCC1CC"));
  ASSERT_TRUE(graph);
  const std::vector<bool> in_ring = graph->ring_bonds();
  EXPECT_EQ(std::count(in_ring.begin(), in_ring.end(), true), 4);
}

TEST(Operators, ChildrenAreMoleculesOfOnePiece) {
  const auto a = graph_of(parse_smiles("CC(=O)Oc1ccccc1C(=O)O"));
  const auto b = graph_of(parse_smiles("CN1C=NC2=C1C(=O)N(C(=O)N2C)C"));
  ASSERT_TRUE(a && b);
  int made = 0, sound = 0;
  std::set<std::string> distinct;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    Random random(7, i);
    const auto child = i % 2 == 0 ? mutated(*a, random) : crossed(*a, *b, random);
    if (!child) continue;
    ++made;
    EXPECT_TRUE(plausible(*child));
    const auto distances = child->distances(0);
    EXPECT_EQ(std::count(distances.begin(), distances.end(), -1), 0);
    const auto molecule = molecule_of(*child);
    if (!molecule) continue;
    ++sound;
    const std::string smiles = canonical_smiles(*molecule);
    EXPECT_EQ(canonical_smiles(parse_smiles(smiles)), smiles);
    distinct.insert(smiles);
  }
  EXPECT_GT(made, 1000);
  EXPECT_GT(sound, made * 8 / 10);
  EXPECT_GT(distinct.size(), 300U);
}

TEST(Surrogate, RemembersWhatItSawAndKnowsWhatItDidNot) {
  std::vector<FeatureCounts> features;
  const std::vector<std::string> smiles{"CCO", "CCCO", "c1ccccc1", "Cc1ccccc1", "CCCCN"};
  for (const std::string& one : smiles)
    features.push_back(fingerprint(parse_smiles(one), Fingerprint::Ecfp4));
  std::vector<Surrogate::Example> examples;
  const std::vector<double> scores{0.9, 0.8, 0.1, 0.2, 0.5};
  for (std::size_t i = 0; i < scores.size(); ++i) examples.push_back({&features[i], scores[i]});
  const Surrogate surrogate(examples, 1e-6);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const Guess guess = surrogate(features[i]);
    EXPECT_NEAR(guess.mean, scores[i], 1e-4);
    EXPECT_LT(guess.deviation, 1e-2);
  }
  const Guess far = surrogate(fingerprint(parse_smiles("FS(F)(F)F"), Fingerprint::Ecfp4));
  EXPECT_NEAR(far.mean, 0.5, 1e-9);  // their mean
  EXPECT_GT(far.deviation, 0.1);
}

TEST(AucTop, IsTheAreaByHand) {
  // 250 calls of 400: 0 for the first hundred, then 1; top 10 reaches 1 at the look at 200.
  std::vector<double> scores(250, 1.0);
  std::fill_n(scores.begin(), 100, 0.0);
  // 0..100: 0; 100..200: 0 to 1; 200..250: 1; then 1 to the end of the budget.
  EXPECT_DOUBLE_EQ(auc_top(scores, 10, 400), (50 + 50 + 150) / 400.0);
  EXPECT_DOUBLE_EQ(auc_top(std::vector<double>(400, 0.5), 10, 400), (25 + 0.5 * 300) / 400);
  EXPECT_DOUBLE_EQ(top_mean({0.1, 0.5, 0.3}, 2, 10), 0.3);
  EXPECT_DOUBLE_EQ(top_mean({0.1, 0.5, 0.3}, 3, 2), 0.4);
}

class OptimizeTest : public testing::Test {
 protected:
  std::vector<ScoredMolecule> run(std::int64_t budget, std::uint64_t seed, unsigned threads) {
    OptimizerSettings settings;
    settings.budget = budget;
    settings.seed = seed;
    settings.threads = threads;
    Progress progress;
    return optimize(default_pool(), objective_, settings, progress, {});
  }
  static std::vector<std::string> names(const std::vector<ScoredMolecule>& scored) {
    std::vector<std::string> list;
    for (const ScoredMolecule& one : scored) list.push_back(one.smiles);
    return list;
  }
  Objective objective_{"task: isomers_c7h8n2o2", "test"};
};

TEST_F(OptimizeTest, TheBudgetIsKeptAndNoMoleculeIsScoredTwice) {
  for (const std::int64_t budget : {7, 100, 333}) {
    const auto list = names(run(budget, 1, 2));
    EXPECT_EQ(list.size(), static_cast<std::size_t>(budget));
    EXPECT_EQ(std::set<std::string>(list.begin(), list.end()).size(), list.size());
  }
}

TEST_F(OptimizeTest, TheSeedAloneDecides) {
  const auto one = names(run(250, 3, 1));
  EXPECT_EQ(names(run(250, 3, 3)), one);
  EXPECT_NE(names(run(250, 4, 1)), one);
}

TEST_F(OptimizeTest, ScoresRise) {
  std::vector<double> scores;
  for (const ScoredMolecule& one : run(400, 1, 2)) scores.push_back(one.score.total);
  EXPECT_GT(top_mean(scores, 400, 10), top_mean(scores, 100, 10));
  EXPECT_GT(top_mean(scores, 400, 1), 0.95);
}

TEST_F(OptimizeTest, APoolThatCannotBeBredIsRefused) {
  Progress progress;
  EXPECT_THROW((void)optimize({"[Na+].[Cl-]", "nonsense"}, objective_, {}, progress, {}), Error);
}

}  // namespace
}  // namespace aceso::molecules
