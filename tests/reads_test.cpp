// `genomics reads` through the command and through a run's folder, as the hub runs it.

#include "support.hpp"

#include <gtest/gtest.h>

namespace aceso::tests {
namespace {
namespace fs = std::filesystem;

std::string reads(int count, int mate) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    std::string bases;
    for (int k = 0; k < 100; ++k) bases += "ACGT"[(i * 7 + k * k * (mate + 1) + k / 3) % 4];
    text += "@read" + std::to_string(i) + "/" + std::to_string(mate) + "\n" + bases + "\n+\n" +
            std::string(100, 'I') + "\n";
  }
  return text;
}

class ReadsTest : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const {
    return (folder_.path() / name).string();
  }
  std::string file(const std::string& name, std::string_view content) const {
    write_file(path(name), content);
    return path(name);
  }
  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator{}));
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(ReadsTest, ARunFolderGetsTheOutputsThatMakeSense) {
  file("r1.fastq", reads(50, 1));
  file("r2.fastq", reads(50, 2));
  const auto run_job = [&](const std::string& inputs, const std::string& options) {
    fs::remove_all(path("outputs"));
    file("job.json", R"({"app":"genomics reads","inputs":)" + inputs + R"(,"options":)" + options +
                         R"(,"folder":"."})");
    const Ended ended =
        run({ACESO_PROGRAM, "run", "job.json"}, "cd " + folder_.path().string() + ";");
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    std::string names;
    for (const char* name : {"reads_1.fastq.gz", "reads_2.fastq.gz", "report.html"})
      names += fs::exists(folder_.path() / "outputs" / name) ? "1" : "0";
    return names;
  };
  EXPECT_EQ(run_job(R"({"reads":"r1.fastq"})", "{}"), "101");
  EXPECT_EQ(run_job(R"({"reads":"r1.fastq","reads2":"r2.fastq"})", "{}"), "111");
  EXPECT_EQ(run_job(R"({"reads":"r1.fastq"})", R"({"interleaved":false})"), "101");
}

TEST_F(ReadsTest, TheSameBytesForAnyNumberOfThreads) {
  const auto r1 = file("r1.fastq", reads(5000, 1)), r2 = file("r2.fastq", reads(5000, 2));
  std::string first;
  for (const char* threads : {"1", "2", "4"}) {
    const Ended ended = run({ACESO_PROGRAM, "genomics", "reads", "--reads", r1, "--reads2", r2,
                             "--output", path("o1.fastq.gz"), "--output2", path("o2.fastq.gz"),
                             "--threads", threads, "--json", "--no-report"});
    ASSERT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(ended.json()["metrics"]["reads"]["before"], 10000);
    const std::string bytes = read_file(path("o1.fastq.gz")) + read_file(path("o2.fastq.gz"));
    if (first.empty()) first = bytes;
    EXPECT_EQ(bytes == first, true) << threads;
  }
}

TEST_F(ReadsTest, BadInputNamesFileAndRecordAndLeavesNothing) {
  const auto bad = file("bad.fastq", reads(3, 1) + "@read3/1\nACGT\n+\nIII\n");
  const Ended ended =
      run({ACESO_PROGRAM, "genomics", "reads", "--reads", bad, "--output", path("o.fastq.gz")});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_NE(ended.err.find("bad.fastq: record 4"), std::string::npos) << ended.err;
  EXPECT_EQ(entries(), 1U);
}

TEST_F(ReadsTest, KilledAtAnyMomentLeavesNoOutputUnderItsName) {
  const auto r1 = file("r1.fastq", reads(200'000, 1));
  for (int i = 0; i < 20; ++i) {
    const std::string delay =
        "0." + std::string(i % 10 < 5 ? "0" : "1") + std::to_string(10 + 4 * i);
    const Ended ended = run({ACESO_PROGRAM, "genomics", "reads", "--reads", r1, "--output",
                             path("o.fastq.gz"), "--no-report"},
                            "(sleep " + delay + "; kill -9 $$) &");
    if (ended.exit_code == 0)
      EXPECT_EQ(run({"gzip", "-t", path("o.fastq.gz")}).exit_code, 0);
    else
      EXPECT_FALSE(fs::exists(path("o.fastq.gz")));
    fs::remove(path("o.fastq.gz"));
  }
}

}  // namespace
}  // namespace aceso::tests
