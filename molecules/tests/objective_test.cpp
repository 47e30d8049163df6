#include "aceso/molecules/objective.hpp"

#include "aceso/core/error.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace aceso::molecules {
namespace {

double total(const std::string& yaml, const std::string& smiles) {
  return Objective(yaml, "test")(parse_smiles(smiles)).total;
}

std::string problem(const std::string& yaml) {
  try {
    const Objective objective(yaml, "o.yaml");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::CorruptData);
    return error.what();
  }
  return "";
}

TEST(Objective, TermsAreMeasuredModifiedAndPutTogether) {
  const std::string terms =
      "terms:\n"
      "- {type: descriptor, descriptor: heavy_atoms, modifier: {type: clip, upper: 6}}\n"
      "- {type: substructure, smarts: '[OX2H]', weight: 3}\n";
  // Butanol: 5 heavy atoms of 6, and the hydroxyl.
  EXPECT_NEAR(total("aggregate: mean\n" + terms, "OCCCC"), (5.0 / 6 + 3) / 4, 1e-12);
  EXPECT_NEAR(total("aggregate: product\n" + terms, "OCCCC"), 5.0 / 6, 1e-12);
  EXPECT_NEAR(total("aggregate: min\n" + terms, "OCCCC"), 5.0 / 6, 1e-12);
  EXPECT_NEAR(total(terms, "OCCCC"), std::pow(5.0 / 6, 0.25), 1e-12);
  EXPECT_EQ(total(terms, "CCCCC"), 0);
}

TEST(Objective, ModifiersHaveTheirShapes) {
  const auto modified = [](const std::string& modifier) {
    return total(
        "terms: [{type: descriptor, descriptor: heavy_atoms, modifier: {" + modifier + "}}]",
        "CCCCC");
  };
  EXPECT_NEAR(modified("type: gaussian, mu: 7, sigma: 2"), std::exp(-0.5), 1e-12);
  EXPECT_NEAR(modified("type: max_gaussian, mu: 7, sigma: 2"), std::exp(-0.5), 1e-12);
  EXPECT_EQ(modified("type: max_gaussian, mu: 4, sigma: 2"), 1);
  EXPECT_NEAR(modified("type: min_gaussian, mu: 3, sigma: 2"), std::exp(-0.5), 1e-12);
  EXPECT_EQ(modified("type: min_gaussian, mu: 6, sigma: 2"), 1);
  EXPECT_NEAR(modified("type: clip, lower: 4, upper: 8"), 0.25, 1e-12);
  EXPECT_NEAR(modified("type: clip, lower: 8, upper: 4"), 0.75, 1e-12);
  EXPECT_EQ(modified("type: threshold, at: 6"), 0);
  EXPECT_NEAR(modified("type: gaussian, mu_of: CCCCCCC, sigma: 2"), std::exp(-0.5), 1e-12);
}

TEST(Objective, AFormulaIsReachedExactly) {
  const std::string yaml = "terms: [{type: formula, formula: C2H6O}]";
  EXPECT_NEAR(total(yaml, "CCO"), 1, 1e-12);
  // Propanol: one C, two H and three atoms too many.
  EXPECT_NEAR(total(yaml, "CCCO"), std::exp(-0.5 * (1 + 4 + 9.0 / 4) / 4), 1e-12);
}

TEST(Objective, EveryTaskScoresItsOwnTargetHigh) {
  const auto task = [](const std::string& name, const std::string& smiles) {
    return total("task: " + name, smiles);
  };
  EXPECT_NEAR(
      task("celecoxib_rediscovery", "CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F"), 1,
      1e-12);
  EXPECT_NEAR(task("albuterol_similarity", "CC(C)(C)NCC(O)c1ccc(O)c(CO)c1"), 1, 1e-12);
  EXPECT_NEAR(task("isomers_c7h8n2o2", "CC(=O)Nc1cncc(O)c1"), 1, 1e-12);
  EXPECT_NEAR(task("qed", "CCO"), qed(parse_smiles("CCO")), 1e-12);
  for (const Task& one : tasks()) {
    if (one.yaml.empty()) continue;
    const double score = task(std::string(one.name), "CCCOc1cc2ncnc(N)c2cc1S(=O)(=O)C");
    EXPECT_GE(score, 0) << one.name;
    EXPECT_LE(score, 1) << one.name;
  }
  EXPECT_EQ(tasks().size(), 23U);
}

TEST(Objective, MistakesAreNamedWithTheirLine) {
  EXPECT_NE(problem("terms:\n- type: descriptor\n  descriptor: tpsaa\n")
                .find("o.yaml: line 3: expected one of the descriptors"),
            std::string::npos);
  EXPECT_NE(problem("terms:\n- type: similarity\n  to: C1CC\n  fingerprint: ecfp4\n")
                .find("o.yaml: line 3: expected a molecule as SMILES"),
            std::string::npos);
  EXPECT_NE(problem("terms:\n- type: qed\n").find("line 2: expected one of the types"),
            std::string::npos);
  EXPECT_NE(problem("terms:\n- {type: element, element: F, wieght: 2}\n")
                .find("did you mean \"weight\"?"),
            std::string::npos);
  EXPECT_NE(problem("terms: []\n").find("expected a list of terms"), std::string::npos);
  EXPECT_NE(problem("name: x\n").find("needs \"terms\""), std::string::npos);
  EXPECT_NE(problem("terms: [{type: element\n").find("o.yaml: line"), std::string::npos);
  EXPECT_NE(problem("- 1\n").find("expected an objective as"), std::string::npos);
  EXPECT_NE(problem("").find("expected an objective as"), std::string::npos);
  EXPECT_NE(problem("terms: [{type: element, element: F, modifier: {type: gaussian, mu: 1, sigma: "
                    "0}}]")
                .find("\"sigma\" above 0"),
            std::string::npos);
  EXPECT_NE(problem("task: gsk3b\n").find("needs a random forest"), std::string::npos);
  EXPECT_NE(problem("task: ged\n").find("did you mean \"qed\"?"), std::string::npos);
}

}  // namespace
}  // namespace aceso::molecules
