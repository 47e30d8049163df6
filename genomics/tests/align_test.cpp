// The app genomics align: other places, kinds of duplicates, runs that go on.
#include "align_app.hpp"
#include "calling_testing.hpp"
#include "metrics_app.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace aceso::genomics {
namespace {

class AligningFiles : public Calling {
 protected:
  AligningFiles() {
    // A stretch that stands twice, with reads of both.
    ReadMaker maker(5);
    genome.replace(200'000, 2000, genome.substr(100'000, 2000));
    write_reads(sequence(maker, {genome}, 6000));
    run.inputs["reference"] = {folder.write("twice.fa", ">one\n" + genome + "\n")};
  }

  void write_reads(const std::pair<std::string, std::string>& reads) {
    run.inputs["reads"] = {folder.write("a1.fq", reads.first)};
    run.inputs["reads2"] = {folder.write("a2.fq", reads.second)};
  }
  Json align(const std::string& name, std::map<std::string, app::Value> options) {
    run.options = std::move(options);
    run.outputs = {{"alignments", folder.path(name)}};
    return run_app(align_app(), run);
  }
  /// Lines of records, header apart.
  [[nodiscard]] std::vector<std::string> records_of(const std::string& name) const {
    std::vector<std::string> out;
    std::istringstream text(read_file(folder.path(name)));
    for (std::string line; std::getline(text, line);)
      if (!line.starts_with('@')) out.push_back(line);
    return out;
  }
  static int flags_of(const std::string& line) {
    return std::stoi(line.substr(line.find('\t') + 1));
  }

  /// Every pair of two clusters again, beside the first one or far from it, with Illumina's names.
  void name_as_illumina_and_copy() {
    std::pair<std::string, std::string> out;
    std::istringstream one(read_file(run.inputs["reads"][0])),
        two(read_file(run.inputs["reads2"][0]));
    const auto rest = [](std::istream& in) {
      std::string text, line;
      std::getline(in, line);
      for (int i = 0; i < 3 && std::getline(in, line); ++i) text += line + "\n";
      return text;
    };
    for (int i = 0; i < 600; ++i) {
      const std::string a = rest(one), b = rest(two);
      const auto add = [&](int x) {
        const std::string name =
            "@A:1:F:1:1101:" + std::to_string(x) + ":" + std::to_string(1000 + i) + "\n";
        out.first += name + a;
        out.second += name + b;
      };
      add(1000);
      if (i % 3 == 0) add(1100);  // optical
      if (i % 3 == 1) add(9000);  // not
    }
    write_reads(out);
  }
};

TEST_F(AligningFiles, SecondaryLinesComeBesideThePrimaryOnes) {
  const Json plain = align("plain.sam", {}),
             more = align("more.sam", {{"secondary", std::int64_t{2}}});
  const std::vector<std::string> lines = records_of("more.sam");
  std::vector<std::string> kept, others;
  for (const std::string& line : lines)
    ((flags_of(line) & kSecondary) != 0 ? others : kept).push_back(line);
  EXPECT_EQ(kept, records_of("plain.sam"));
  EXPECT_GT(others.size(), 40U);
  EXPECT_EQ(more["reads"]["secondary"], others.size());
  Json same = more["reads"];
  same.erase("secondary");
  EXPECT_EQ(same, plain["reads"]);
  for (const std::string& line : others) {
    EXPECT_NE(line.find("\tAS:i:"), std::string::npos);
    EXPECT_NE(line.find("\tNM:i:"), std::string::npos);
    EXPECT_EQ(line.find("\tXS:i:"), std::string::npos);
  }
}

