// Boosted trees, the learnt filter, and figures of calls.
#include "boosted_trees.hpp"
#include "call_evidence.hpp"
#include "call_figures.hpp"
#include "calling_testing.hpp"
#include "filter_model.hpp"
#include "germline_app.hpp"
#include "train_filter_app.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>
#include <numeric>

namespace aceso::genomics {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

/// Two columns that decide together, one that is missing half the time, one of noise.
LabelledTable made_up(std::size_t rows) {
  ReadMaker maker(3);
  LabelledTable out;
  out.columns = 4;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto number = [&] { return static_cast<float>(maker.below(1000)) / 1000; };
    const float a = number(), b = number();
    const bool right = (a > 0.5F) != (b > 0.3F);
    const float hint = maker.below(2) == 0 ? kMissing : (right ? 1.0F : 0.0F);
    for (const float v : {a, b, hint, number()}) out.values.push_back(v);
    out.labels.push_back(right ? 1 : 0);
  }
  return out;
}

std::vector<std::uint32_t> range(std::uint32_t begin, std::uint32_t end) {
  std::vector<std::uint32_t> out(end - begin);
  std::iota(out.begin(), out.end(), begin);
  return out;
}

TEST(BoostedTrees, LearnWhatNoSingleColumnTells) {
  const LabelledTable table = made_up(4000);
  const BoostedTrees trees = BoostedTrees::train(table, range(0, 2000), {});
  std::size_t right = 0;
  for (std::uint32_t i = 2000; i < 4000; ++i)
    right += (trees.log_odds(table.row(i)) > 0) == (table.labels[i] == 1) ? 1 : 0;
  EXPECT_GT(right, 1960U);
  const std::vector<double> gains = trees.gains();
  EXPECT_LT(gains[3] * 10, gains[0]);
}

TEST(BoostedTrees, ChancesAreThoseSeen) {
  // One column with two values, right in 3 of 4 and 1 of 10 rows.
  LabelledTable table;
  table.columns = 1;
  for (int i = 0; i < 4000; ++i) {
    const bool high = i % 2 == 0;
    table.values.push_back(high ? 1 : 0);
    table.labels.push_back((high ? i / 2 % 4 != 0 : i / 2 % 10 == 0) ? 1 : 0);
  }
  const BoostedTrees trees = BoostedTrees::train(table, range(0, 4000), {});
  const float high = 1, low = 0;
  EXPECT_NEAR(trees.log_odds({&high, 1}), std::log(3.0), 0.02);
  EXPECT_NEAR(trees.log_odds({&low, 1}), std::log(1 / 9.0), 0.02);
}

TEST(BoostedTrees, SurviveTheirFile) {
  const LabelledTable table = made_up(500);
  const BoostedTrees trees = BoostedTrees::train(table, range(0, 500), {.trees = 20});
  const Json json = Json::parse(trees.to_json().dump());
  const BoostedTrees again = BoostedTrees::from_json(json, 4, "file");
  for (std::uint32_t i = 0; i < 500; ++i)
    EXPECT_EQ(again.log_odds(table.row(i)), trees.log_odds(table.row(i)));
}

TEST(BoostedTrees, RefuseWhatLeadsAstray) {
  const auto read = [](const std::string& trees) {
    static_cast<void>(BoostedTrees::from_json(Json::parse(R"({"base": 0, "trees": )" + trees + "}"),
                                              4, "m.json"));
  };
  read("[[[0.5]]]");
  read("[[[3, 0.5, true, 1, 2, 1.0], [0.1], [0.2]]]");
  for (const std::string bad : {"[]", "[[]]", "7", "[[[4, 0.5, true, 1, 2, 1.0], [0.1], [0.2]]]",
                                "[[[0, 0.5, true, 0, 2, 1.0], [0.1], [0.2]]]",
                                "[[[0, 0.5, true, 1, 3, 1.0], [0.1], [0.2]]]", "[[[0, 0.5]]]",
                                "[[[\"x\"]]]", "[[[-1, 0.5, true, 1, 2, 1.0], [0.1], [0.2]]]"})
    expect_error(Errc::CorruptData, {"m.json"}, [&] { read(bad); });
  LabelledTable one_kind = made_up(10);
  std::ranges::fill(one_kind.labels, 1);
  expect_error(Errc::InvalidArgument, {"one label"},
               [&] { static_cast<void>(BoostedTrees::train(one_kind, range(0, 10), {})); });
}

TEST(RankSum, IsMannWhitneys) {
  const std::vector<double> low{1, 2, 3, 4}, high{5, 6, 7, 8, 9};
  // All of them below: U is 0, its mean 10, its variance 4 * 5 * 10 / 12.
  EXPECT_NEAR(rank_sum(low, high), -10 / std::sqrt(200 / 12.0), 1e-12);
  EXPECT_NEAR(rank_sum(high, low), 10 / std::sqrt(200 / 12.0), 1e-12);
  EXPECT_EQ(rank_sum(low, {}), 0);
  EXPECT_EQ(rank_sum(std::vector<double>{3, 3}, std::vector<double>{3}), 0);
  EXPECT_NEAR(rank_sum(low, low), 0, 1e-12);
}

