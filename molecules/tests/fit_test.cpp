#include "aceso/app/runner.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/table.hpp"
#include "aceso/molecules/chemistry.hpp"
#include "aceso/molecules/preparation.hpp"
#include "aceso/nn/training.hpp"
#include "apps.hpp"
#include "bond_features.hpp"
#include "fit_quality.hpp"
#include "fit_source.hpp"
#include "fit_split.hpp"
#include "start_pool.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

namespace aceso::molecules {
namespace {
namespace fs = std::filesystem;

/// Some of the NCI set's molecules that can be read and have more than four atoms.
std::vector<Molecule> some_molecules(std::size_t count) {
  std::vector<Molecule> molecules;
  for (const std::string& smiles : default_pool()) {
    if (molecules.size() == count) break;
    const Molecule molecule = parse_smiles(smiles);
    if (molecule.atoms() > 4) molecules.push_back(molecule);
  }
  return molecules;
}

nn::MessagePassingSpec small_spec() {
  nn::MessagePassingSpec spec;
  spec.featuriser = "chemprop-v1";
  spec.atom_features = 133;
  spec.bond_features = 14;
  spec.outputs = {"value"};
  return spec;
}

TEST(SplitByGroup, NoScaffoldIsInTwoSetsAndSharesAreAsAsked) {
  std::vector<std::string> scaffolds;
  for (const Molecule& molecule : some_molecules(400))
    scaffolds.push_back(murcko_scaffold(molecule));
  for (const bool balanced : {true, false}) {
    const auto splits = split_by_group(scaffolds, {.validation = 0.1, .test = 0.2}, balanced, 3);
    std::map<std::string, std::set<lm::Split>> sets;
    std::map<lm::Split, int> count;
    for (std::size_t i = 0; i < splits.size(); ++i) {
      sets[scaffolds[i]].insert(splits[i]);
      ++count[splits[i]];
    }
    EXPECT_GT(sets.size(), 50U);
    for (const auto& [scaffold, found] : sets) EXPECT_EQ(found.size(), 1U) << scaffold;
    EXPECT_LE(count[lm::Split::Train], 280);
    EXPECT_LE(count[lm::Split::Validation], 40);
    EXPECT_GE(count[lm::Split::Validation], 30);
    if (balanced) {
      // The largest group, chains without a ring, is to be learnt from.
      EXPECT_GE(count[lm::Split::Train], 270);
      EXPECT_EQ(sets[""], std::set<lm::Split>{lm::Split::Train});
    }
    EXPECT_EQ(splits, split_by_group(scaffolds, {0.1, 0.2}, balanced, 3));
    EXPECT_NE(splits, split_by_group(scaffolds, {0.1, 0.2}, balanced, 4));
  }
}

TEST(SplitByGroup, ASetWithoutAShareStaysEmpty) {
  const std::vector<std::string> keys{"a", "a", "b", "c", "d", "e", "f", "g", "h", "i"};
  const auto splits = split_by_group(keys, {.validation = 0.2, .test = 0}, false, 1);
  EXPECT_EQ(std::ranges::count(splits, lm::Split::Test), 0);
  EXPECT_EQ(std::ranges::count(splits, lm::Split::Validation), 2);
  EXPECT_EQ(splits[0], splits[1]);
  const auto training = split_by_group(keys, {.validation = 0, .test = 0}, true, 1);
  EXPECT_EQ(std::ranges::count(training, lm::Split::Train), 10);
}

TEST(GraphStore, GivesBackWhatWasPutInInAnyOrder) {
  const std::vector<Molecule> molecules = some_molecules(6);
  GraphStore store(small_spec());
  nn::BondGraphs three;
  for (std::size_t i = 0; i < 3; ++i) add_graph(molecules[i], Featuriser::ChempropV1, three);
  store.add(three);
  for (std::size_t i = 3; i < 6; ++i) {
    nn::BondGraphs one;
    add_graph(molecules[i], Featuriser::ChempropV1, one);
    store.add(one);
  }
  nn::BondGraphs expected, found;
  for (const std::size_t i : {5U, 0U, 2U, 2U, 4U}) {
    add_graph(molecules[i], Featuriser::ChempropV1, expected);
    store.append(i, found);
  }
  EXPECT_EQ(found.atoms, expected.atoms);
  EXPECT_EQ(found.bonds, expected.bonds);
  EXPECT_EQ(found.source, expected.source);
  EXPECT_EQ(found.target, expected.target);
  EXPECT_EQ(found.reverse, expected.reverse);
  EXPECT_EQ(found.atom_offsets, expected.atom_offsets);
}

TEST(FitSource, AnEpochHasEveryMoleculeOnceAndASoughtPlaceGoesOnTheSame) {
  const nn::MessagePassingSpec spec = small_spec();
  GraphStore store(spec);
  FitSet training, held_out;
  for (const Molecule& molecule : some_molecules(21)) {
    nn::BondGraphs one;
    add_graph(molecule, Featuriser::ChempropV1, one);
    const auto number = static_cast<std::uint32_t>(store.size());
    store.add(one);
    training.molecules.push_back(number);
    training.values.push_back(static_cast<float>(number));
  }
  FitSource source(store, spec, training, held_out, 10, 7);
  EXPECT_EQ(source.updates_per_epoch(), 3);
  std::vector<float> seen;
  Json place;
  for (int step = 0; step < 3; ++step) {
    if (step == 2) place = source.position();
    for (const nn::TrainingBatch& batch : source.next())
      std::ranges::copy(batch.at("values").values<const float>(), std::back_inserter(seen));
  }
  const std::vector<float> order = seen;
  std::ranges::sort(seen);
  EXPECT_EQ(seen, training.values);

  FitSource other(store, spec, training, held_out, 10, 7);
  other.seek(place);
  const auto batches = other.next();
  ASSERT_EQ(batches.size(), 1U);  // the epoch's last molecule
  EXPECT_EQ(batches[0].at("values").values<const float>()[0], order.back());
  EXPECT_EQ(source.fingerprint(), other.fingerprint());
  EXPECT_NE(source.fingerprint(), FitSource(store, spec, training, held_out, 10, 8).fingerprint());
}

TEST(IntervalFactor, HoldsTheShareItPromises) {
  // Errors as large as the spread says: one factor is right for all.
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> spread(0.1, 2);
  const auto draw = [&](std::size_t count) {
    TargetPairs pairs;
    for (std::size_t i = 0; i < count; ++i) {
      pairs.spreads.push_back(spread(random));
      pairs.measured.push_back(10 * normal(random));
      pairs.predicted.push_back(pairs.measured.back() + pairs.spreads.back() * normal(random));
    }
    return pairs;
  };
  const TargetPairs known = draw(2000), others = draw(4000);
  for (const double coverage : {0.5, 0.8, 0.95}) {
    const auto factor = interval_factor(known, 0, coverage);
    ASSERT_TRUE(factor.has_value());
    EXPECT_NEAR(covered(others, *factor, 0), coverage, 0.03);
    EXPECT_GE(covered(known, *factor, 0), coverage);
  }
  EXPECT_FALSE(interval_factor(draw(8), 0, 0.9).has_value());
  EXPECT_TRUE(interval_factor(draw(9), 0, 0.9).has_value());
}

class FitTableTest : public testing::Test {
 protected:
  FitTable read(const std::string& text, FitColumns columns = {.targets = "a,b"}) const {
    write_file(folder_.path() / "t.csv", text);
    return read_fit_table(folder_.path() / "t.csv", columns);
  }
  std::string refusal(const std::string& text, const FitColumns& columns = {.targets = "a,b"}) {
    try {
      (void)read(text, columns);
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was refused";
  }
  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(FitTableTest, CellsMayBeQuotedAndMissing) {
  const FitTable table = read(
      "name,SMILES,a,b\n\"one, two\",\"CCO \",1.5,\n\"say "
      "\"\"x\"\"\",c1ccccc1,NA,-2e1\nnone,C,,nan\n");
  ASSERT_EQ(table.molecules.size(), 2U);
  EXPECT_EQ(table.without_value, 1U);
  EXPECT_EQ(table.molecules[0].smiles, "CCO");
  EXPECT_EQ(table.molecules[0].values[0], 1.5);
  EXPECT_TRUE(std::isnan(table.molecules[0].values[1]));
  EXPECT_EQ(table.molecules[1].values[1], -20);
  EXPECT_FALSE(has_classes(table));
  EXPECT_TRUE(has_classes(read("smiles,a,b\nC,0,1\nCC,,1.0\n")));
}

TEST_F(FitTableTest, WhatDoesNotFitIsNamed) {
  EXPECT_NE(
      refusal("smiles,a,b\nC,1,2\nCC,3,>10\n").find("row 2: expected a number in column \"b\""),
      std::string::npos);
  EXPECT_NE(refusal("smiles,a\nC,1\n").find("expected one column \"b\", found smiles, a"),
            std::string::npos);
  EXPECT_NE(refusal("smiles,a,b\nC,,\n").find("expected a molecule with a value"),
            std::string::npos);
  EXPECT_NE(refusal("smiles,a,set\nC,1,learn\n", {.targets = "a", .split = "set"})
                .find("row 1: set: expected train, validation or test, found \"learn\""),
            std::string::npos);
  EXPECT_NE(refusal("smiles,a\nC,1\n", {.targets = "a,a"}).find("named twice"), std::string::npos);
  EXPECT_NE(refusal("smiles,a\nC,1\n", {.targets = ""}).find("the table has smiles, a"),
            std::string::npos);
}

TEST_F(FitTableTest, PropertiesOfAnSdfFileAreColumns) {
  const auto atom = [](const std::string& symbol, const std::string& properties) {
    return symbol +
           "\n\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    0.0000    0.0000    0.0000 " +
           symbol + "   0  0\nM  END\n" + properties + "$$$$\n";
  };
  const fs::path path = folder_.path() / "m.sdf";
  write_file(path, atom("O", "> <a>\n1.5\n\n") + atom("N", "> <b>\n2\n\n> <a>\n-1\n\n") +
                       atom("Xx", "> <a>\n3\n\n") + atom("C", ""));
  FitTable table = read_fit_table(path, {.targets = "a,b"});
  ASSERT_EQ(table.molecules.size(), 3U);
  EXPECT_EQ(table.without_value, 1U);
  EXPECT_EQ(table.molecules[0].smiles, "O");
  EXPECT_TRUE(std::isnan(table.molecules[0].values[1]));
  EXPECT_EQ(table.molecules[1].values, (std::vector<double>{-1, 2}));
  EXPECT_NE(table.molecules[2].problem, "");
  EXPECT_THROW((void)read_fit_table(path, {.targets = "c"}), Error);
}

/// `molecules fit` and `molecules predict` as users run them.
class FitAppTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!nn::training_is_installed()) GTEST_SKIP() << "the training plugin is not built";
  }

