// Aligned reads of several files as one file.
#include "align_app.hpp"
#include "genome_testing.hpp"
#include "merge_app.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdlib>

#include <sys/resource.h>

namespace aceso::genomics {
namespace {

/// The lines of SAM behind the header.
std::string body_of(const std::string& sam) {
  std::size_t at = 0;
  while (at < sam.size() && sam[at] == '@') at = sam.find('\n', at) + 1;
  return sam.substr(at);
}

class MergeAlignments : public ::testing::Test {
 protected:
  using Paths = std::vector<std::filesystem::path>;

  Json merge(const Paths& files, const std::string& out, unsigned threads = 1) {
    AppRun run{.inputs = {{"aligned", files}},
               .outputs = {{"alignments", folder.path(out)}},
               .threads = threads};
    if (!reference.empty()) run.inputs["reference"] = {reference};
    return run_app(merge_app(), run);
  }
  std::string merged(const Paths& files) {
    metrics = merge(files, "out.sam");
    return read_file(folder.path("out.sam"));
  }

  Folder folder;
  std::filesystem::path reference;  ///< given if it is there
  Json metrics;
};

/// Single reads that pile up on a short genome, so that many begin at one place, and some that
/// belong nowhere. (Pairs would be judged by the lengths of their part's fragments.)
class MergeParts : public MergeAlignments {
 protected:
  MergeParts() {
    ReadMaker maker(31);
    const std::string one = random_genome(maker, 1500), two = random_genome(maker, 900);
    reference = folder.write("genome.fa", ">one\n" + one + "\n>two\n" + two + "\n");
    for (int i = 0; i < kReads; ++i) {
      const std::string& from = maker.below(3) == 0 ? two : one;
      std::string bases = from.substr(maker.below(from.size() - 60), 60);
      if (maker.below(2) == 0) bases = ReadMaker::reverse_complement(bases);
      if (maker.below(10) == 0) bases = random_genome(maker, 60);
      reads.push_back(fmt::format("@r{}\n{}\n+\n{}\n", i, bases, maker.qualities(60)));
    }
  }
  std::filesystem::path align(int begin, int end, const std::string& name) {
    std::string text;
    for (int i = begin; i < end; ++i) text += reads[static_cast<std::size_t>(i)];
    run_app(align_app(),
            {.inputs = {{"reads", {folder.write("part.fq", text)}}, {"reference", {reference}}},
             .outputs = {{"alignments", folder.path(name)}},
             .options = {{"keep_duplicates_unmarked", true}}});
    return folder.path(name);
  }
  Paths align_parts(const std::vector<std::string>& endings) {
    Paths out;
    const int count = static_cast<int>(endings.size());
    for (int p = 0; p < count; ++p)
      out.push_back(align(kReads * p / count, kReads * (p + 1) / count,
                          fmt::format("part{}{}", p, endings[static_cast<std::size_t>(p)])));
    return out;
  }

