// Runs in steps: cut off and resumed, and shared by shards.
#include "steps.hpp"

#include "align_app.hpp"
#include "calling_testing.hpp"
#include "germline_app.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace aceso::genomics {
namespace {

class Steps : public Calling {
 protected:
  Steps() : Calling(14'000) {
    outputs = {{"variants", "calls.vcf.gz"}, {"gvcf", "calls.g.vcf"}, {"alignments", "reads.bam"}};
  }

  /// Runs with these options; outputs get the prefix. Returns the metrics.
  Json run_with(std::map<std::string, app::Value> options, const std::string& prefix, bool write) {
    AppRun now = run;
    now.options = std::move(options);
    if (now.options.contains("step")) now.outputs["work"] = folder.path("work");
    if (write) {
      for (const auto& [name, file] : outputs) now.outputs[name] = folder.path(prefix + file);
    }
    return run_app(germline_app(), now, &sections);
  }

  /// The plots of the last run's report.
  [[nodiscard]] Json plots() const {
    Json out = Json::array();
    for (const Json& section : sections) {
      for (const Json& block : section["blocks"]) {
        if (block.contains("series")) out.push_back(block);
      }
    }
    return out;
  }

  /// Compares with a run in one pass.
  void expect_same(const std::string& prefix, const Json& metrics) {
    const Json drawn = plots();
    const Json expected_metrics = run_with({}, "one-", true);
    EXPECT_EQ(drawn, plots());
    EXPECT_GE(drawn.size(), 8U);
    for (const auto& [name, file] : outputs)
      EXPECT_TRUE(read_file(folder.path(prefix + file)) == read_file(folder.path("one-" + file)))
          << name;
    EXPECT_EQ(metrics["variants"], expected_metrics["variants"]);
    EXPECT_EQ(metrics["reads"], expected_metrics["reads"]);
  }

  Json step(const std::string& name, const std::string& shard, bool write = false) {
    return run_with({{"step", name}, {"shard", shard}}, "two-", write);
  }