  [[nodiscard]] std::string place(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  static app::RunResult run(app::App made, const Json& request) {
    std::vector<app::Mistake> mistakes;
    app::AppTable table;
    table.add(std::move(made));
    const app::App& app = table.all().front();
    const auto checked =
        app::check_request(app.description, request, app::paths_of_this_machine(), mistakes);
    EXPECT_EQ(app::format_mistakes(mistakes), "");
    return app::run_app(app, checked, {});
  }

  app::RunResult fit(const std::string& output, Json options) const {
    options["hidden"] = options.value("hidden", 32);
    options["epochs"] = options.value("epochs", 15);
    options["threads"] = options.value("threads", 1);
    return run(fit_app(), {{"inputs", {{"molecules", place("table.csv")}}},
                           {"options", options},
                           {"outputs", {{"output", place(output)}}}});
  }

  /// logP and whether there are rings, with gaps.
  void write_table(std::size_t count) const {
    const Descriptor* logp = find_descriptor("logp");
    const Descriptor* rings = find_descriptor("rings");
    std::string text = "smiles,logp,ringed,set\n";
    std::size_t row = 0;
    for (const Molecule& molecule : some_molecules(count)) {
      ++row;
      const std::string value = row % 7 == 0 ? "" : fmt::format("{}", logp->compute(molecule));
      text += fmt::format("{},{},{},{}\n", canonical_smiles(molecule), value,
                          rings->compute(molecule) > 0 ? 1 : 0,
                          row % 5 == 0   ? "test"
                          : row % 5 == 1 ? "validation"
                                         : "train");
    }
    write_file(place("table.csv"), text);
  }

  [[nodiscard]] std::string weights(const std::string& model) const {
    return read_file(fs::path(place(model)) / "weights.safetensors");
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(FitAppTest, LearnsLogPBetterThanItsMeanAndPredictsInItsUnits) {
  write_table(400);
  const auto result = fit("model", {{"targets", "logp"},
                                    {"ensemble", 2},
                                    {"epochs", 25},
                                    {"split", "random"},
                                    {"batch_size", 16},
                                    {"learning_rate", 2e-3}});
  ASSERT_EQ(result.exit_code(), 0) << result.error->what();
  const Json test = result.metrics["test"]["targets"]["logp"];
  EXPECT_LT(test["rmse"].get<double>(), 0.6 * test["rmse_of_training_mean"].get<double>()) << test;
  EXPECT_GT(test["spearman"].get<double>(), 0.8) << test;
  EXPECT_GT(test["within_interval"].get<double>(), 0.6) << test;

  const auto predicted = run(
      predict_app(), {{"inputs", {{"model", place("model")}, {"molecules", place("table.csv")}}},
                      {"options", {{"uncertainty", true}, {"threads", 1}}},
                      {"outputs", {{"output", place("predicted.csv")}}}});
  ASSERT_EQ(predicted.exit_code(), 0) << predicted.error->what();
  lm::TableReader reader(place("predicted.csv"));
  EXPECT_EQ(reader.columns(), (std::vector<std::string>{"id", "smiles", "logp", "logp_std",
                                                        "logp_low", "logp_high"}));
  const Descriptor* logp = find_descriptor("logp");
  double error = 0, within = 0, count = 0;
  for (std::vector<std::string> cells; reader.next(cells);) {
    const double truth = logp->compute(parse_smiles(cells[1]));
    error += std::abs(truth - std::stod(cells[2]));
    within += std::stod(cells[4]) <= truth && truth <= std::stod(cells[5]) ? 1 : 0;
    EXPECT_GT(std::stod(cells[3]), 0);
    count += 1;
  }
  EXPECT_EQ(count, 400);
  EXPECT_LT(error / count, 0.8);
  EXPECT_GT(within / count, 0.7);
}

TEST_F(FitAppTest, TheResultDoesNotDependOnThreadsAndFollowsTheSeed) {
  write_table(120);
  const Json options{{"targets", "logp,ringed"}, {"task", "regression"}, {"epochs", 3},
                     {"dropout", 0.1},           {"split", "random"},    {"ensemble", 2}};
  const auto with = [&](const char* name, int value) {
    Json changed = options;
    changed[name] = value;
    return changed;
  };
  ASSERT_EQ(fit("one", with("threads", 1)).exit_code(), 0);
  ASSERT_EQ(fit("two", with("threads", 2)).exit_code(), 0);
  ASSERT_EQ(fit("seed", with("seed", 2)).exit_code(), 0);
  EXPECT_EQ(weights("one"), weights("two"));
  EXPECT_NE(weights("one"), weights("seed"));
  EXPECT_EQ(read_file(fs::path(place("one")) / "model.yaml"),
            read_file(fs::path(place("two")) / "model.yaml"));
}

TEST_F(FitAppTest, ClassesAreFoundByTheirValuesAndASetColumnIsObeyed) {
  write_table(200);
  const auto result = fit("model", {{"targets", "ringed"}, {"split", "column"}});
  ASSERT_EQ(result.exit_code(), 0) << result.error->what();
  EXPECT_EQ(result.metrics["task"], "classification");
  EXPECT_EQ(result.metrics["molecules"], (Json{{"train", 120}, {"validation", 40}, {"test", 40}}));
  const Json test = result.metrics["test"]["targets"]["ringed"];
  EXPECT_GT(test["auroc"].get<double>(), 0.9) << test;
  EXPECT_GT(test["accuracy"].get<double>(), 0.8) << test;
}

TEST_F(FitAppTest, AResumedTrainingThatHadEndedEarlyEndsWithTheSameBytes) {
  write_table(60);
  const Json options{{"targets", "logp"},    {"split", "random"},  {"epochs", 30},
                     {"patience", 1},        {"learning_rate", 1}, {"ensemble", 2},
                     {"warmup_epochs", 0.0}, {"hidden", 8}};
  Json kept = options;
  kept["checkpoint"] = place("state");
  const auto whole = fit("whole", kept);
  ASSERT_EQ(whole.exit_code(), 0) << whole.error->what();
  ASSERT_TRUE(whole.metrics["members"][0]["stopped_early"].get<bool>());
  const auto refused = fit("again", kept);
  EXPECT_NE(refused.exit_code(), 0);
  kept["resume"] = true;
  const auto again = fit("again", kept);
  ASSERT_EQ(again.exit_code(), 0) << again.error->what();
  EXPECT_EQ(again.metrics["members"][0]["steps"], whole.metrics["members"][0]["steps"]);
  EXPECT_EQ(weights("whole"), weights("again"));
}

TEST_F(FitAppTest, UnreadableMoleculesAreLeftOutAndNamed) {
  write_file(place("table.csv"),
             "smiles,y,set\nC,1,train\nCC,2,train\nc1ccc,3,train\nCCC,3,test\nCCC,3.5,train\n");
  const auto result = fit("model", {{"targets", "y"}, {"split", "column"}, {"epochs", 1}});
  ASSERT_EQ(result.exit_code(), 0) << result.error->what();
  EXPECT_EQ(result.metrics["duplicates"], 1);
  std::map<std::string, std::string> warned;
  for (const WarningCount& warning : result.warnings)
    warned[warning.kind] = warning.examples.front();
  EXPECT_NE(warned["smiles.unreadable"].find("table.csv: row 3: "), std::string::npos);
  EXPECT_TRUE(warned.contains("fit.in_two_sets"));
  EXPECT_TRUE(warned.contains("fit.no_validation"));
}

TEST_F(FitAppTest, ImpossibleTablesAreRefusedWithTheirPlace) {
  const auto refusal = [&](const std::string& text, Json options) {
    write_file(place("table.csv"), text);
    const auto result = fit("model", std::move(options));
    EXPECT_EQ(result.exit_code(), 3);
    return std::string(result.error ? result.error->what() : "nothing was refused");
  };
  EXPECT_NE(refusal("smiles,y\nC,1\nCC,2\n", {{"targets", "y"}, {"task", "classification"}})
                .find("row 2: column \"y\": expected 0 or 1"),
            std::string::npos);
  EXPECT_NE(refusal("smiles,y\nC,2\nCC,2\nCCC,2\n", {{"targets", "y"}, {"split", "random"}})
                .find("expected values that differ"),
            std::string::npos);
  EXPECT_NE(refusal("smiles,y\nc1c,2\n(,2\n", {{"targets", "y"}}).find("row 1, the first of 2"),
            std::string::npos);
}

}  // namespace
}  // namespace aceso::molecules
