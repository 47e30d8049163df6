// Base qualities: the model, the sites left out, and what align and germline make of them.
#include "recalibration.hpp"

#include "align_app.hpp"
#include "alignment_file.hpp"
#include "calling_testing.hpp"
#include "germline_app.hpp"
#include "variable_sites.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace aceso::genomics {
namespace {

BaseCovariates base(std::uint8_t quality, std::uint32_t cycle, std::uint8_t context) {
  return {quality, context, cycle};
}

TEST(Recalibration, ChangesNothingWithoutCounts) {
  const Recalibration none{ErrorTable()};
  for (std::uint8_t q = kLeastRecalibrated; q < 61; ++q)
    EXPECT_EQ(none.quality(base(q, 7, 3)), q) << int{q};
}

TEST(Recalibration, FindsTheRatesThatErrorsWereDrawnWith) {
  // Quality 35 stands for 28; cycle 5 is worse by 3, context 2 by 4 phreds.
  const auto truth = [](std::uint32_t cycle, std::uint8_t context) {
    return 28.0 - (cycle == 5 ? 3 : 0) - (context == 2 ? 4 : 0);
  };
  ErrorTable table;
  constexpr std::uint64_t kBases = 200'000;
  for (std::uint32_t cycle = 0; cycle < 20; ++cycle) {
    for (std::uint8_t context = 0; context < 16; ++context) {
      const auto errors = static_cast<std::uint64_t>(
          std::llround(kBases * std::pow(10.0, -truth(cycle, context) / 10)));
      for (std::uint64_t i = 0; i < kBases; ++i) table.add(base(35, cycle, context), i < errors);
    }
  }
  const Recalibration model(table);
  for (const std::uint32_t cycle : {0U, 5U, 19U}) {
    for (const std::uint8_t context : {std::uint8_t{0}, std::uint8_t{2}, std::uint8_t{15}})
      EXPECT_NEAR(model.quality(base(35, cycle, context)), truth(cycle, context), 1)
          << cycle << " " << int{context};
  }
  EXPECT_GT(quality_error(model.before()), 6);
  EXPECT_LT(quality_error(model.after()), 0.6);
  // What was never seen is shifted as the rest is: about 7 phreds.
  EXPECT_NEAR(model.quality(base(25, 0, 0)), 18, 1.5);
}

TEST(Recalibration, LeavesQualitiesThatAreRightWhereTheyAre) {
  ReadMaker maker(8);
  ErrorTable table;
  constexpr std::uint64_t kBases = 3'000'000;
  for (std::uint64_t i = 0; i < kBases; ++i)
    table.add(base(20, static_cast<std::uint32_t>(maker.below(100)),
                   static_cast<std::uint8_t>(maker.below(16))),
              maker.below(100) == 0);
  const QualityCounts after = Recalibration(table).after();
  EXPECT_GT(after[20].bases, kBases * 99 / 100);
}

TEST(Recalibration, ReadGroupsDoNotSpeakForEachOther) {
  ErrorTable table;
  constexpr int kBases = 1'000'000;
  for (const std::uint16_t group : {std::uint16_t{0}, std::uint16_t{2}}) {
    BaseCovariates one = base(30, 4, 3);
    one.group = group;
    for (int i = 0; i < kBases; ++i) table.add(one, i % (group == 0 ? 100 : 1000) == 0);
  }
  const Recalibration model(ErrorTable::from_json(table.to_json(), "x"));
  const auto quality = [&](std::uint16_t group) {
    BaseCovariates one = base(30, 4, 3);
    one.group = group;
    return int{model.quality(one)};
  };
  EXPECT_EQ(quality(0), 20);
  EXPECT_EQ(quality(2), 30);
  // Of these nothing was seen.
  EXPECT_EQ(quality(1), 30);
  EXPECT_EQ(quality(3), 30);
}

TEST(Recalibration, FewBasesDoNotOverrule) {
  ErrorTable table;
  for (int i = 0; i < 100; ++i) table.add(base(30, 0, 0), false);
  table.add(base(30, 1, 0), true);
  const Recalibration model(table);
  // All bases of that cycle were wrong; its one error is as good as nothing.
  EXPECT_NEAR(model.quality(base(30, 1, 0)), 29, 1);
}

TEST(ErrorTable, ComesBackFromJson) {
  ErrorTable table;
  ReadMaker maker(3);
  for (int i = 0; i < 1000; ++i)
    table.add(base(static_cast<std::uint8_t>(6 + maker.below(60)),
                   static_cast<std::uint32_t>(maker.below(1000)),
                   static_cast<std::uint8_t>(maker.below(17))),
              maker.below(3) == 0);
  const Json json = table.to_json();
  EXPECT_EQ(ErrorTable::from_json(json, "x").to_json(), json);
  for (const Json& bad :
       {Json(), Json({{"format", "other"}}),
        Json({{"format", "aceso base errors 2"}, {"cells", 3}}),
        Json({{"format", "aceso base errors 2"}, {"cells", {{99, 1, 1, 1, 1, 0}}}}),
        Json({{"format", "aceso base errors 2"}, {"cells", {{30, 1, 1, 1, 2, 0}}}}),
        Json({{"format", "aceso base errors 2"}, {"cells", {{30, 1, 1, 1, -1, 0}}}})})
    expect_error(Errc::CorruptData, {"errors.json"},
                 [&] { static_cast<void>(ErrorTable::from_json(bad, "errors.json")); });
}

/// Reads whose qualities promise too much: all are 40, but errors follow place and context.
class Recalibrating : public Calling {
 protected:
  Recalibrating() : Calling(0) {}

