// Copies of the genome: orders of genotypes, likelihoods, where how many copies are, and calls of
// one to eight.
#include "ploidy.hpp"

#include "calling_testing.hpp"
#include "compare_app.hpp"
#include "genotype.hpp"
#include "germline_app.hpp"
#include "joint_app.hpp"

#include "aceso/core/warnings.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <set>

namespace aceso::genomics {
namespace {

TEST(GenotypeOrder, IsThatOfTheVcfSpecification) {
  // Section 1.6.2 of VCF 4.3 lists three copies over three alleles.
  const std::vector<std::string> expected = {"000", "001", "011", "111", "002",
                                             "012", "112", "022", "122", "222"};
  std::vector<int> genotype(3, 0);
  std::vector<std::string> found;
  do {
    found.push_back(fmt::format("{}{}{}", genotype[0], genotype[1], genotype[2]));
  } while (next_genotype(std::span(genotype), 3));
  EXPECT_EQ(found, expected);
}

TEST(GenotypeOrder, PlacesAreThoseOfTheEnumeration) {
  for (int ploidy = 1; ploidy <= kMostPloidy; ++ploidy) {
    for (std::size_t alleles = 1; alleles <= 5; ++alleles) {
      std::vector<int> genotype(static_cast<std::size_t>(ploidy), 0);
      std::size_t count = 0;
      do {
        EXPECT_EQ(genotype_place(std::span<const int>(genotype)), count++);
        EXPECT_TRUE(std::ranges::is_sorted(genotype));
      } while (next_genotype(std::span(genotype), alleles));
      EXPECT_EQ(genotype_count(ploidy, alleles), count);
    }
  }
}

TEST(Genotypes, LikelihoodsOfManyCopiesAreMixtures) {
  // 30 reads of the reference and 10 of the other allele, wrong with phred 35.
  CostTable costs(2);
  for (int i = 0; i < 30; ++i) costs.add({0, 35}, 45);
  for (int i = 0; i < 10; ++i) costs.add({35, 0}, 45);
  const double wrong = std::pow(10.0, -3.5);
  for (int ploidy = 1; ploidy <= kMostPloidy; ++ploidy) {
    std::vector<double> expected;
    for (int k = 0; k <= ploidy; ++k) {
      const double other = static_cast<double>(k) / ploidy;
      expected.push_back(-300 * std::log10(1 - other + other * wrong) -
                         100 * std::log10(other + (1 - other) * wrong));
    }
    const double least = std::ranges::min(expected);
    const GenotypeTable table(costs, {0, 1}, {Priors::kSnv}, ploidy);
    const SiteCall call = table.call(Site{{0}});
    ASSERT_EQ(call.likelihoods.size(), expected.size());
    for (std::size_t k = 0; k < expected.size(); ++k)
      EXPECT_NEAR(call.likelihoods[k], expected[k] - least, 0.02) << ploidy << " " << k;
    if (ploidy != 4) continue;
    EXPECT_EQ(table.best(), (std::vector<AlleleSet>{0, 0, 0, 1}));
    EXPECT_GT(call.quality, 150);
  }
}

TEST(Genotypes, HaplotypesAreAsManyAsTheirMultisetsAllow) {
  EXPECT_EQ(most_haplotypes(1, 64), 64U);
  EXPECT_EQ(most_haplotypes(2, 64), 64U);
  for (int ploidy = 3; ploidy <= kMostPloidy; ++ploidy) {
    const std::size_t most = most_haplotypes(ploidy, 64);
    EXPECT_LE(genotype_count(ploidy, most), 5000U);
    EXPECT_GT(genotype_count(ploidy, most + 1), 5000U);
  }
}

/// X and Y of an assembly, and a small third contig, without their letters.
Reference assembly(std::uint32_t x, std::uint32_t y, const std::string& prefix) {
  const std::uint64_t second = 2ULL * kContigGap + x;
  return Reference({{prefix + "X", kContigGap, x, {}},
                    {prefix + "Y", second, y, {}},
                    {prefix + "M", second + y + kContigGap, 16'569, {}}},
                   {});
}

TEST(Ploidy, SexesHaveTheirChromosomes) {
  Warnings warnings;
  struct Assembly {
    std::uint32_t x, y;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> x_paired, y_paired;  ///< 1-based
  };
  const std::vector<Assembly> assemblies = {{156'040'895,
                                             57'227'415,
                                             {{10'001, 2'781'479}, {155'701'383, 156'030'895}},
                                             {{10'001, 2'781'479}, {56'887'903, 57'217'415}}},
                                            {155'270'560,
                                             59'373'566,
                                             {{60'001, 2'699'520}, {154'931'044, 155'260'560}},
                                             {{10'001, 2'649'520}, {59'034'050, 59'363'566}}}};
  for (const Assembly& a : assemblies) {
    const Reference reference = assembly(a.x, a.y, a.x > 156'000'000 ? "chr" : "");
    const auto copies = [&](const PloidyMap& map, std::uint32_t contig, std::uint32_t position) {
      return map.at(reference.contigs()[contig].begin + position - 1);
    };
    const PloidyMap male =
        ploidy_map(reference, {.haploid_contigs = "chrM,M", .sex = "male", .file = {}}, warnings);
    const PloidyMap female =
        ploidy_map(reference, {.haploid_contigs = "chrM,M", .sex = "female", .file = {}}, warnings);
    for (const auto& [first, last] : a.x_paired) {
      EXPECT_EQ(copies(male, 0, first - 1), 1);
      EXPECT_EQ(copies(male, 0, first), 2);
      EXPECT_EQ(copies(male, 0, last), 2);
      EXPECT_EQ(copies(male, 0, last + 1), 1);
      EXPECT_EQ(copies(female, 0, first), 2);
    }
    for (const auto& [first, last] : a.y_paired) {
      EXPECT_EQ(copies(male, 1, first - 1), 1);
      EXPECT_EQ(copies(male, 1, first), 0);
      EXPECT_EQ(copies(male, 1, last), 0);
      EXPECT_EQ(copies(male, 1, last + 1), 1);
    }
    EXPECT_EQ(copies(female, 0, 50'000'000), 2);
    EXPECT_EQ(copies(female, 1, 20'000'000), 0);
    EXPECT_EQ(copies(female, 2, 100), 1);
    EXPECT_EQ(female.most(), 2);
  }
  EXPECT_EQ(warnings.counts().size(), 0U);
  // Of another genome nothing is known of the paired regions.
  const Reference other = assembly(100'000, 50'000, "chr");
  const PloidyMap male = ploidy_map(other, {.sex = "male", .file = {}}, warnings);
  EXPECT_EQ(male.at(other.contigs()[0].begin + 20'000), 1);
  ASSERT_EQ(warnings.counts().size(), 1U);
  EXPECT_EQ(warnings.counts()[0].kind, "ploidy.unknown_par");
  EXPECT_EQ(warnings.counts()[0].count, 2U);
  expect_error(Errc::InvalidArgument, {"sex", "ploidy 4"}, [&] {
    static_cast<void>(ploidy_map(other, {.ploidy = 4, .sex = "male", .file = {}}, warnings));
  });
}

/// A sample of four copies, whose changes have one to four of them.
class Polyploid : public ::testing::Test {
 protected:
  static constexpr std::size_t kDepth = 40;

  Polyploid() {
    ReadMaker maker(31);
    genome = random_genome(maker, 30'000);
    int copies = 0;
    for (std::size_t at = 600; at < 29'500; at += 450) {
      copies = copies % 4 + 1;
      const std::string base(1, genome[at] == 'A' ? 'C' : 'A');
      changes.push_back({at, 1, base, copies});
    }
    std::vector<std::string> haplotypes;
    for (int h = 0; h < 4; ++h) {
      std::vector<Change> own;
      for (const Change& change : changes) {
        if (change.copies > h) own.push_back(change);
      }
      haplotypes.push_back(haplotype_of(genome, own, 0));
    }
    const auto [one, two] = sequence(maker, haplotypes, genome.size() * kDepth / 300);
    run.inputs = {{"reads", {folder.write("r1.fq", one)}},
                  {"reads2", {folder.write("r2.fq", two)}},
                  {"reference", {folder.write("genome.fa", ">one\n" + genome + "\n")}}};
    run.options["ploidy"] = std::int64_t{4};
  }

  /// Lines behind the header, by column.
  static std::vector<std::vector<std::string>> lines_of(const std::filesystem::path& path) {
    std::vector<std::vector<std::string>> out;
    std::istringstream text(read_file(path));
    for (std::string line; std::getline(text, line);) {
      if (line.starts_with('#')) continue;
      out.emplace_back();
      std::istringstream fields(line);
      for (std::string field; std::getline(fields, field, '\t');) out.back().push_back(field);
    }
    return out;
  }
  static std::string genotype_of(const std::vector<std::string>& line) {
    return line[9].substr(0, line[9].find(':'));
  }

  Folder folder;
  std::string genome;
  std::vector<Change> changes;
  AppRun run;
};

TEST_F(Polyploid, DosagesAreThoseOfTheSample) {
  run.outputs = {{"variants", folder.path("calls.vcf")}, {"gvcf", folder.path("calls.g.vcf")}};
  run_app(germline_app(), run);
  const auto lines = lines_of(folder.path("calls.vcf"));
  ASSERT_EQ(lines.size(), changes.size());
  std::size_t right = 0;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(std::stoul(lines[i][1]) - 1, changes[i].position);
    EXPECT_EQ(lines[i][6], "PASS");
    const std::string genotype = genotype_of(lines[i]);
    EXPECT_EQ(genotype.size(), 7U);
    const auto copies = std::ranges::count(genotype, '1');
    EXPECT_LE(std::abs(copies - changes[i].copies), 1) << lines[i][1];
    right += copies == changes[i].copies ? 1 : 0;
  }
  // Two and three copies of four are 20 and 30 reads of 40, 1.7 standard deviations from the
  // middle.
  EXPECT_GE(right, changes.size() * 8 / 10);
  RecordProperty("right", static_cast<int>(right));
  for (const auto& line : lines_of(folder.path("calls.g.vcf"))) {
    const auto alleles = static_cast<std::size_t>(std::ranges::count(line[4], ',')) + 2;
    const auto fields = line[8].substr(0, line[8].find(":PS"));
    std::istringstream values(line[9]);
    std::string likelihoods;
    for (auto n = std::ranges::count(fields, ':'); n >= 0; --n)
      std::getline(values, likelihoods, ':');
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(likelihoods, ',')) + 1,
              genotype_count(4, alleles))
        << line[1];
  }
}

TEST_F(Polyploid, CallsCompareWithTheTruthByTheirDosages) {
  run.outputs = {{"variants", folder.path("calls.vcf")}};
  run_app(germline_app(), run);
  std::string truth =
      "##fileformat=VCFv4.2\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">\n"
      "##contig=<ID=one>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n";
  for (const Change& change : changes) {
    std::string genotype = "0/0/0/0";
    for (int h = 0; h < change.copies; ++h) genotype[6 - 2 * static_cast<std::size_t>(h)] = '1';
    truth += fmt::format("one\t{}\t.\t{}\t{}\t.\tPASS\t.\tGT\t{}\n", change.position + 1,
                         genome[change.position], change.added, genotype);
  }
  std::size_t right = 0;
  const auto lines = lines_of(folder.path("calls.vcf"));
  for (std::size_t i = 0; i < lines.size(); ++i)
    right += std::ranges::count(genotype_of(lines[i]), '1') == changes[i].copies ? 1 : 0;
  AppRun comparing;
  comparing.inputs = {{"truth", {folder.write("truth.vcf", truth)}},
                      {"calls", {folder.path("calls.vcf")}},
                      {"reference", run.inputs["reference"]}};
  const Json metrics = run_app(compare_app(), comparing);
  EXPECT_EQ(metrics["snp"]["tp"], right);
  EXPECT_EQ(metrics["snp"]["query_tp"], right);
  EXPECT_EQ(metrics["snp"]["fp_gt"], changes.size() - right);
  EXPECT_GE(metrics["snp"]["f1"].get<double>(), 0.8);
}

TEST_F(Polyploid, GenotypedTogetherASampleAloneKeepsItsCalls) {
  run.outputs = {{"variants", folder.path("calls.vcf")}, {"gvcf", folder.path("calls.g.vcf")}};
  run_app(germline_app(), run);
  AppRun joining;
  joining.inputs = {{"gvcfs", {folder.path("calls.g.vcf")}}};
  joining.outputs = {{"variants", folder.path("joint.vcf")}};
  run_app(joint_app(), joining);
  const auto key = [](const std::vector<std::string>& line) {
    return fmt::format("{} {}>{} {} {}", line[1], line[3], line[4], line[6], genotype_of(line));
  };
  std::vector<std::string> alone, together;
  for (const auto& line : lines_of(folder.path("calls.vcf"))) alone.push_back(key(line));
  for (const auto& line : lines_of(folder.path("joint.vcf"))) together.push_back(key(line));
  EXPECT_EQ(together, alone);
}

TEST_F(Polyploid, IsTheSameForAnyThreadsAndShards) {
  std::string expected;
  const auto outputs = [&](const std::string& prefix) {
    return std::map<std::string, std::filesystem::path>{
        {"variants", folder.path(prefix + "calls.vcf")},
        {"gvcf", folder.path(prefix + "calls.g.vcf")}};
  };
  const auto written = [&](const std::string& prefix) {
    return read_file(folder.path(prefix + "calls.vcf")) +
           read_file(folder.path(prefix + "calls.g.vcf"));
  };
  for (const unsigned threads : {1U, 2U, 4U}) {
    run.threads = threads;
    run.outputs = outputs("one-");
    run_app(germline_app(), run);
    if (expected.empty()) expected = written("one-");
    EXPECT_TRUE(written("one-") == expected) << threads;
  }
  const auto step = [&](const std::string& name, const std::string& shard, bool write) {
    AppRun now = run;
    now.options["step"] = name;
    now.options["shard"] = shard;
    now.outputs = write ? outputs("two-") : std::map<std::string, std::filesystem::path>{};
    now.outputs["work"] = folder.path("work");
    run_app(germline_app(), now);
  };
  for (const std::string name : {"align", "call"}) {
    for (const std::string shard : {"2/2", "1/2"}) step(name, shard, false);
  }
  step("merge", "1/1", true);
  EXPECT_TRUE(written("two-") == expected);
}

TEST_F(Polyploid, RegionsHaveTheCopiesThatAFileTells) {
  run.options.erase("ploidy");
  run.inputs["ploidy_file"] = {folder.write("copies.bed",
                                            "one\t5000\t10000\t1\none\t10000\t15000\t0\n# rest\n"
                                            "one\t15000\t20000\t4\n")};
  run.outputs = {{"variants", folder.path("calls.vcf")}, {"gvcf", folder.path("calls.g.vcf")}};
  run_app(germline_app(), run);
  const auto copies_at = [](std::size_t position) {
    if (position >= 5000 && position < 10'000) return 1;
    if (position >= 10'000 && position < 15'000) return 0;
    return position >= 15'000 && position < 20'000 ? 4 : 2;
  };
  std::set<int> seen;
  for (const std::string name : {"calls.vcf", "calls.g.vcf"}) {
    for (const auto& line : lines_of(folder.path(name))) {
      const int copies = copies_at(std::stoul(line[1]) - 1);
      EXPECT_GT(copies, 0) << line[1];
      EXPECT_EQ(genotype_of(line).size(), static_cast<std::size_t>(2 * copies - 1)) << line[1];
      seen.insert(copies);
      const std::size_t end = line[7].find("END=");
      // No block reaches from one number of copies into another.
      if (end != 0) continue;
      EXPECT_EQ(copies_at(std::stoul(line[7].substr(4)) - 1), copies) << line[1];
    }
  }
  EXPECT_EQ(seen, (std::set<int>{1, 2, 4}));
  const std::string head = read_file(folder.path("calls.vcf"));
  EXPECT_NE(head.find("ID=LowScore"), std::string::npos);
  EXPECT_NE(head.find("ID=LowQual"), std::string::npos);
}

TEST_F(Polyploid, WrongCopiesAreNamed) {
  run.outputs = {{"variants", folder.path("calls.vcf")}};
  const auto with = [&](const std::string& bed) {
    run.inputs["ploidy_file"] = {folder.write("copies.bed", bed)};
    run_app(germline_app(), run);
  };
  expect_error(Errc::CorruptData, {"copies.bed", "line 1", "column 4", "0 to 8"},
               [&] { with("one\t5\t10\n"); });
  expect_error(Errc::CorruptData, {"line 2", "\"9\""},
               [&] { with("one\t5\t10\t2\none\t15\t20\t9\n"); });
  expect_error(Errc::CorruptData, {"line 1", "\"two\""}, [&] { with("one\t5\t10\ttwo\n"); });
  expect_error(Errc::CorruptData, {"line 3", "overlaps", "line 1"},
               [&] { with("one\t5\t100\t2\none\t10\t20\t2\none\t50\t60\t1\n"); });
  expect_error(Errc::CorruptData, {"none of its contigs"}, [&] { with("two\t5\t10\t2\n"); });
  run.inputs.erase("ploidy_file");
  run.inputs["filter_model"] = {folder.write("model.json", "{}")};
  expect_error(Errc::InvalidArgument, {"filter_model", "ploidy 4"},
               [&] { run_app(germline_app(), run); });
  EXPECT_FALSE(std::filesystem::exists(folder.path("calls.vcf")));
}

}  // namespace
}  // namespace aceso::genomics
