#include "aceso/molecules/moses.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace aceso::molecules {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kDrugs{"CC(=O)Oc1ccccc1C(=O)O",      "CN1C=NC2=C1C(=O)N(C(=O)N2C)C",
                                      "CC(C)Cc1ccc(cc1)C(C)C(=O)O", "not a molecule",
                                      "OC(=O)c1ccccc1OC(C)=O",      "c1ccc2c(c1)CCN2",
                                      "CCOC(=O)c1ccc(N)cc1",        "CC(=O)Nc1ccc(O)cc1"};

std::vector<MosesTraits> traits(const std::vector<std::string>& smiles, TraitLevel level,
                                unsigned threads = 1) {
  static const MosesFilters filters(std::nullopt);
  Progress progress;
  return moses_traits(smiles, level, &filters, threads, progress, {});
}

std::map<std::string, double> metrics(const std::vector<MosesTraits>& generated,
                                      const MosesReference& reference = {}, unsigned threads = 1) {
  std::map<std::string, double> values;
  for (const MosesMetric& one : moses_metrics(generated, reference, threads, {}))
    values[one.key] = one.value;
  return values;
}

TEST(Moses, CountsWhatIsValidAndDistinct) {
  const auto values = metrics(traits(kDrugs, TraitLevel::Filters));
  EXPECT_DOUBLE_EQ(values.at("valid"), 7.0 / 8);
  EXPECT_DOUBLE_EQ(values.at("unique_1000"), 6.0 / 7);  // aspirin comes twice
  EXPECT_FALSE(values.contains("novelty"));
  EXPECT_FALSE(values.contains("snn"));
}

TEST(Moses, DiversityIsTheMeanOverAllPairs) {
  const auto all = traits(kDrugs, TraitLevel::Filters);
  double one = 0, two = 0, size = 0;
  for (const MosesTraits& a : all) {
    if (!a.valid) continue;
    double squares = 0, count = 0;
    for (const MosesTraits& b : all) {
      if (!b.valid) continue;
      const double t = tanimoto(bit_fingerprint(parse_smiles(a.smiles), 1024),
                                bit_fingerprint(parse_smiles(b.smiles), 1024));
      one += t;
      squares += t * t;
      ++count;
    }
    two += std::sqrt(squares / count);
    size = count;
  }
  const auto values = metrics(all);
  EXPECT_NEAR(values.at("int_div"), 1 - one / (size * size), 1e-12);
  EXPECT_NEAR(values.at("int_div2"), 1 - two / size, 1e-12);
}

TEST(Moses, ASetIsAtNoDistanceFromItself) {
  const auto all = traits(kDrugs, TraitLevel::All);
  std::unordered_set<std::string> train;
  for (const MosesTraits& one : all) train.insert(one.smiles);
  const auto values = metrics(all, {all, TraitLevel::All, &train});
  for (const char* key : {"snn", "frag", "scaf"}) EXPECT_NEAR(values.at(key), 1, 1e-12) << key;
  for (const char* key : {"novelty", "logp_distance", "sa_distance", "qed_distance"})
    EXPECT_NEAR(values.at(key), 0, 1e-12) << key;
}

TEST(Moses, SetsWithNothingInCommonAreFarApart) {
  const auto alkanes = traits({"CCCCC", "CCCCCC", "CC(C)C"}, TraitLevel::All);
  const auto rings = traits({"c1ccc2ncccc2c1", "O=c1[nH]c2ccccc2[nH]1"}, TraitLevel::All);
  const std::unordered_set<std::string> train{"CCCCC"};
  const auto values = metrics(alkanes, {rings, TraitLevel::All, &train});
  EXPECT_EQ(values.at("frag"), 0);
  EXPECT_TRUE(std::isnan(values.at("scaf")));  // alkanes have none
  EXPECT_DOUBLE_EQ(values.at("novelty"), 2.0 / 3);
  double weights = 0;
  for (const MosesTraits& one : rings) weights += one.weight / 2;
  for (const MosesTraits& one : alkanes) weights -= one.weight / 3;
  EXPECT_NEAR(values.at("weight_distance"), weights, 1e-9);  // every ring system is the heavier
}

