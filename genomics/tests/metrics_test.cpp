#include "align_app.hpp"
#include "genome_testing.hpp"
#include "het_sensitivity.hpp"
#include "metric_tables.hpp"
#include "metrics_app.hpp"
#include "metrics_window.hpp"

#include <htslib/sam.h>

#include <fmt/format.h>
#include <cmath>
#include <map>
#include <set>

namespace aceso::genomics {
namespace {

TEST(Histogram, TellsWhatTheNumbersSay) {
  Histogram h;
  for (const std::uint64_t value : {1, 2, 2, 3, 1'000'000}) h.add(value);
  EXPECT_EQ(h.count(), 5U);
  EXPECT_EQ(h.median(), 2);
  EXPECT_EQ(h.mode(), 2U);
  EXPECT_EQ(h.median_absolute_deviation(), 1);
  EXPECT_EQ(h.minimum(), 1U);
  EXPECT_EQ(h.maximum(), 1'000'000U);
  EXPECT_EQ(h.count_from(3), 2U);
  EXPECT_EQ(h.percentile(0.2), 1U);
  EXPECT_EQ(h.percentile(0.21), 2U);
  h.trim(10);
  EXPECT_EQ(h.mean(), 2);
  EXPECT_NEAR(h.standard_deviation(), std::sqrt(2.0 / 3), 1e-12);
  EXPECT_EQ(h.median(), 2);
  Histogram even;
  even.add(10);
  even.add(13);
  EXPECT_EQ(even.median(), 11.5);
  EXPECT_EQ(Histogram().median(), 0);
}

TEST(HetSensitivity, IsTheChanceOfEnoughReads) {
  std::vector<std::uint64_t> qualities(64, 0);
  qualities[30] = 1000;
  // At depth 10 the sum must reach 60.1, that is three reads of ten.
  Histogram ten;
  ten.add(10);
  double expected = 0;
  for (int m = 3; m <= 10; ++m)
    expected += std::tgamma(11) / std::tgamma(m + 1) / std::tgamma(11 - m) / 1024;
  EXPECT_NEAR(het_snp_sensitivity(ten, qualities), expected, 1e-9);
  Histogram none;
  none.add(0, 5);
  EXPECT_EQ(het_snp_sensitivity(none, qualities), 0);
}

TEST(LibrarySize, SolvesItsEquation) {
  const auto size = library_size(1'000'000, 900'000);
  ASSERT_TRUE(size);
  const auto x = static_cast<double>(*size);
  EXPECT_NEAR(900'000 / x, 1 - std::exp(-1'000'000 / x), 1e-6);
  EXPECT_FALSE(library_size(100, 100));
}

/// A reference of 400 bases with ten N, and records that one can count by hand.
class HandMade : public ::testing::Test {
 protected:
  HandMade() {
    ReadMaker maker(5);
    genome = random_genome(maker, 400);
    genome.replace(0, 10, std::string(10, 'N'));
    folder.write("genome.fa", ">one\n" + genome + "\n>two\n" + random_genome(maker, 50) + "\n");
  }

  [[nodiscard]] std::string bases(std::size_t at, std::size_t length) const {
    return genome.substr(at, length);
  }

  static std::string line(const std::string& name, int flag, std::size_t at, int quality,
                          const std::string& cigar, std::size_t mate, int size,
                          const std::string& sequence, char base_quality = 'I') {
    return fmt::format("{}\t{}\tone\t{}\t{}\t{}\t=\t{}\t{}\t{}\t{}\n", name, flag, at + 1, quality,
                       cigar, mate + 1, size, sequence, std::string(sequence.size(), base_quality));
  }

  Json measure(const std::string& records, const std::string& regions = {}) {
    AppRun run;
    run.inputs = {{"alignments",
                   {folder.write("in.sam",
                                 "@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:one\tLN:400\n"
                                 "@SQ\tSN:two\tLN:50\n@RG\tID:a\tLB:lib\tSM:s\n" +
                                     records)}},
                  {"reference", {folder.path("genome.fa")}}};
    if (!regions.empty()) run.inputs["regions"] = {folder.write("targets.bed", regions)};
    run.outputs = {{"folder", folder.path("out")}, {"metrics", folder.path("metrics.json")}};
    summary = run_app(metrics_app(), run);
    return Json::parse(read_file(folder.path("metrics.json")));
  }

  /// A pair that overlaps by 10 bases, a duplicate of it, one of poor quality places, one alone,
  /// one of poor bases.
  [[nodiscard]] std::string usual() const {
    std::string mismatch = bases(100, 50);
    mismatch[7] = mismatch[7] == 'A' ? 'C' : 'A';
    return line("a", 99, 100, 60, "50M", 140, 90, mismatch) +
           line("dup", 99 + 1024, 100, 60, "50M", 140, 90, bases(100, 50)) +
           line("a", 147, 140, 60, "20M2D30M", 100, -92, bases(140, 20) + bases(162, 30)) +
           line("dup", 147 + 1024, 140, 60, "50M", 100, -90, bases(140, 50)) +
           line("poor", 0, 200, 3, "40M", 0, 0, bases(200, 40)) +
           line("alone", 0, 210, 60, "10S30M", 0, 0, std::string(10, 'T') + bases(210, 30)) +
           line("bad", 99, 300, 60, "20M", 330, 50, bases(300, 20), '#') +
           line("bad", 147, 330, 60, "20M", 300, -50, bases(330, 20));
  }

  Folder folder;
  std::string genome;
  Json summary;  ///< of the last run
};

TEST_F(HandMade, CoverageIsWhatOneCounts) {
  const Json metrics = measure(usual());
  const Json& c = metrics["coverage"];
  EXPECT_EQ(c["GENOME_TERRITORY"], 440);  // 450 bases less ten N
  // a: 50 + 50 - 10 of overlap; bad: its second read only.
  const double depth = 90 + 20, all = depth + 100 + 40 + 30 + 20 + 10;
  EXPECT_NEAR(c["MEAN_COVERAGE"], depth / 440, 1e-12);
  EXPECT_NEAR(c["PCT_EXC_DUPE"], 100 / all, 1e-12);
  EXPECT_NEAR(c["PCT_EXC_MAPQ"], 40 / all, 1e-12);
  EXPECT_NEAR(c["PCT_EXC_UNPAIRED"], 30 / all, 1e-12);
  EXPECT_NEAR(c["PCT_EXC_BASEQ"], 20 / all, 1e-12);
  EXPECT_NEAR(c["PCT_EXC_OVERLAP"], 10 / all, 1e-12);
  EXPECT_NEAR(c["PCT_1X"], 110.0 / 440, 1e-12);
  EXPECT_EQ(c["PCT_5X"], 0);
  EXPECT_EQ(summary["coverage"]["MEAN_COVERAGE"], c["MEAN_COVERAGE"]);
}

TEST_F(HandMade, AlignmentsFragmentsAndDuplicatesToo) {
  const Json metrics = measure(usual());
  ASSERT_EQ(metrics["alignment"].size(), 4U);
  const Json &pair = metrics["alignment"][2], &unpaired = metrics["alignment"][3];
  EXPECT_EQ(pair["TOTAL_READS"], 6);
  EXPECT_EQ(pair["PF_ALIGNED_BASES"], 240);
  EXPECT_NEAR(pair["PF_MISMATCH_RATE"], 1.0 / 240, 1e-12);
  EXPECT_NEAR(pair["PF_INDEL_RATE"], 1.0 / 240, 1e-12);
  EXPECT_EQ(pair["STRAND_BALANCE"], 0.5);
  EXPECT_EQ(unpaired["TOTAL_READS"], 2);
  EXPECT_EQ(unpaired["PF_HQ_ALIGNED_READS"], 1);
  EXPECT_EQ(unpaired["PCT_SOFTCLIP"], 10.0 / 80);
  // Of each pair the second read, duplicates left out.
  EXPECT_EQ(metrics["insert_size"]["READ_PAIRS"], 2);
  EXPECT_EQ(metrics["insert_size"]["PAIR_ORIENTATION"], "FR");
  EXPECT_EQ(metrics["insert_size"]["MEDIAN_INSERT_SIZE"], (92 + 50) / 2.0);
  EXPECT_EQ(metrics["duplicates"]["LIBRARY"], "lib");
  EXPECT_EQ(metrics["duplicates"]["READ_PAIRS_EXAMINED"], 3);
  EXPECT_EQ(metrics["duplicates"]["READ_PAIR_DUPLICATES"], 1);
  EXPECT_NEAR(metrics["duplicates"]["PERCENT_DUPLICATION"], 2.0 / 8, 1e-12);
}

TEST_F(HandMade, TargetsCountWhatLiesOnThem) {
  const Json metrics = measure(usual(), "one\t90\t110\none\t390\t400\n");
  const Json& t = metrics["targets"];
  EXPECT_EQ(t["TARGET_TERRITORY"], 30);
  EXPECT_EQ(t["ON_TARGET_BASES"], 10);
  EXPECT_NEAR(t["MEAN_TARGET_COVERAGE"], 10.0 / 30, 1e-12);
  EXPECT_EQ(t["ZERO_CVG_TARGETS_PCT"], 0.5);
  EXPECT_EQ(t["ON_BAIT_BASES"], 20);  // duplicates as well
  EXPECT_EQ(t["OFF_BAIT_BASES"], 0);  // all lie within 250 bases
  EXPECT_FALSE(measure(usual()).contains("targets"));
}

TEST_F(HandMade, FilesAreOfPicardsFormat) {
  measure(usual(), "one\t90\t110\n");
  const std::string text = read_file(folder.path("out") / "wgs_metrics.txt");
  EXPECT_TRUE(contains(text, "# CollectWgsMetrics INPUT=in.sam\n"));
  EXPECT_TRUE(contains(text, "\n## METRICS CLASS\tpicard.analysis.WgsMetrics\nGENOME_TERRITORY\t"));
  EXPECT_TRUE(contains(text, "\n440\t0.25\t"));
  EXPECT_TRUE(contains(text, "\ncoverage\thigh_quality_coverage_count\n0\t330\n1\t110\n2\t0\n"));
  for (const char* name :
       {"alignment_summary_metrics.txt", "insert_size_metrics.txt", "gc_bias_detail_metrics.txt",
        "gc_bias_summary_metrics.txt", "duplication_metrics.txt", "quality_by_cycle_metrics.txt",
        "quality_distribution_metrics.txt", "hs_metrics.txt"})
    EXPECT_TRUE(std::filesystem::exists(folder.path("out") / name)) << name;
}

TEST_F(HandMade, DefectsAreNamed) {
  const auto refuses = [this](const std::string& records, const std::string& part) {
    try {
      measure(records);
      ADD_FAILURE() << "expected: " << part;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Errc::CorruptData);
      EXPECT_TRUE(contains(error.what(), part));
    }
  };
  const std::string two = line("late", 0, 200, 60, "10M", 0, 0, bases(200, 10)) +
                          line("early", 0, 100, 60, "10M", 0, 0, bases(100, 10));
  refuses(two, "record 2 (early, one:101): comes after one:201; expected records sorted");
  refuses(line("end", 0, 395, 60, "10M", 0, 0, bases(100, 10)),
          "ends behind the contig's last base");
  refuses("broken\t0\tone\n", "record 1 cannot be read");
}

TEST_F(HandMade, NothingInIsNothingOut) {
  const Json metrics = measure("");
  EXPECT_EQ(summary["records"], 0);
  EXPECT_EQ(metrics["coverage"]["MEAN_COVERAGE"], 0);
  AppRun run;
  run.inputs = {{"alignments", {folder.write("empty.bam", "")}},
                {"reference", {folder.path("genome.fa")}}};
  EXPECT_THROW(run_app(metrics_app(), run), Error);
}

TEST_F(HandMade, AnotherReferenceIsRefused) {
  AppRun run;
  run.inputs = {{"alignments", {folder.write("in.sam", "@SQ\tSN:one\tLN:400\n")}},
                {"reference", {folder.write("other.fa", ">one\nACGT\n")}}};
  try {
    run_app(metrics_app(), run);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_TRUE(contains(error.what(), "contig one has 400 bases, in the reference 4"));
  }
}

/// Simulated pairs of two contigs, aligned by us.
class Aligned : public ::testing::Test {
 protected:
  Aligned() {
    ReadMaker maker(31);
    const std::string genome = random_genome(maker, 30'000);
    const auto [one, two] = sequence(maker, {genome, genome}, 4'000, 100);
    AppRun align;
    align.inputs = {{"reads", {folder.write("1.fq", one)}},
                    {"reads2", {folder.write("2.fq", two)}},
                    {"reference", {folder.write("genome.fa", ">one\n" + genome + "\n")}}};
    for (const char* name : {"reads.bam", "reads.cram"}) {
      align.outputs = {{"alignments", folder.path(name)}};
      run_app(align_app(), align);
    }
  }

  Json measure(const std::string& name, unsigned threads = 1) {
    AppRun run;
    run.inputs = {{"alignments", {folder.path(name)}},
                  {"reference", {folder.path("genome.fa")}},
                  {"regions", {folder.write("t.bed", "one\t1000\t2000\none\t5000\t5001\n")}}};
    run.outputs = {{"metrics", folder.path("metrics.json")}};
    run.threads = threads;
    return run_app(metrics_app(), run);
  }

  /// Depth by a name set at each place: slow and obvious.
  [[nodiscard]] std::map<std::uint64_t, std::uint64_t> slow_depths() const {
    const std::string path = folder.path("reads.bam").string();
    samFile* file = sam_open(path.c_str(), "r");
    sam_hdr_t* header = sam_hdr_read(file);
    bam1_t* record = bam_init1();
    std::vector<std::set<std::string>> names(30'000);
    while (sam_read1(file, header, record) >= 0) {
      const int left_out = BAM_FUNMAP | BAM_FDUP | BAM_FSECONDARY | BAM_FMUNMAP;
      if ((record->core.flag & left_out) != 0 || record->core.qual < 20) continue;
      for_each_block(*record, [&](std::uint32_t, std::uint32_t place, std::uint32_t length) {
        for (std::uint32_t i = 0; i < length; ++i) names[place + i].insert(bam_get_qname(record));
      });
    }
    bam_destroy1(record);
    sam_hdr_destroy(header);
    sam_close(file);
    std::map<std::uint64_t, std::uint64_t> out;
    for (const auto& here : names) ++out[here.size()];
    return out;
  }

  Folder folder;
};

TEST_F(Aligned, DepthIsThatOfTheObviousWay) {
  AppRun run;
  run.inputs = {{"alignments", {folder.path("reads.bam")}},
                {"reference", {folder.path("genome.fa")}}};
  run.outputs = {{"folder", folder.path("out")}};
  run_app(metrics_app(), run);
  std::istringstream text(read_file(folder.path("out") / "wgs_metrics.txt"));
  std::string line;
  while (std::getline(text, line) && !line.starts_with("coverage\t")) {
  }
  const auto expected = slow_depths();
  std::uint64_t rows = 0;
  for (std::uint64_t depth = 0, count = 0; text >> depth >> count; ++rows) {
    const auto found = expected.find(depth);
    EXPECT_EQ(count, found == expected.end() ? 0 : found->second) << depth;
  }
  EXPECT_EQ(rows, 251U);
}

TEST_F(Aligned, IsTheSameForAnyThreadsAndForCram) {
  measure("reads.bam");
  const std::string one = read_file(folder.path("metrics.json"));
  measure("reads.bam", 3);
  EXPECT_EQ(read_file(folder.path("metrics.json")), one);
  measure("reads.cram");
  EXPECT_EQ(read_file(folder.path("metrics.json")), one);
}

TEST_F(Aligned, ATruncatedFileIsRefused) {
  const std::string whole = read_file(folder.path("reads.bam"));
  folder.write("cut.bam", whole.substr(0, whole.size() / 2));
  for (const unsigned threads : {1U, 3U}) EXPECT_THROW(measure("cut.bam", threads), Error);
  // Only the end marker is missing: a warning.
  folder.write("unended.bam", whole.substr(0, whole.size() - 28));
  EXPECT_NO_THROW(measure("unended.bam", 3));
}

}  // namespace
}  // namespace aceso::genomics