TEST_F(AligningFiles, KindsOfDuplicatesAreCountedAndTagged) {
  name_as_illumina_and_copy();
  const Json metrics = align("tagged.sam", {{"tag_duplicates", true}});
  const Json& counts = metrics["duplicates"];
  EXPECT_EQ(counts["pairs_examined"], 1000U);
  EXPECT_EQ(counts["pairs"], 400U);
  EXPECT_EQ(counts["optical_pairs"], 200U);
  EXPECT_EQ(metrics["reads"]["duplicates"], 800U);
  std::size_t optical = 0, other = 0;
  std::vector<std::string> bare;
  for (std::string line : records_of("tagged.sam")) {
    const std::size_t at = line.find("\tDT:Z:");
    EXPECT_EQ(at != std::string::npos, (flags_of(line) & kDuplicate) != 0);
    if (at != std::string::npos) {
      (line.substr(at + 6) == "SQ" ? optical : other) += 1;
      line.resize(at);
    }
    bare.push_back(line);
  }
  EXPECT_EQ(optical, 400U);
  EXPECT_EQ(other, 400U);
  AppRun measuring;
  measuring.inputs = {{"alignments", {folder.path("tagged.sam")}},
                      {"reference", run.inputs["reference"]}};
  measuring.outputs = {{"folder", folder.path("metrics")}};
  run_app(metrics_app(), measuring);
  const std::string table = read_file(folder.path("metrics") / "duplication_metrics.txt");
  EXPECT_NE(table.find("\t1000\t"), std::string::npos) << table;
  EXPECT_NE(table.find("\t400\t200\t0.4\t" +
                       std::to_string(counts["estimated_library_size"].get<std::uint64_t>())),
            std::string::npos)
      << table;
  // Nothing else depends on the tag; without a distance none is optical.
  const Json none = align("bare.sam", {{"optical_distance", std::int64_t{0}}});
  EXPECT_EQ(records_of("bare.sam"), bare);
  EXPECT_EQ(none["duplicates"]["optical_pairs"], 0U);
  expect_error(Errc::InvalidArgument, {"tag_duplicates", "keep_duplicates_unmarked"}, [&] {
    align("x.sam", {{"tag_duplicates", true}, {"keep_duplicates_unmarked", true}});
  });
}

TEST_F(AligningFiles, GoesOnFromTheStepsThatAreThere) {
  name_as_illumina_and_copy();
  const std::map<std::string, app::Value> options = {
      {"recalibrate", true}, {"secondary", std::int64_t{1}}, {"tag_duplicates", true}};
  const Json expected = align("one.bam", options);
  // What comes behind aligning fails: the run is as if it had been cut off there.
  std::map<std::string, app::Value> resumed = options;
  resumed["resume"] = true;
  const std::filesystem::path work = folder.path("two.bam.work");
  std::filesystem::create_directory(work);
  write_file(work / "errors.json", "{}");
  expect_error(Errc::CorruptData, {"errors.json"}, [&] { align("two.bam", resumed); });
  const std::filesystem::path part = work / "part-000000";
  ASSERT_TRUE(std::filesystem::exists(part));
  const auto made = std::filesystem::last_write_time(part);
  expect_error(Errc::CorruptData, {"errors.json"}, [&] { align("two.bam", resumed); });
  EXPECT_EQ(std::filesystem::last_write_time(part), made) << "it was aligned again";
  expect_error(Errc::InvalidArgument, {"two.bam.work", "another run"},
               [&] { align("two.bam", {{"resume", true}}); });
  std::filesystem::remove(work / "errors.json");
  const Json metrics = align("two.bam", resumed);
  EXPECT_TRUE(read_file(folder.path("two.bam")) == read_file(folder.path("one.bam")));
  EXPECT_EQ(metrics["reads"], expected["reads"]);
  EXPECT_EQ(metrics["duplicates"], expected["duplicates"]);
  EXPECT_FALSE(std::filesystem::exists(work));
  run.options = resumed;
  run.outputs.clear();
  expect_error(Errc::InvalidArgument, {"alignments"}, [&] { run_app(align_app(), run); });
}

}  // namespace
}  // namespace aceso::genomics
