// Training with the built program: killed at any moment, shared by two processes, without its
// plugin.

#include "support.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <thread>

namespace aceso::tests {
namespace {
namespace fs = std::filesystem;

class TrainingScenario : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(fs::path(ACESO_PROGRAM).parent_path().parent_path() / "lib" /
                    "libaceso_training.so"))
      GTEST_SKIP() << "the training plugin is not built";
    std::string text;
    unsigned state = 1;
    for (int i = 0; i < 80; ++i) {
      text += fmt::format(">p{}\n", i);
      for (int r = 0; r < 40; ++r) {
        state = state * 1664525U + 1013904223U;
        text += "ACDEFGHIKLMNPQRSTVWY"[(state >> 16U) % 20];
      }
      text += "\n";
    }
    write_file(place("p.fasta"), text);
  }

  [[nodiscard]] std::string place(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  [[nodiscard]] std::vector<std::string> command(const std::string& output,
                                                 std::vector<std::string> more = {}) const {
    std::vector<std::string> words{ACESO_PROGRAM,
                                   "proteins",
                                   "train",
                                   "--sequences",
                                   place("p.fasta"),
                                   "--layers",
                                   "1",
                                   "--hidden",
                                   "32",
                                   "--heads",
                                   "2",
                                   "--steps",
                                   "150",
                                   "--warmup-steps",
                                   "5",
                                   "--max-length",
                                   "64",
                                   "--micro-batches",
                                   "2",
                                   "--micro-batch-tokens",
                                   "512",
                                   "--json",
                                   "--evaluate-every",
                                   "40",
                                   "--patience",
                                   "3",
                                   "--held-out",
                                   "0.1",
                                   "--output",
                                   place(output)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  [[nodiscard]] std::string weights(const std::string& model) const {
    return read_file(fs::path(place(model)) / "weights.safetensors");
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(TrainingScenario, KilledAgainAndAgainItEndsWithTheSameBytes) {
  ASSERT_EQ(run(command("whole")).exit_code, 0);
  const std::vector<std::string> resuming =
      command("killed", {"--checkpoint", place("state"), "--checkpoint-every", "4", "--resume"});
  Ended ended;
  int kills = 0;
  for (int tenths = 10; tenths < 600; tenths += 2) {
    std::vector<std::string> limited{"timeout", "-s", "KILL",
                                     fmt::format("{}.{}", tenths / 10, tenths % 10)};
    limited.insert(limited.end(), resuming.begin(), resuming.end());
    ended = run(limited);
    if (ended.exit_code == 0) break;
    EXPECT_EQ(ended.exit_code, 128 + 9);
    // A model is there only whole: the last kill may have come behind its last step.
    if (fs::exists(place("killed"))) {
      EXPECT_EQ(weights("whole"), weights("killed"));
    }
    ++kills;
    // Enough of them; the rest may run to its end.
    if (kills == 6) {
      ended = run(resuming);
      break;
    }
  }
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_GT(kills, 0);
  EXPECT_EQ(weights("whole"), weights("killed"));
}

TEST_F(TrainingScenario, TwoProcessesGiveWhatOneGives) {
  ASSERT_EQ(run(command("alone")).exit_code, 0);
  const std::string launch = "export WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=29731 RANK=";
  Ended first, second;
  {
    const std::jthread other([&] { second = run(command("shared"), launch + "1;"); });
    first = run(command("shared"), launch + "0;");
  }
  ASSERT_EQ(first.exit_code, 0) << first.err;
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(weights("alone"), weights("shared"));
  EXPECT_NE(first.out.find("rank 0 of 2 computes on the CPU; gradients are added up by Gloo"),
            std::string::npos)
      << first.out << first.err;
}

TEST_F(TrainingScenario, KilledProcessesWithAShardedOptimiserEndWithTheSameBytes) {
  ASSERT_EQ(run(command("alone")).exit_code, 0);
  const std::string launch = "export WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=29733 RANK=";
  const std::vector<std::string> training = command(
      "shared",
      {"--shard-optimizer", "--checkpoint", place("state"), "--checkpoint-every", "4", "--resume"});
  const auto both = [&](std::vector<std::string> words) {
    words.insert(words.end(), training.begin(), training.end());
    const std::jthread other([&, words] { (void)run(words, launch + "1;"); });
    return run(words, launch + "0;").exit_code;
  };
  const int cut_off = both({"timeout", "-s", "KILL", "3"});
  EXPECT_TRUE(cut_off == 0 || cut_off == 128 + 9) << cut_off;
  EXPECT_EQ(both({}), 0);
  EXPECT_EQ(weights("alone"), weights("shared"));
}

TEST_F(TrainingScenario, WithoutThePluginTheMessageSaysWhatIsMissing) {
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

TEST_F(TrainingScenario, AnEnvironmentThatMakesNoSenseIsAMistakeOfUse) {
  const Ended ended = run(command("none"), "export RANK=3 WORLD_SIZE=2;");
  EXPECT_EQ(ended.exit_code, 2);
  EXPECT_NE(ended.err.find("rank 3 of 2"), std::string::npos) << ended.err;
  const Ended local = run(command("none"), "export RANK=0 WORLD_SIZE=2 LOCAL_RANK=first;");
  EXPECT_EQ(local.exit_code, 2);
  EXPECT_NE(local.err.find("LOCAL_RANK: expected a whole number, found \"first\""),
            std::string::npos)
      << local.err;
}

}  // namespace
}  // namespace aceso::tests
