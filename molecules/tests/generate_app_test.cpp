#include "../../lm/tests/writing_models.hpp"
#include "../src/apps.hpp"
#include "aceso/app/runner.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/molecules/chemistry.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>

namespace aceso::molecules {
namespace {
namespace fs = std::filesystem;

class GenerateAppTest : public testing::TestWithParam<std::string> {
 protected:
  GenerateAppTest() { lm::test::write_writing_model(place("model"), GetParam()); }

  [[nodiscard]] std::string place(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  app::RunResult generate(Json options, const std::string& output, unsigned threads = 1,
                          Json inputs = Json::object()) const {
    inputs["model"] = place("model");
    options["attempts"] = options.value("attempts", 200);
    options["threads"] = threads;
    std::vector<app::Mistake> mistakes;
    app::AppTable table;
    table.add(generate_app());
    const app::App& app = table.all().front();
    const auto request = app::check_request(
        app.description,
        {{"inputs", inputs},
         {"options", std::move(options)},
         {"outputs", {{"output", place(output)}, {"picture", place("grid.svg")}}}},
        app::paths_of_this_machine(), mistakes);
    EXPECT_EQ(app::format_mistakes(mistakes), "");
    return app::run_app(app, request, {});
  }

  [[nodiscard]] std::vector<std::string> smiles_in(const std::string& output) const {
    std::vector<std::string> list;
    for (const std::string& line : split(read_file(place(output)), '\n'))
      if (!line.empty()) list.push_back(split(line, ' ').front());
    return list;
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_P(GenerateAppTest, WritesMoleculesThatAreValidCanonicalAndDistinct) {
  const auto result = generate({{"count", 30}, {"max_length", 30}}, "out.smi");
  ASSERT_EQ(result.exit_code(), 0) << result.error->what();
  const auto list = smiles_in("out.smi");
  EXPECT_EQ(list.size(), 30U);
  EXPECT_EQ(std::set<std::string>(list.begin(), list.end()).size(), list.size());
  for (const std::string& smiles : list) EXPECT_EQ(canonical_smiles(parse_smiles(smiles)), smiles);
  EXPECT_EQ(result.metrics["kept"], 30);
  const double drawn = result.metrics["drawn"].get<double>();
  EXPECT_GE(drawn * result.metrics["valid"].get<double>(), 30 - 1e-6);
  EXPECT_NE(read_file(place("grid.svg")).find("<svg"), std::string::npos);
}

TEST_P(GenerateAppTest, TheSeedDecidesAndNotTheThreads) {
  (void)generate({{"count", 20}, {"max_length", 30}}, "one.smi");
  (void)generate({{"count", 20}, {"max_length", 30}}, "three.smi", 3);
  EXPECT_EQ(read_file(place("one.smi")), read_file(place("three.smi")));
  (void)generate({{"count", 5}, {"max_length", 30}}, "few.smi");
  EXPECT_TRUE(read_file(place("one.smi")).starts_with(read_file(place("few.smi"))));
  (void)generate({{"count", 20}, {"max_length", 30}, {"seed", 2}}, "other.smi");
  EXPECT_NE(read_file(place("one.smi")), read_file(place("other.smi")));
}

TEST_P(GenerateAppTest, TablesTellLikelihoodAndNovelty) {
  (void)generate({{"count", 10}, {"max_length", 30}}, "known.smi");
  const auto result = generate({{"count", 15}, {"max_length", 30}}, "out.csv", 1,
                               {{"reference", place("known.smi")}});
  ASSERT_EQ(result.exit_code(), 0);
  const auto rows = split(read_file(place("out.csv")), '\n');
  EXPECT_EQ(rows[0], "id,smiles,log_likelihood,valid,passes_filters,novel");
  ASSERT_EQ(rows.size(), 17U);
  for (std::size_t i = 1; i <= 15; ++i) {
    const auto cells = split(rows[i], ',');
    EXPECT_LT(std::stod(cells[2]), 0);
    EXPECT_EQ(cells[5], i <= 10 ? "false" : "true") << rows[i];
  }
  EXPECT_DOUBLE_EQ(result.metrics["novelty"].get<double>(), 5.0 / 15);
  EXPECT_GT(result.metrics["snn"].get<double>(), 0.5);
}

TEST_P(GenerateAppTest, MoleculesGoOnFromAPrefix) {
  const auto result = generate({{"count", 5},
                                {"attempts", 1},
                                {"prefix", "CCNO"},
                                {"max_length", 20},
                                {"keep_invalid", true},
                                {"keep_duplicates", true}},
                               "out.smi");
  ASSERT_EQ(result.exit_code(), 0);
  EXPECT_EQ(result.metrics["drawn"], 5);
  for (const std::string& text : smiles_in("out.smi")) {
    const bool as_written = text.starts_with("CCNO");
    EXPECT_TRUE(as_written || Pattern("CCNO").in(parse_smiles(text))) << text;
  }
  EXPECT_EQ(generate({{"count", 5}, {"prefix", "CXC"}}, "x.smi").exit_code(), 2);
}

TEST_P(GenerateAppTest, TooFewMoleculesAreWarnedOf) {
  const auto result = generate({{"count", 500}, {"attempts", 1}, {"max_length", 30}}, "out.smi");
  EXPECT_EQ(result.exit_code(), 0);
  EXPECT_EQ(result.metrics["drawn"], 500);
  EXPECT_LT(result.metrics["kept"], 500);
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_EQ(result.warnings[0].kind, "generate.too_few");
}

// With a GPU it must do what the CPU does; without one it must say so and write nothing.
TEST_P(GenerateAppTest, OnAGpuGivesTheSameOrSaysWhatIsMissing) {
  const Json options = {{"count", 1},
                        {"temperature", 0},
                        {"max_length", 30},
                        {"attempts", 1},
                        {"keep_invalid", true}};
  Json on_gpu = options;
  on_gpu["device"] = "cuda";
  const auto result = generate(on_gpu, "gpu.smi");
  if (!result.error) {
    ASSERT_EQ(generate(options, "cpu.smi").exit_code(), 0);
    EXPECT_EQ(read_file(place("gpu.smi")), read_file(place("cpu.smi")));
    return;
  }
  EXPECT_FALSE(fs::exists(place("gpu.smi")));
  const std::string message = result.error->what();
  if (GetParam() == "lstm") {
    EXPECT_EQ(message, place("model") +
                           ": expected a model of architecture transformer, which the device cuda "
                           "computes, found lstm: compute on the device cpu");
  } else {
    EXPECT_EQ(result.exit_code(), 2);
    EXPECT_TRUE(message.starts_with("device cuda: expected ")) << message;
  }
}

INSTANTIATE_TEST_SUITE_P(All, GenerateAppTest, testing::Values("transformer", "lstm"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace aceso::molecules
