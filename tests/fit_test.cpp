// `molecules fit` with the built program: killed and gone on with, without its plugin, and on a
// public data set where it is at hand.

#include "support.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace aceso::tests {
namespace {
namespace fs = std::filesystem;

class FitScenario : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(fs::path(ACESO_PROGRAM).parent_path().parent_path() / "lib" /
                    "libaceso_training.so"))
      GTEST_SKIP() << "the training plugin is not built";
  }

  [[nodiscard]] std::string place(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  /// Alkanes, alcohols and their chlorides, whose value is their number of atoms.
  void write_table() const {
    std::string text = "smiles,atoms\n";
    for (std::size_t length = 1; length <= 40; ++length) {
      const std::string chain(length, 'C');
      text += fmt::format("{},{}\nO{},{}\nCl{},{}\n", chain, length, chain, length + 1, chain,
                          length + 1);
    }
    write_file(place("table.csv"), text);
  }

  [[nodiscard]] std::vector<std::string> command(const std::string& output,
                                                 const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words{
        ACESO_PROGRAM, "molecules",  "fit",     "--molecules",  place("table.csv"),
        "--targets",   "atoms",      "--split", "random",       "--ensemble",
        "2",           "--hidden",   "64",      "--epochs",     "20",
        "--dropout",   "0.1",        "--json",  "--batch-size", "16",
        "--output",    place(output)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  [[nodiscard]] std::string weights(const std::string& model) const {
    return read_file(fs::path(place(model)) / "weights.safetensors");
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(FitScenario, KilledAgainAndAgainItEndsWithTheSameBytes) {
  write_table();
  ASSERT_EQ(run(command("whole")).exit_code, 0);
  const std::vector<std::string> resuming = command(
      "killed",
      {"--checkpoint", place("state"), "--checkpoint-every", "3", "--resume", "--threads", "2"});
  Ended ended;
  int kills = 0;
  for (int tenths = 8; tenths < 600 && kills < 5; tenths += 2) {
    std::vector<std::string> limited{"timeout", "-s", "KILL",
                                     fmt::format("{}.{}", tenths / 10, tenths % 10)};
    limited.insert(limited.end(), resuming.begin(), resuming.end());
    ended = run(limited);
    if (ended.exit_code == 0) break;
    EXPECT_EQ(ended.exit_code, 128 + 9);
    ++kills;
  }
  if (ended.exit_code != 0) ended = run(resuming);
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_GT(kills, 0);
  EXPECT_EQ(weights("whole"), weights("killed"));
}

TEST_F(FitScenario, WithoutThePluginTheMessageSaysWhatIsMissing) {
  write_table();
  const fs::path copy = folder_.path() / "bin" / "aceso";
  fs::create_directories(copy.parent_path());
  fs::copy_file(ACESO_PROGRAM, copy);
  std::vector<std::string> words = command("none");
  words.front() = copy.string();
  const Ended ended = run(words);
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_NE(ended.err.find("training needs the plugin libaceso_training.so"), std::string::npos)
      << ended.err;
}

TEST_F(FitScenario, LearnsSolubilityOfThePublicSet) {
  const fs::path data = shared_data("biomol/molecules/moleculenet/delaney-processed.csv");
  if (data.empty()) GTEST_SKIP() << "shared/data/biomol is not beside this checkout";
  const Ended ended =
      run({ACESO_PROGRAM, "molecules", "fit", "--molecules", data.string(), "--targets",
           "measured log solubility in mols per litre", "--hidden", "64", "--epochs", "8", "--name",
           "solubility", "--json", "--output", place("model"), "--report", place("report.html")});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  const Json metrics = ended.json().at("metrics");
  EXPECT_EQ(metrics["molecules"]["train"], 902);
  const Json test = metrics["test"]["targets"]["measured log solubility in mols per litre"];
  EXPECT_LT(test["rmse"].get<double>(), 0.75 * test["rmse_of_training_mean"].get<double>()) << test;
}

}  // namespace
}  // namespace aceso::tests