  void make_reads(int pairs) {
    ReadMaker maker(77);
    const std::vector<std::string> haplotypes = {haplotype_of(genome, changes, 0),
                                                 haplotype_of(genome, changes, 1)};
    std::string first, second;
    for (int i = 0; i < pairs; ++i) {
      const std::string& from = haplotypes[maker.below(2)];
      std::string fragment = from.substr(maker.below(from.size() - 400), 400);
      if (maker.below(2) == 0) fragment = ReadMaker::reverse_complement(fragment);
      const std::string name = "@r" + std::to_string(i) + "\n", end = "\n+\n" + qualities() + "\n";
      first += name + erring(maker, fragment.substr(0, 150)) + end;
      second += name + erring(maker, ReadMaker::reverse_complement(fragment).substr(0, 150)) + end;
    }
    run.inputs["reads"] = {folder.write("bad1.fq", first)};
    run.inputs["reads2"] = {folder.write("bad2.fq", second)};
  }

  /// Two qualities by turns, one of them right.
  static std::string qualities() {
    std::string out(150, 'I');
    for (std::size_t i = 0; i < out.size(); i += 3) out[i] = '5';  // 20
    return out;
  }
  /// Of a base in sequencing order, per 10,000.
  static std::uint64_t rate(std::string_view read, std::size_t i) {
    if (i % 3 == 0) return 100;  // as reported
    return 20 + (i > 100 ? 60U : 0U) + (i > 0 && read[i - 1] == 'G' && read[i] == 'G' ? 150U : 0U);
  }
  static std::string erring(ReadMaker& maker, const std::string& read) {
    std::string out = read;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (maker.below(10'000) >= rate(read, i)) continue;
      while (out[i] == read[i]) out[i] = "ACGT"[maker.below(4)];
    }
    return out;
  }

  void give_aligned(const std::filesystem::path& file) {
    run.inputs.erase("reads");
    run.inputs.erase("reads2");
    run.inputs["aligned"] = {file};
  }
  /// The lines of a VCF file behind its header.
  static std::string body_of(const std::string& vcf) {
    return vcf.substr(vcf.find('\n', vcf.find("\n#CHROM") + 1) + 1);
  }

  /// Columns of the records of a SAM file.
  static std::vector<std::vector<std::string>> records_of(const std::string& sam) {
    std::vector<std::vector<std::string>> out;
    std::istringstream text(sam);
    for (std::string line; std::getline(text, line);) {
      if (line.starts_with('@')) continue;
      out.emplace_back();
      std::istringstream fields(line);
      for (std::string field; std::getline(fields, field, '\t');) out.back().push_back(field);
    }
    return out;
  }
};

TEST_F(Recalibrating, QualitiesComeNearTheErrors) {
  make_reads(20'000);
  run.outputs = {{"alignments", folder.path("plain.sam")}};
  run_app(align_app(), run);
  run.options = {{"recalibrate", true}, {"original_qualities", true}};
  run.outputs = {{"alignments", folder.path("better.sam")}};
  const Json metrics = run_app(align_app(), run)["recalibration"];
  EXPECT_GT(metrics["distance_before"], 8);
  EXPECT_LT(metrics["distance_after"], 0.7);
  EXPECT_GT(metrics["bases"], 4'000'000U);

  const auto plain = records_of(read_file(folder.path("plain.sam")));
  const auto better = records_of(read_file(folder.path("better.sam")));
  ASSERT_EQ(plain.size(), better.size());
  // The truth is known of each base: mean promised error against the rates drawn with.
  double promised[2] = {}, true_errors = 0;
  for (std::size_t r = 0; r < plain.size(); ++r) {
    std::vector<std::string> back = better[r];
    ASSERT_TRUE(back.back().starts_with("OQ:Z:"));
    EXPECT_EQ(back.back().substr(5), plain[r][10]);
    back.pop_back();
    back[10] = plain[r][10];
    ASSERT_EQ(back, plain[r]);  // nothing else has changed
    const bool reversed = (std::stoi(plain[r][1]) & kReversed) != 0;
    const std::string read = reversed ? ReadMaker::reverse_complement(plain[r][9]) : plain[r][9];
    for (std::size_t i = 0; i < read.size(); ++i) {
      const std::size_t at = reversed ? read.size() - 1 - i : i;
      if (plain[r][10][at] == '5') continue;
      true_errors += static_cast<double>(rate(read, i)) / 10'000;
      promised[0] += std::pow(10.0, -(plain[r][10][at] - '!') / 10.0);
      promised[1] += std::pow(10.0, -(better[r][10][at] - '!') / 10.0);
    }
  }
  EXPECT_LT(promised[0], 0.1 * true_errors);
  EXPECT_NEAR(promised[1] / true_errors, 1, 0.15);
}

TEST_F(Recalibrating, IsTheSameForAnyThreadsMemoryAndShards) {
  make_reads(14'000);
  const std::map<std::string, app::Value> wanted = {{"recalibrate", true}};
  std::string calls, alignments;
  for (const auto& [threads, memory] :
       std::vector<std::pair<unsigned, std::int64_t>>{{1, 1 << 30}, {3, 8 << 20}}) {
    run.options = wanted;
    run.options["memory"] = memory;
    run.threads = threads;
    run.outputs = {{"variants", folder.path("calls.vcf")}, {"alignments", folder.path("all.bam")}};
    run_app(germline_app(), run);
    if (calls.empty()) {
      calls = read_file(folder.path("calls.vcf"));
      alignments = read_file(folder.path("all.bam"));
    }
    EXPECT_TRUE(read_file(folder.path("calls.vcf")) == calls);
    EXPECT_TRUE(read_file(folder.path("all.bam")) == alignments);
  }
  const auto step = [&](const std::string& name, const std::string& shard, bool write) {
    AppRun now = run;
    now.options = wanted;
    now.options["step"] = name;
    now.options["shard"] = shard;
    now.outputs = {{"work", folder.path("work")}};
    if (write) {
      now.outputs["variants"] = folder.path("steps.vcf");
      now.outputs["alignments"] = folder.path("steps.bam");
    }
    run_app(germline_app(), now);
  };
  step("align", "2/2", false);
  step("align", "1/2", false);
  step("call", "1/2", false);
  const std::filesystem::path errors = folder.path("work") / "errors.json";
  const std::string kept = read_file(errors);
  write_file(errors, "{}");
  expect_error(Errc::CorruptData, {"errors.json"}, [&] { step("call", "2/2", false); });
  std::filesystem::remove(errors);
  step("call", "2/2", false);
  EXPECT_TRUE(read_file(errors) == kept);
  step("merge", "1/1", true);
  EXPECT_TRUE(read_file(folder.path("steps.vcf")) == calls);
  EXPECT_TRUE(read_file(folder.path("steps.bam")) == alignments);
  EXPECT_FALSE(std::filesystem::exists(folder.path("work")));
}

TEST_F(Recalibrating, SaysWhatItCannotDo) {
  make_reads(10);
  run.options = {{"original_qualities", true}};
  run.outputs = {{"alignments", folder.path("a.bam")}};
  expect_error(Errc::InvalidArgument, {"original_qualities", "recalibrate"},
               [&] { run_app(align_app(), run); });
  run.options = {{"recalibrate", true}, {"original_qualities", true}};
  run.outputs = {{"variants", folder.path("a.vcf")}};
  give_aligned(folder.write("a.sam", "@SQ\tSN:one\tLN:270000\n"));
  expect_error(Errc::InvalidArgument, {"original_qualities", "alignments"},
               [&] { run_app(germline_app(), run); });
}

TEST_F(Recalibrating, AlignedReadsAreCalledAsReadsAre) {
  make_reads(14'000);
  run.options = {{"recalibrate", true}};
  run.outputs = {{"variants", folder.path("calls.vcf")}};
  const Json expected = run_app(germline_app(), run);
  const std::string calls = read_file(folder.path("calls.vcf"));
  AppRun aligning = run;
  aligning.options.clear();
  for (const std::string name : {"a.cram", "a.bam"}) {
    aligning.outputs = {{"alignments", folder.path(name)}};
    run_app(align_app(), aligning);
  }
  run_app(germline_app(), [&] {
    AppRun plain = run;
    plain.options.clear();
    return plain;
  }());
  ASSERT_FALSE(read_file(folder.path("calls.vcf")) == calls);  // (it matters)
  for (const std::string name : {"a.cram", "a.bam"}) {
    give_aligned(folder.path(name));
    const Json metrics = run_app(germline_app(), run);
    EXPECT_EQ(metrics["recalibration"], expected["recalibration"]) << name;
    EXPECT_TRUE(read_file(folder.path("calls.vcf")) == calls) << name;
  }
  // In steps, and by regions: the whole file tells of qualities.
  for (const std::string shard : {"2/2", "1/2"}) {
    AppRun step = run;
    step.outputs = {{"work", folder.path("work")}};
    step.options.insert({{"step", std::string("call")}, {"shard", shard}});
    run_app(germline_app(), step);
  }
  run.outputs["work"] = folder.path("work");
  run_app(germline_app(), run);
  EXPECT_TRUE(read_file(folder.path("calls.vcf")) == calls);
  run.outputs.erase("work");
  std::string pieces;
  for (const std::string region : {"0\t30000", "30000\t270000"}) {
    run.inputs["regions"] = {folder.write("some.bed", "one\t" + region + "\n")};
    EXPECT_EQ(run_app(germline_app(), run)["recalibration"], expected["recalibration"]);
    pieces += body_of(read_file(folder.path("calls.vcf")));
  }
  EXPECT_TRUE(pieces == body_of(calls));
}

/// The read groups of the records of a file, with its name for them.
std::vector<int> groups_in(const Folder& folder, const std::string& header, bool wanted) {
  const auto owned = reference_of(folder, {{"one", std::string(100, 'A')}});
  std::string sam = "@SQ\tSN:one\tLN:100\n" + header;
  for (const std::string tags : {"\tXY:i:4\tRG:Z:y", "\tRG:Z:x", "", "\tRG:Z:z"})
    sam += "r\t0\tone\t9\t60\t5M\t*\t0\t0\tACGTA\tIIIII" + tags + "\n";
  Warnings warnings;
  AlignmentFile file(
      folder.write("groups.sam", sam), owned->reference, warnings,
      {.sample = {}, .threads = 1, .scratch = folder.path(""), .only = {}, .read_groups = wanted});
  std::vector<int> out;
  for (RecordBatch batch; file.next(batch); batch = {}) {
    for (std::size_t at = 0; at < batch.bytes.size();) {
      const auto& record = *reinterpret_cast<const PackedRecord*>(batch.bytes.data() + at);
      EXPECT_EQ(RecordBases(record).covariates(4).quality, 'I' - '!');
      out.push_back(RecordBases(record).covariates(4).group);
      at += record.size;
    }
  }
  return out;
}

TEST(ReadGroups, AreToldApartWhereThereAreSeveral) {
  const Folder folder;
  const std::string x = "@RG\tID:x\tSM:s\n", y = "@RG\tID:y\tSM:s\n";
  EXPECT_EQ(groups_in(folder, x + y, true), (std::vector<int>{1, 0, 2, 2}));
  EXPECT_EQ(groups_in(folder, x + y, false), (std::vector<int>{0, 0, 0, 0}));
  EXPECT_EQ(groups_in(folder, x, true), (std::vector<int>{0, 0, 0, 0}));
}

/// Reads of one place, put together by hand.
class Sites : public ::testing::Test {
 protected:
  Sites() : genome(random_genome(maker, 400)), reference(reference_of(folder, {{"one", genome}})) {}

  /// A read of `letters` at a place of the contig, with this CIGAR.
  static void add(std::size_t at, const std::string& letters,
                  const std::vector<std::uint32_t>& cigar, VariableSites& sites) {
    sites.add(HandRecord(kContigGap + static_cast<std::uint32_t>(at), letters, cigar).record());
  }
  [[nodiscard]] static bool tells(const VariableSites& sites, std::size_t at) {
    return sites.tells_errors(kContigGap + static_cast<std::uint32_t>(at));
  }

  Folder folder;
  ReadMaker maker{4};
  std::string genome;
  std::shared_ptr<const OwnedReference> reference;
};

TEST_F(Sites, AreToldByAgreeingReads) {
  VariableSites sites(reference->reference);
  sites.begin(kContigGap, kContigGap + 400);
  const auto other = [&](std::size_t at, std::uint8_t step) {
    return base_of_code(static_cast<std::uint8_t>((code_of_base(genome[at]) + step) % 4));
  };
  const std::vector<std::uint32_t> whole = {cigar(CigarOp::Match, 100)};
  for (int i = 0; i < 10; ++i) {
    std::string read = genome.substr(100, 100);
    if (i < 1) read[20] = other(120, 1);               // one error
    if (i < 2) read[40] = other(140, 1);               // two that agree
    if (i < 2) read[60] = other(160, i == 0 ? 1 : 2);  // two that do not
    add(100, read, whole, sites);
  }
  for (int i = 0; i < 7; ++i) add(250, genome.substr(250, 50), {cigar(CigarOp::Match, 50)}, sites);
  sites.finish();
  EXPECT_TRUE(tells(sites, 110));
  EXPECT_TRUE(tells(sites, 120));
  EXPECT_FALSE(tells(sites, 140));
  EXPECT_TRUE(tells(sites, 160));
  EXPECT_FALSE(tells(sites, 260)) << "seven reads are too few";
  EXPECT_FALSE(tells(sites, 10)) << "no reads";
}

TEST_F(Sites, NearGapsAreLeftOut) {
  VariableSites sites(reference->reference);
  sites.begin(kContigGap, kContigGap + 400);
  for (int i = 0; i < 10; ++i) {
    if (i < 2)
      add(100, genome.substr(100, 50) + genome.substr(155, 50),
          {cigar(CigarOp::Match, 50), cigar(CigarOp::Deletion, 5), cigar(CigarOp::Match, 50)},
          sites);
    else
      add(100, genome.substr(100, 100), {cigar(CigarOp::Match, 100)}, sites);
  }
  sites.finish();
  EXPECT_TRUE(tells(sites, 139));
  EXPECT_FALSE(tells(sites, 140));
  EXPECT_FALSE(tells(sites, 165));
  EXPECT_TRUE(tells(sites, 166));
}

}  // namespace
}  // namespace aceso::genomics
