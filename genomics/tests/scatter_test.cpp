// A genome in pieces, called one by one, and put together again.
#include "scatter.hpp"

#include "align_app.hpp"
#include "calling_testing.hpp"
#include "germline_app.hpp"
#include "merge_app.hpp"
#include "packed_record.hpp"
#include "scatter_app.hpp"

#include <nlohmann/json.hpp>

namespace aceso::genomics {
namespace {

/// Every base of the regions is in one piece, in order; returns the bases of each that are no N.
std::vector<std::uint64_t> sizes_of(const Reference& reference, const BedRegions& regions,
                                    const std::vector<ScatterPiece>& pieces) {
  std::vector<std::vector<BedInterval>> joined(reference.contigs().size());
  std::vector<std::uint64_t> out;
  for (const ScatterPiece& piece : pieces) {
    std::uint64_t known = 0;
    for (const auto& [contig, interval] : piece.intervals) {
      EXPECT_LT(interval.begin, interval.end);
      for (std::uint32_t at = interval.begin; at < interval.end; ++at)
        known += reference.codes(contig)[at] < kCodeN ? 1 : 0;
      auto& list = joined[contig];
      if (!list.empty() && list.back().end == interval.begin)
        list.back().end = interval.end;
      else
        list.push_back(interval);
    }
    EXPECT_EQ(known, piece.bases);
    out.push_back(known);
  }
  for (std::uint32_t c = 0; c < joined.size(); ++c) {
    EXPECT_EQ(joined[c].size(), regions.of(c).size());
    for (std::size_t i = 0; i < std::min(joined[c].size(), regions.of(c).size()); ++i) {
      EXPECT_EQ(joined[c][i].begin, regions.of(c)[i].begin);
      EXPECT_EQ(joined[c][i].end, regions.of(c)[i].end);
    }
  }
  return out;
}

TEST(Scatter, PiecesAreTheWholeAndOfOneSize) {
  const Folder folder;
  ReadMaker maker(41);
  std::string one = random_genome(maker, 90'000);
  one.replace(30'000, 5'000, 5'000, 'N');
  one.replace(0, 1'000, 1'000, 'N');
  const auto owned = reference_of(
      folder, {{"one", one}, {"two", random_genome(maker, 41'000)}, {"three", "ACGT"}});
  const Reference& reference = owned->reference;
  const BedRegions whole(reference);
  std::vector<std::vector<BedInterval>> some(3);
  for (std::uint32_t at = 100; at < 80'000; at += 700) some[0].push_back({at, at + 150});
  some[1] = {{5, 6}, {1000, 30'000}};
  const BedRegions targets(some);
  for (const BedRegions* regions : {&whole, &targets}) {
    for (const std::size_t count : {1U, 2U, 3U, 7U, 50U, 1000U}) {
      const auto pieces = scatter(reference, *regions, count);
      ASSERT_EQ(pieces.size(), count);
      const auto sizes = sizes_of(reference, *regions, pieces);
      std::uint64_t all = 0;
      for (const std::uint64_t size : sizes) all += size;
      const double each = static_cast<double>(all) / static_cast<double>(count);
      for (const std::uint64_t size : sizes) {
        EXPECT_GE(static_cast<double>(size), 0.9 * each - 1);
        EXPECT_LE(static_cast<double>(size), 1.1 * each + 1);
      }
    }
  }
  expect_error(Errc::InvalidArgument, {"5 pieces", "4 known bases"},
               [&] { static_cast<void>(scatter(reference, BedRegions({{}, {}, {{0, 4}}}), 5)); });
}

TEST(Scatter, CutsStandWhereNothingIsNear) {
  const Folder folder;
  ReadMaker maker(42);
  // A run of N a little beside the middle, then a border of contigs.
  std::string one = random_genome(maker, 60'000);
  one.replace(29'000, 400, 400, 'N');
  const auto runs = reference_of(folder, {{"one", one}});
  const auto halves = scatter(runs->reference, BedRegions(runs->reference), 2);
  EXPECT_EQ(halves[0].intervals.back().interval.end, 29'200U);
  const auto contigs = reference_of(
      folder, {{"one", random_genome(maker, 30'100)}, {"two", random_genome(maker, 29'900)}});
  const auto whole = scatter(contigs->reference, BedRegions(contigs->reference), 2);
  EXPECT_EQ(whole[0].bases, 30'100U);
  // Else where a bucket ends.
  const std::uint32_t border = (1U << kBucketBits) - kContigGap;
  const auto buckets = reference_of(folder, {{"one", random_genome(maker, 2 * border + 9'000)}});
  const auto called = scatter(buckets->reference, BedRegions(buckets->reference), 2);
  EXPECT_EQ(called[0].intervals.back().interval.end, border);
}

class Scattered : public Calling {
 protected:
  Scattered() : Calling(14'000) {
    AppRun aligning = run;
    aligning.outputs = {{"alignments", folder.path("reads.bam")}};
    run_app(align_app(), aligning);
    run.inputs.erase("reads");
    run.inputs.erase("reads2");
    run.inputs["aligned"] = {folder.path("reads.bam")};
  }
  Json merge(const std::vector<std::filesystem::path>& pieces, const std::string& out) {
    return run_app(merge_app(),
                   {.inputs = {{"pieces", pieces}}, .outputs = {{"variants", folder.path(out)}}});
  }

  const std::map<std::string, std::string> kOutputs = {{"variants", ".vcf.gz"}, {"gvcf", ".g.vcf"}};
};

TEST_F(Scattered, PiecesMergedAreOnePass) {
  for (const auto& [name, ending] : kOutputs) run.outputs[name] = folder.path("whole" + ending);
  run_app(germline_app(), run);
  run_app(scatter_app(),
          {.inputs = {{"reference", run.inputs["reference"]}},
           .outputs = {{"output", folder.path("pieces")}, {"list", folder.path("pieces.json")}},
           .options = {{"pieces", std::int64_t{3}}}});
  const Json told = parse_json(read_file(folder.path("pieces.json")), "pieces.json");
  ASSERT_EQ(told["pieces"].size(), 3U);
  std::map<std::string, std::vector<std::filesystem::path>> pieces;
  for (const std::string number : {"0003", "0001", "0002"}) {  // (any order)
    run.inputs["regions"] = {folder.path("pieces") / (number + ".bed")};
    for (const auto& [name, ending] : kOutputs) {
      run.outputs[name] = folder.path(number + ending);
      pieces[name].push_back(run.outputs[name]);
    }
    run_app(germline_app(), run);
  }
  for (const auto& [name, ending] : kOutputs) {
    const Json metrics = merge(pieces[name], "merged" + ending);
    EXPECT_EQ(metrics["repeated"], 0);
    EXPECT_GT(metrics["records"], 50);
    EXPECT_TRUE(read_file(folder.path("merged" + ending)) ==
                read_file(folder.path("whole" + ending)))
        << name;
  }
  EXPECT_TRUE(std::filesystem::exists(folder.path("merged.vcf.gz.tbi")));
}

/// Small files of calls, written by hand.
class Merge : public ::testing::Test {
 protected:
  static std::string head(const std::string& contigs = kContigs, const std::string& sample = "a") {
    return "##fileformat=VCFv4.2\n" + contigs +
           "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + sample + "\n";
  }
  static std::string line(const std::string& contig, int position, const std::string& other = "C") {
    return contig + "\t" + std::to_string(position) + "\t.\tA\t" + other +
           "\t50\tPASS\tDP=9\tGT\t0/1\n";
  }
  std::string merged(const std::vector<std::string>& files) {
    AppRun run{.inputs = {}, .outputs = {{"variants", folder.path("out.vcf")}}};
    for (std::size_t i = 0; i < files.size(); ++i)
      run.inputs["pieces"].push_back(
          folder.write(std::string(1, static_cast<char>('a' + i)) + ".vcf", files[i]));
    repeated = run_app(merge_app(), run)["repeated"].get<int>();
    return read_file(folder.path("out.vcf"));
  }

  inline static const std::string kContigs =
      "##contig=<ID=two,length=900>\n##contig=<ID=one,length=900>\n";
  Folder folder;
  int repeated = 0;
};

TEST_F(Merge, GoesByTheOrderOfContigs) {
  EXPECT_EQ(merged({head() + line("one", 5) + line("one", 7), head(), head() + line("two", 800)}),
            head() + line("two", 800) + line("one", 5) + line("one", 7));
  EXPECT_EQ(merged({head(), head()}), head());
}

TEST_F(Merge, WhatTwoTellIsToldOnce) {
  const std::string a = line("one", 5) + line("one", 7), b = line("one", 9, "G") + line("one", 9);
  EXPECT_EQ(merged({head() + b + line("one", 12), head() + a + b}),
            head() + a + b + line("one", 12));
  EXPECT_EQ(repeated, 2);
  // One that lies within another.
  EXPECT_EQ(merged({head() + a + b, head() + line("one", 7)}), head() + a + b);
  EXPECT_EQ(repeated, 1);
}

TEST_F(Merge, OverlapsAreRefused) {
  const std::string first = head() + line("one", 5) + line("one", 9);
  expect_error(Errc::CorruptData, {"a.vcf", "record 2", "b.vcf", "record 1", "overlaps"},
               [&] { merged({first, head() + line("one", 7)}); });
  expect_error(Errc::CorruptData, {"record 2", "overlaps"},
               [&] { merged({first, head() + line("one", 9, "T")}); });
  EXPECT_FALSE(std::filesystem::exists(folder.path("out.vcf")));
}

TEST_F(Merge, HeadersMustAgree) {
  const std::string good = head() + line("one", 5);
  expect_error(Errc::CorruptData, {"b.vcf", "contigs", "a.vcf"},
               [&] { merged({good, head("##contig=<ID=one,length=900>\n")}); });
  expect_error(Errc::CorruptData, {"b.vcf", "samples", "a.vcf"},
               [&] { merged({good, head(kContigs, "b")}); });
  expect_error(Errc::CorruptData, {"a.vcf", "no contigs"}, [&] { merged({head("")}); });
  expect_error(Errc::CorruptData, {"a.vcf", "record 1", "does not declare"},
               [&] { merged({head() + line("three", 5)}); });
  expect_error(Errc::CorruptData, {"a.vcf", "record 2", "declares later"},
               [&] { merged({head() + line("one", 5) + line("two", 5)}); });
  // What only one of them declares is kept.
  const std::string filter = "##FILTER=<ID=LowQual,Description=\"low\">\n";
  EXPECT_EQ(merged({good, head(filter + kContigs) + line("one", 8)}),
            head(kContigs + filter) + line("one", 5) + line("one", 8));
}

}  // namespace
}  // namespace aceso::genomics