TEST(FilterModel, BuiltInScoresWhatItWasMadeFor) {
  const auto model = FilterModel::built_in();
  std::vector<float> features(feature_names().size(), kMissing);
  EXPECT_TRUE(std::isfinite(model->log_odds(features)));
  EXPECT_NEAR(score_of_log_odds(0), 10 * std::log10(2), 1e-9);
  EXPECT_EQ(score_of_log_odds(1e6), 99);
  EXPECT_NEAR(score_of_log_odds(-1e6), 0, 1e-9);
}

TEST(FilterModel, FilesAreCheckedBeforeTheyAreUsed) {
  const Folder folder;
  const auto path = folder.path("model.json");
  const LabelledTable table = [] {
    LabelledTable out;
    out.columns = feature_names().size();
    for (int i = 0; i < 100; ++i) {
      for (std::size_t c = 0; c < out.columns; ++c) out.values.push_back(static_cast<float>(i));
      out.labels.push_back(i > 50 ? 1 : 0);
    }
    return out;
  }();
  FilterModel(BoostedTrees::train(table, range(0, 100), {.trees = 5}), {3, 4}, Json::object())
      .save(path);
  const std::string good = read_file(path);
  const auto model = FilterModel::open(path);
  EXPECT_EQ(model->limits().indel, 4);
  EXPECT_TRUE(model->limits().pass(3.5, false));
  EXPECT_FALSE(model->limits().pass(3.5, true));
  const auto damaged = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return folder.write("bad.json", text);
  };
  for (const auto& [from, to, told] : std::vector<std::array<std::string, 3>>{
           {"aceso variant filter", "another thing", "train-filter"},
           {"\"version\":1", "\"version\":9", "version 9"},
           {"\"QUAL\"", "\"QAUL\"", "other figures"},
           {"\"snp\"", "\"snq\"", "snp"},
           {"]]]", "]]", "bad.json"}})
    expect_error(Errc::CorruptData, {"bad.json", told},
                 [&] { static_cast<void>(FilterModel::open(damaged(from, to))); });
  expect_error(Errc::NotFound, {"no.json"},
               [&] { static_cast<void>(FilterModel::open(folder.path("no.json"))); });
}

/// The SCORE of each line.
std::vector<std::string> scores_of(const std::string& vcf) {
  std::vector<std::string> out;
  std::istringstream text(vcf);
  for (std::string line; std::getline(text, line);) {
    const std::size_t at = line.find(";SCORE=");
    if (!line.starts_with('#') && at != line.npos)
      out.push_back(line.substr(at + 7, line.find('\t', at) - at - 7));
  }
  return out;
}

TEST_F(Calling, IsLearntFromAndScoredByWhatWasLearnt) {
  run.options["hard_filter"] = true;
  run.outputs = {{"variants", folder.path("hard.vcf")}};
  run_app(germline_app(), run);
  EXPECT_TRUE(scores_of(read_file(folder.path("hard.vcf"))).empty());
  // Half of the calls are told to be wrong: those in one half of the genome.
  std::string truth, line;
  for (std::istringstream text(read_file(folder.path("hard.vcf"))); std::getline(text, line);) {
    if (line.starts_with('#') || std::stoul(line.substr(line.find('\t') + 1)) < 25'000)
      truth += line + "\n";
  }
  const AppRun training{.inputs = {{"calls", {folder.path("hard.vcf")}},
                                   {"truth", {folder.write("truth.vcf", truth)}},
                                   {"reference", run.inputs["reference"]}},
                        .outputs = {{"model", folder.path("model.json")}}};
  const Json metrics = run_app(train_filter_app(), training);
  EXPECT_GT(metrics["snp"]["all"]["right"], 20U);
  EXPECT_GT(metrics["snp"]["all"]["wrong"], 20U);
  EXPECT_GE(metrics["snp"]["passed"]["f1"], metrics["snp"]["all"]["f1"]);
  run.options.erase("hard_filter");
  run.inputs["filter_model"] = {folder.path("model.json")};
  run.outputs = {{"variants", folder.path("scored.vcf")}, {"gvcf", folder.path("scored.g.vcf")}};
  run_app(germline_app(), run);
  const auto scores = scores_of(read_file(folder.path("scored.vcf")));
  EXPECT_EQ(scores.size(), metrics["examples"]);
  EXPECT_EQ(scores_of(read_file(folder.path("scored.g.vcf"))), scores);
}

TEST(TrainFilter, AsksForOneTruthEach) {
  const Folder folder;
  AppRun training{.inputs = {{"calls", {folder.write("a.vcf", ""), folder.write("b.vcf", "")}},
                             {"truth", {folder.write("t.vcf", "")}},
                             {"reference", {folder.write("r.fa", ">one\nACGT\n")}}},
                  .outputs = {{"model", folder.path("model.json")}}};
  expect_error(Errc::InvalidArgument, {"2 files of calls", "1 of truths"},
               [&] { run_app(train_filter_app(), training); });
  EXPECT_FALSE(std::filesystem::exists(folder.path("model.json")));
}

}  // namespace
}  // namespace aceso::genomics