  std::map<std::string, std::string> outputs;
  Json sections;
};

TEST_F(Steps, ShardsTogetherWriteTheSameBytes) {
  step("align", "2/2");
  expect_error(Errc::NotFound, {"work", "not all reads"}, [&] { step("call", "1/2"); });
  step("align", "1/2");
  step("call", "1/2");
  // Two buckets are one piece, which is the first shard's; nothing is left for the second one.
  step("call", "2/2");
  expect_same("two-", step("merge", "1/1", true));
  EXPECT_FALSE(std::filesystem::exists(folder.path("work")));
}

TEST_F(Steps, GoOnFromWhatIsThere) {
  step("align", "1/1");
  const auto part = folder.path("work") / "part-000000";
  const auto made = std::filesystem::last_write_time(part);
  step("align", "1/1");
  EXPECT_EQ(std::filesystem::last_write_time(part), made);
  expect_error(Errc::NotFound, {"work", "not all pieces"}, [&] { step("merge", "1/1", true); });
  // As if the run with --resume had been killed here, while it wrote another part.
  write_file(folder.path("work") / ".part-000001.ab12.part", "half");
  std::filesystem::rename(folder.path("work"), folder.path("two-calls.vcf.gz.work"));
  expect_same("two-", run_with({{"resume", true}}, "two-", true));
  EXPECT_FALSE(std::filesystem::exists(folder.path("two-calls.vcf.gz.work")));
}

TEST_F(Steps, StepsOfAnotherRunAreNotTaken) {
  step("align", "1/1");
  AppRun other = run;
  other.options = {{"step", std::string("call")}, {"pass_quality", 30.0}};
  other.outputs = {{"work", folder.path("work")}};
  expect_error(Errc::InvalidArgument, {"work", "another run"},
               [&] { run_app(germline_app(), other); });
  // What another shard has just begun is no reason to refuse.
  std::filesystem::create_directory(folder.path("begun"));
  folder.write("begun/.job.json.ab12.part", "");
  other.options = {{"step", std::string("align")}};
  other.outputs = {{"work", folder.path("begun")}};
  run_app(germline_app(), other);
  std::filesystem::create_directory(folder.path("full"));
  folder.write("full/letter.txt", "mine");
  other.outputs = {{"work", folder.path("full")}};
  expect_error(Errc::InvalidArgument, {"full", "empty folder"},
               [&] { run_app(germline_app(), other); });
  EXPECT_TRUE(std::filesystem::exists(folder.path("full/letter.txt")));
}

TEST_F(Steps, DamagedPartsAreRefused) {
  step("align", "1/1");
  const auto part = folder.path("work") / "part-000000";
  const std::string good = read_file(part);
  for (std::string bad : {std::string(), good.substr(0, 40), good.substr(0, good.size() - 1),
                          good.substr(8), good + "x"}) {
    write_file(part, bad);
    expect_error(Errc::CorruptData, {"part-000000"}, [&] { step("call", "1/1"); });
  }
  // Places out of the file: the last entry stands in front of the tail.
  std::string far = good;
  std::fill(far.end() - 120, far.end() - 88, '\xff');
  write_file(part, far);
  expect_error(Errc::CorruptData, {"part-000000"}, [&] { step("call", "1/1"); });
}

TEST_F(Steps, AskForWhatTheyNeed) {
  AppRun now = run;
  now.options = {{"shard", std::string("1/2")}};
  expect_error(Errc::InvalidArgument, {"align", "call"}, [&] { run_app(germline_app(), now); });
  now.options = {{"step", std::string("align")}};
  expect_error(Errc::InvalidArgument, {"work"}, [&] { run_app(germline_app(), now); });
  now.options = {{"resume", true}};
  expect_error(Errc::InvalidArgument, {"variants"}, [&] { run_app(germline_app(), now); });
}

TEST_F(Steps, AlignedReadsAreCalledInShards) {
  AppRun aligning = run;
  aligning.options = {{"sample", std::string("anna")}};
  aligning.outputs = {{"alignments", folder.path("reads.bam")}};
  run_app(align_app(), aligning);
  run.inputs.erase("reads");
  run.inputs.erase("reads2");
  run.inputs["aligned"] = {folder.path("reads.bam")};
  outputs.erase("alignments");
  expect_error(Errc::InvalidArgument, {"aligned already", "call"}, [&] { step("align", "1/1"); });
  step("call", "2/2");
  expect_error(Errc::NotFound, {"work", "not all pieces"}, [&] { step("merge", "1/1", true); });
  step("call", "1/2");
  const Json metrics = step("merge", "1/1", true);
  const Json drawn = plots();
  const Json expected = run_with({}, "one-", true);
  EXPECT_EQ(drawn, plots());
  EXPECT_EQ(metrics["variants"], expected["variants"]);
  for (const auto& [name, file] : outputs)
    EXPECT_TRUE(read_file(folder.path("two-" + file)) == read_file(folder.path("one-" + file)))
        << name;
  EXPECT_NE(read_file(folder.path("two-calls.g.vcf")).find("FORMAT\tanna\n"), std::string::npos);
}

TEST(Share, IsReadAsPeopleWriteIt) {
  EXPECT_EQ(share_of("2/4").index, 1U);
  EXPECT_EQ(share_of("2/4").count, 4U);
  for (const std::string bad : {"", "0/4", "5/4", "2", "2/", "/4", "a/b", "2/4x", "-1/4", "1/0"})
    expect_error(Errc::InvalidArgument, {"shard", "I/N"},
                 [&] { static_cast<void>(share_of(bad)); });
  std::vector<int> done(100);
  for (const std::string shard : {"1/3", "2/3", "3/3"}) {
    const Share share = share_of(shard);
    for (std::uint64_t s = 0; s < done.size(); ++s) done[s] += share.owns(s) ? 1 : 0;
  }
  EXPECT_EQ(std::ranges::count(done, 1), 100);
}

}  // namespace
}  // namespace aceso::genomics