  static constexpr int kReads = 6000;
  std::vector<std::string> reads;
};

TEST_F(MergeParts, PartsOfTheReadsAreTheFileOfAll) {
  const std::string whole = body_of(read_file(align(0, kReads, "whole.sam")));
  const std::string out = merged(align_parts({".bam", ".sam", ".bam"}));
  EXPECT_TRUE(body_of(out) == whole);
  EXPECT_EQ(metrics["files"], 3);
  EXPECT_EQ(metrics["records"], kReads);
  EXPECT_EQ(metrics["read_groups"], 1);
  EXPECT_GT(metrics["records_without_place"], kReads / 20);
  // Without a reference, and given in another order: the same records, but not in that order.
  const Paths parts = {folder.path("part2.bam"), folder.path("part0.bam"),
                       folder.path("part1.sam")};
  reference.clear();
  const std::string other = body_of(merged(parts));
  EXPECT_FALSE(other == whole);
  const auto lines = [](const std::string& text) {
    std::vector<std::string> all;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) all.push_back(line);
    std::ranges::sort(all);
    return all;
  };
  EXPECT_TRUE(lines(other) == lines(whole));
}

TEST_F(MergeParts, BytesDoNotDependOnThreads) {
  const Paths parts = align_parts({".bam", ".cram", ".sam", ".bam"});
  for (const std::string name : {"out.bam", "out.cram"}) {
    const std::string index = name == "out.bam" ? ".bai" : ".crai";
    merge(parts, name);
    const std::string bytes = read_file(folder.path(name)),
                      places = read_file(folder.path(name + index));
    EXPECT_FALSE(places.empty());
    for (const unsigned threads : {2U, 5U}) {
      merge(parts, name, threads);
      EXPECT_TRUE(read_file(folder.path(name)) == bytes) << name << " " << threads;
      EXPECT_TRUE(read_file(folder.path(name + index)) == places) << name << " " << threads;
    }
    // What was merged can be merged again.
    EXPECT_EQ(merge({folder.path(name)}, "again.sam")["records"], kReads);
  }
}

TEST_F(MergeParts, AgreesWithSamtoolsMerge) {
  if (std::system("command -v samtools >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "samtools is not there";
  const std::string ours = body_of(merged(align_parts({".bam", ".cram", ".sam", ".bam"})));
  const std::string command = fmt::format(
      "cd {} && samtools merge -c -p -O sam --reference genome.fa theirs.sam part0.bam part1.cram "
      "part2.sam part3.bam >/dev/null 2>&1",
      folder.path("").string());
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_TRUE(ours == body_of(read_file(folder.path("theirs.sam"))));
}

TEST_F(MergeParts, AFileThatWasCutOffIsRefused) {
  const Paths parts = align_parts({".bam", ".bam"});
  const std::string bytes = read_file(parts[1]);
  for (const std::size_t size : {bytes.size() - 28, bytes.size() / 2, std::size_t{0}}) {
    folder.write("part1.bam", std::string_view(bytes).substr(0, size));
    expect_error(Errc::CorruptData, {"part1.bam"}, [&] { merge(parts, "out.bam", 2); });
  }
  EXPECT_FALSE(std::filesystem::exists(folder.path("out.bam")));
  EXPECT_FALSE(std::filesystem::exists(folder.path("out.bam.bai")));
}

TEST_F(MergeParts, CramNeedsTheReference) {
  const Paths parts = align_parts({".bam", ".cram"});
  const auto genome = std::exchange(reference, {});
  expect_error(Errc::InvalidArgument, {"part1.cram", "give reference"}, [&] { merged(parts); });
  expect_error(Errc::InvalidArgument, {"out.cram", "give reference"},
               [&] { merge({parts[0]}, "out.cram"); });
  reference = folder.write("other.fa", ">one\nACGT\n>two\nACGT\n");
  expect_error(Errc::InvalidArgument, {"part0.bam", "one", "1500", "4"}, [&] { merged(parts); });
}

/// Short files of SAM, written by hand.
class MergeHandMade : public MergeAlignments {
 protected:
  static std::string record(const std::string& name, const std::string& place,
                            const std::string& tags = "", int flags = 0) {
    return fmt::format("{}\t{}\t{}\t{}\t*\t0\t0\tACGT\tIIII{}{}\n", name, flags, place,
                       place.starts_with('*') ? "0\t*" : "9\t4M", tags.empty() ? "" : "\t", tags);
  }
  Paths write(const std::vector<std::string>& files) const {
    Paths out;
    for (std::size_t i = 0; i < files.size(); ++i)
      out.push_back(folder.write(std::string(1, static_cast<char>('a' + i)) + ".sam", files[i]));
    return out;
  }
  std::string merged(const std::vector<std::string>& files) {
    return MergeAlignments::merged(write(files));
  }

  const std::string kContigs = "@SQ\tSN:two\tLN:90\n@SQ\tSN:one\tLN:80\n";
};

TEST_F(MergeHandMade, TiesGoByStrandThenFileThenOrderInIt) {
  const std::string a = record("a1", "two\t5", "", 16) + record("a2", "two\t5") +
                        record("a3", "one\t7") + record("a4", "*\t0", "", 4);
  const std::string b = record("b1", "two\t5") + record("b2", "two\t5", "", 16) +
                        record("b3", "two\t90") + record("b4", "*\t0", "", 4);
  const std::string out = merged({kContigs + a, kContigs + b});
  std::string names;
  std::istringstream lines(body_of(out));
  for (std::string line; std::getline(lines, line);) names += line.substr(0, 2) + " ";
  // (a1 keeps a2 waiting: within a file nothing changes places.)
  EXPECT_EQ(names, "b1 a1 a2 b2 b3 a3 a4 b4 ");
  EXPECT_TRUE(out.starts_with("@HD\tVN:1.6\tSO:coordinate\n" + kContigs + "@PG\tID:aceso\tPN:"));
}

TEST_F(MergeHandMade, ReadGroupsAndProgramsKeepTheirReads) {
  const std::string programs = "@PG\tID:sort\tPP:map\n@PG\tID:map\tCL:x\n";
  const std::string a = kContigs + "@RG\tID:1\tSM:s\tPG:map\n" + programs + "@CO\thello\n";
  const std::string same = kContigs + "@RG\tPG:map\tSM:s\tID:1\n" + programs + "@CO\thello\n";
  const std::string other = kContigs + "@RG\tID:1\tSM:t\tPG:map\n@RG\tID:2\tSM:t\n" +
                            "@PG\tID:map\tCL:y\n@PG\tID:sort\tPP:map\n@CO\tbye\n";
  const std::string tags = "RG:Z:1\tPG:Z:sort\tXY:i:3";
  const std::string out =
      merged({a + record("r", "one\t1", tags), same + record("s", "one\t2", tags),
              other + record("t", "one\t3", tags) + record("u", "one\t4", "RG:Z:2")});
  EXPECT_EQ(metrics["read_groups"], 3);
  EXPECT_EQ(metrics["read_groups_renamed"], 1);
  EXPECT_TRUE(contains(out,
                       "@RG\tID:1\tSM:s\tPG:map\n@RG\tID:1-2\tSM:t\tPG:map-2\n@RG\tID:2\tSM:t\n"
                       "@PG\tID:map\tCL:x\n@PG\tID:sort\tPP:map\n"
                       "@PG\tID:map-2\tCL:y\n@PG\tID:sort-2\tPP:map-2\n"
                       "@PG\tID:aceso\tPP:sort\tPN:aceso"));
  EXPECT_TRUE(contains(out, "@PG\tID:aceso-2\tPP:sort-2\tPN:aceso"));
  EXPECT_TRUE(contains(out, "\n@CO\thello\n@CO\tbye\n"));
  EXPECT_TRUE(contains(out, "IIII\tRG:Z:1\tPG:Z:sort\tXY:i:3\ns\t0"));
  EXPECT_TRUE(contains(out, "IIII\tRG:Z:1\tPG:Z:sort\tXY:i:3\nt\t0"));
  EXPECT_TRUE(contains(out, "IIII\tRG:Z:1-2\tPG:Z:sort-2\tXY:i:3\nu\t0"));
  EXPECT_TRUE(out.ends_with("IIII\tRG:Z:2\n"));
  // A circle of programs is no reason to go round for ever.
  EXPECT_TRUE(contains(merged({kContigs + "@PG\tID:x\tPP:y\n@PG\tID:y\tPP:x\n"}), "@PG\tID:x"));
}

TEST_F(MergeHandMade, ReadGroupsThatNobodyDeclares) {
  const std::string good = kContigs + "@RG\tID:1\tSM:s\n";
  const std::string out = merged({good, kContigs + record("r", "one\t1", "RG:Z:2")});
  EXPECT_TRUE(contains(out, "RG:Z:2\n"));
  expect_error(Errc::CorruptData, {"b.sam", "record 1", "read group 1", "@RG"},
               [&] { merged({good, kContigs + record("r", "one\t1", "RG:Z:1")}); });
  expect_error(Errc::CorruptData, {"a.sam", "two lines @RG", "ID 1"},
               [&] { merged({good + "@RG\tID:1\tSM:t\n"}); });
}

TEST_F(MergeHandMade, DefectsAreNamed) {
  const std::string good = kContigs + record("r", "one\t5");
  const auto refused = [&](const std::vector<std::string>& parts, const std::string& other) {
    std::vector<std::string> all = {"b.sam"};
    all.insert(all.end(), parts.begin(), parts.end());
    expect_error(Errc::CorruptData, all, [&] { merged({good, other}); });
  };
  refused({"record 2", "sorted"}, good + record("s", "one\t4"));
  refused({"record 2", "sorted"}, good + record("s", "two\t9"));
  refused({"record 2", "sorted"}, kContigs + record("s", "*\t0", "", 4) + record("t", "one\t9"));
  refused({"contig 1", "one of 80", "two of 90"}, "@SQ\tSN:one\tLN:80\n@SQ\tSN:two\tLN:90\n");
  refused({"contig 2", "one of 81", "one of 80"}, "@SQ\tSN:two\tLN:90\n@SQ\tSN:one\tLN:81\n");
  refused({"1 contigs", "has 2", "no contig one"}, "@SQ\tSN:two\tLN:90\n");
  refused({"3 contigs", "no contig x"}, kContigs + "@SQ\tSN:x\tLN:7\n");
  refused({"neither BAM"}, "something else\n");
  refused({"record 1"}, kContigs + "r\t0\tone\t1\t9\t9M\t*\t0\t0\tACGT\tIIII\n");
  const std::string md5 = "@SQ\tSN:two\tLN:90\tM5:", last = "\n@SQ\tSN:one\tLN:80\n";
  expect_error(Errc::CorruptData, {"c.sam", "two", "MD5", "bb", "aa"},
               [&] { merged({good, md5 + "aa" + last, md5 + "bb" + last}); });
  EXPECT_FALSE(std::filesystem::exists(folder.path("out.sam")));
}

TEST_F(MergeHandMade, WrongQuestionsAreAnswered) {
  const Paths files = write({kContigs, kContigs});
  expect_error(Errc::InvalidArgument, {"a.sam", "twice"},
               [&] { merge({files[0], files[1], files[0]}, "out.bam"); });
  expect_error(Errc::InvalidArgument, {"out.txt", ".bam"}, [&] { merge(files, "out.txt"); });
  expect_error(Errc::InvalidArgument, {"pieces", "aligned"},
               [&] { run_app(merge_app(), {.inputs = {}, .outputs = {}}); });
  expect_error(Errc::InvalidArgument, {"a.sam", "aligned"},
               [&] { run_app(merge_app(), {.inputs = {{"pieces", {files[0]}}}, .outputs = {}}); });
  expect_error(Errc::InvalidArgument, {"variants", "pieces"}, [&] {
    run_app(merge_app(),
            {.inputs = {{"aligned", files}}, .outputs = {{"variants", folder.path("x.vcf")}}});
  });
  expect_error(Errc::NotFound, {"none.bam"}, [&] { merge({folder.path("none.bam")}, "out.bam"); });
}

// Only with many blocks: htslib with several threads chose how to pack them by who came first.
TEST_F(MergeHandMade, LongCramDoesNotDependOnThreads) {
  ReadMaker maker(77);
  reference = folder.write("genome.fa", ">one\n" + random_genome(maker, 200'000) + "\n");
  std::string sam = "@SQ\tSN:one\tLN:200000\n";
  for (std::size_t i = 0; i < 150'000; ++i)
    sam +=
        fmt::format("r{}\t0\tone\t{}\t{}\t20M\t*\t0\t0\t{}\t{}\tAS:i:{}\n", maker.below(999'999),
                    i + 1, maker.below(60), maker.bases(20), maker.qualities(20), maker.below(150));
  const Paths file = {folder.write("long.sam", sam)};
  merge(file, "one.cram");
  const std::string bytes = read_file(folder.path("one.cram"));
  for (const unsigned threads : {2U, 8U}) {
    merge(file, "more.cram", threads);
    EXPECT_TRUE(read_file(folder.path("more.cram")) == bytes) << threads;
  }
}

TEST_F(MergeHandMade, MoreFilesThanMayBeOpenIsSaidAtOnce) {
  Paths paths;
  for (int i = 0; i < 300; ++i)
    paths.push_back(
        folder.write(fmt::format("{}.sam", i), kContigs + record(fmt::format("r{}", i), "one\t5")));
  EXPECT_EQ(merge(paths, "out.sam")["records"], 300);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit few{256, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  expect_error(Errc::OutOfResources, {"300 files", "256", "ulimit"},
               [&] { merge(paths, "out.sam"); });
  EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace aceso::genomics