TEST(Moses, FragmentsAreThoseOfBrics) {
  // RDKit's Python: Chem.MolToSmiles(AllChem.FragmentOnBRICSBonds(mol)).split(".")
  const auto one = traits({"CCOC(=O)c1ccc(N)cc1"}, TraitLevel::All).front();
  EXPECT_EQ(one.fragments,
            (std::vector<std::string>{"[1*]C([6*])=O", "[16*]c1ccc(N)cc1", "[3*]O[3*]", "[4*]CC"}));
  EXPECT_EQ(one.scaffold, "");  // one ring only
  EXPECT_EQ(traits({"CCc1ccc2ncccc2c1"}, TraitLevel::All).front().scaffold, "c1ccc2ncccc2c1");
}

TEST(Moses, WhatCannotBeReadAgainPassesNoFilter) {
  // RDKit reads it, and writes CC1#CC1, which it refuses.
  const auto one = traits({"Cc1CC#1"}, TraitLevel::Filters).front();
  EXPECT_TRUE(one.valid);
  EXPECT_FALSE(one.readable);
  EXPECT_FALSE(one.passes);
  EXPECT_TRUE(traits({"CC1CC1"}, TraitLevel::Filters).front().passes);
}

TEST(Moses, TheAnswerDoesNotDependOnThreads) {
  std::vector<std::string> many;
  for (int i = 0; i < 100; ++i)
    many.push_back(kDrugs[i % 8] + std::string(i % 8 == 3 ? 0 : i / 8, 'C'));
  const auto one = traits(many, TraitLevel::All), three = traits(many, TraitLevel::All, 3);
  EXPECT_EQ(metrics(one, {one, TraitLevel::All, nullptr}),
            metrics(three, {three, TraitLevel::All, nullptr}, 3));
}

TEST(Moses, MetricsOfNothingAreNotDefined) {
  const auto values = metrics({});
  for (const char* key : {"valid", "unique_1000", "int_div", "filters"})
    EXPECT_TRUE(std::isnan(values.at(key))) << key;
}

TEST(MosesFilters, RefuseChargesLargeRingsElementsAndAlerts) {
  const MosesFilters filters(std::nullopt);
  const auto passes = [&](const char* smiles) { return filters.passes(parse_smiles(smiles)); };
  EXPECT_TRUE(passes("CCOc1ccccc1"));
  EXPECT_TRUE(passes("C1CCCCCC1"));
  EXPECT_FALSE(passes("C1CCCCCCC1"));
  EXPECT_FALSE(passes("CC(=O)[O-]"));
  EXPECT_FALSE(passes("CCOc1ccc(I)cc1"));
  EXPECT_FALSE(passes("O=C1C=CC(=O)C=C1"));  // a quinone, of PAINS
}

TEST(MosesFilters, AlertsOfAFileAreLookedForWithHydrogens) {
  const ScratchFolder folder(fs::temp_directory_path());
  const fs::path path = folder.path() / "alerts.csv";
  write_file(path, "names,smarts\nhalide,\"[H]C([H])([#6])[F,Cl]\"\n");
  const MosesFilters filters(path);
  EXPECT_FALSE(filters.passes(parse_smiles("CCCCCl")));
  EXPECT_TRUE(filters.passes(parse_smiles("CC(C)(C)Cl")));
  EXPECT_NE(filters.lists().find("alerts.csv"), std::string::npos);
  write_file(path, "names,smarts\none,C\ntwo,C((\n");
  try {
    const MosesFilters broken(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::CorruptData);
    EXPECT_NE(std::string(error.what()).find("alerts.csv: row 2"), std::string::npos);
  }
}

TEST(Wasserstein, IsTheMeanDifferenceOfSortedSamples) {
  EXPECT_DOUBLE_EQ(wasserstein({3, 1, 2}, {12, 11, 13}), 10);
  EXPECT_DOUBLE_EQ(wasserstein({0, 1, 5}, {6, 0, 3}), (0 + 2 + 1) / 3.0);
  // Each value of the smaller sample stands for two of the larger one.
  EXPECT_DOUBLE_EQ(wasserstein({0, 10}, {0, 1, 9, 14}), (0 + 1 + 1 + 4) / 4.0);
  EXPECT_TRUE(std::isnan(wasserstein({}, {1})));
}

}  // namespace
}  // namespace aceso::molecules
