#include "genome_testing.hpp"
#include "genotype_order.hpp"
#include "germline_app.hpp"
#include "joint_app.hpp"
#include "joint_genotype.hpp"
#include "pedigree.hpp"

#include "aceso/core/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace aceso::genomics {
namespace {

/// A sample that says these phreds of the genotypes of a site's alleles.
SampleEvidence sample_of(const std::vector<double>& likelihoods, std::size_t alleles,
                         int ploidy = 2) {
  auto record = std::make_shared<GvcfRecord>();
  record->ploidy = ploidy;
  record->depth = 9;
  for (std::size_t i = 0; i < alleles; ++i) record->alleles.emplace_back(1, "ACGT"[i]);
  record->likelihoods = likelihoods;
  // Others than those of the site are out of the question.
  record->likelihoods.resize(genotype_count(ploidy, alleles + 1), 3000);
  SampleEvidence out{record, {}, true};
  for (std::size_t i = 0; i < alleles; ++i) out.allele_of.push_back(i);
  return out;
}

JointSite site_of(std::vector<SampleEvidence> samples) {
  JointSite out;
  out.alleles = {"A", "C"};
  out.samples = std::move(samples);
  return out;
}

/// The quality by adding up all genotypes of all samples, each with its chance among the
/// chromosomes: beta-binomial with theta and 1. A sample's likelihoods tell its number of copies.
double quality_by_counting(const std::vector<std::vector<double>>& samples, double theta) {
  std::size_t chromosomes = 0;
  for (const auto& sample : samples) chromosomes += sample.size() - 1;
  double none = 0, all = 0;
  std::vector<std::size_t> genotype(samples.size(), 0);
  while (true) {
    double phred = 0, orders = 1;
    std::size_t copies = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      phred += samples[i][genotype[i]];
      copies += genotype[i];
      for (std::size_t k = 1; k <= genotype[i]; ++k)
        orders *= static_cast<double>(samples[i].size() - k) / static_cast<double>(k);
    }
    // One arrangement of `copies` alternatives, by drawing one chromosome after the other.
    double chance = 1, drawn = 0, references = 0;
    for (std::size_t c = 0; c < chromosomes; ++c) {
      const double urn = theta + 1 + drawn + references;
      chance *= c < copies ? (theta + drawn++) / urn : (1 + references++) / urn;
    }
    const double term = chance * orders * std::pow(10.0, -phred / 10);
    all += term;
    if (copies == 0) none += term;
    std::size_t at = 0;
    while (at < genotype.size() && ++genotype[at] == samples[at].size()) genotype[at++] = 0;
    if (at == genotype.size()) break;
  }
  return -10 * std::log10(none / all);
}

TEST(JointGenotypes, QualityIsTheSumOverAllGenotypes) {
  ReadMaker maker(31);
  for (int round = 0; round < 60; ++round) {
    std::vector<std::vector<double>> phreds;
    std::vector<SampleEvidence> samples;
    for (std::size_t i = 0; i < 1 + maker.below(5); ++i) {
      std::vector<double> one;
      for (int g = 0; g < 3; ++g) one.push_back(static_cast<double>(maker.below(60)));
      const double least = *std::ranges::min_element(one);
      for (double& value : one) value -= least;
      one[maker.below(3)] += 1;  // never all alike
      const double again = *std::ranges::min_element(one);
      for (double& value : one) value -= again;
      phreds.push_back(one);
      samples.push_back(sample_of(one, 2));
    }
    const JointCall call = genotype_site(site_of(samples), {.snv = 1e-3, .indel = 1e-4});
    EXPECT_NEAR(call.quality, quality_by_counting(phreds, 1e-3), 1e-6);
  }
}

TEST(JointGenotypes, OfAnyCopiesQualityIsTheSumOverAllGenotypes) {
  ReadMaker maker(35);
  for (int round = 0; round < 60; ++round) {
    std::vector<std::vector<double>> phreds;
    std::vector<SampleEvidence> samples;
    for (std::size_t i = 0; i < 1 + maker.below(3); ++i) {
      const int ploidy = 1 + static_cast<int>(maker.below(8));
      std::vector<double> one;
      for (int g = 0; g <= ploidy; ++g) one.push_back(1 + static_cast<double>(maker.below(60)));
      one[maker.below(one.size())] = 0;
      phreds.push_back(one);
      samples.push_back(sample_of(one, 2, ploidy));
    }
    const JointCall call = genotype_site(site_of(samples), {.snv = 1e-3, .indel = 1e-4});
    EXPECT_NEAR(call.quality, quality_by_counting(phreds, 1e-3), 1e-6);
  }
}

/// Phreds that are all different, the least 0.
std::vector<double> random_phreds(ReadMaker& maker, std::size_t count) {
  std::vector<double> out;
  for (std::size_t g = 0; g < count; ++g)
    out.push_back(1 + static_cast<double>(maker.below(60)) + static_cast<double>(g) / 100);
  out[maker.below(count)] = 0;
  return out;
}

/// The posterior of one sample's genotypes by going through all ordered draws of its copies from
/// an urn that holds `weights` and gives back one more of each that is drawn (Polya).
std::vector<double> posterior_by_drawing(const std::vector<double>& phreds, int ploidy,
                                         const std::vector<double>& weights) {
  std::vector<double> out(phreds.size(), 0);
  std::vector<std::size_t> draws(static_cast<std::size_t>(ploidy), 0);
  double total = 0;
  while (true) {
    std::vector<double> urn = weights;
    double chance = 1;
    for (const std::size_t allele : draws) {
      chance *= urn[allele] / std::accumulate(urn.begin(), urn.end(), 0.0);
      urn[allele] += 1;
    }
    std::vector<std::size_t> sorted = draws;
    std::ranges::sort(sorted);
    const std::size_t place = genotype_place(std::span<const std::size_t>(sorted));
    out[place] += chance * std::pow(10.0, -phreds[place] / 10);
    total += chance * std::pow(10.0, -phreds[place] / 10);
    std::size_t at = 0;
    while (at < draws.size() && ++draws[at] == weights.size()) draws[at++] = 0;
    if (at == draws.size()) break;
  }
  for (double& value : out) value /= total;
  return out;
}

TEST(JointGenotypes, OfOneSampleAreThoseOfTheUrn) {
  ReadMaker maker(36);
  for (int round = 0; round < 300; ++round) {
    const int ploidy = 1 + static_cast<int>(maker.below(8));
    const std::vector<double> phreds = random_phreds(maker, genotype_count(ploidy, 3));
    JointSite site = site_of({sample_of(phreds, 3, ploidy)});
    site.alleles = {"A", "C", "G"};
    const JointCall call = genotype_site(site, {.snv = 1e-3, .indel = 1e-4});
    const std::vector<double> expected = posterior_by_drawing(phreds, ploidy, {1, 1e-3, 1e-3});
    const JointGenotype& found = call.samples[0];
    EXPECT_EQ(found.ploidy(), ploidy);
    const double chance = expected[genotype_place(std::span<const std::size_t>(found.alleles))];
    EXPECT_NEAR(chance, std::ranges::max(expected), 1e-9);  // (Two may be equally likely.)
    const double others = std::max(1 - chance, 1e-12);
    EXPECT_NEAR(found.quality, std::min(99.0, -10 * std::log10(others)), 1e-4);
  }
}

TEST(JointGenotypes, SamplesOfAnyCopiesTellEachOther) {
  // Each sample's expectations follow from the urn that all others' filled the round before.
  ReadMaker maker(37);
  for (int round = 0; round < 40; ++round) {
    std::vector<std::vector<double>> phreds;
    std::vector<int> ploidies;
    JointSite site;
    site.alleles = {"A", "C", "G"};
    for (int i = 0; i < 3; ++i) {
      ploidies.push_back(1 + static_cast<int>(maker.below(6)));
      phreds.push_back(random_phreds(maker, genotype_count(ploidies.back(), 3)));
      site.samples.push_back(sample_of(phreds.back(), 3, ploidies.back()));
    }
    std::vector<std::vector<double>> expected(3, std::vector<double>(3, 0)), posteriors(3);
    for (int iteration = 0; iteration < 60; ++iteration) {
      const auto before = expected;
      for (std::size_t i = 0; i < 3; ++i) {
        std::vector<double> urn{1, 1e-3, 1e-3};
        for (std::size_t j = 0; j < 3; ++j) {
          for (std::size_t a = 0; a < 3; ++a) urn[a] += j == i ? 0 : before[j][a];
        }
        posteriors[i] = posterior_by_drawing(phreds[i], ploidies[i], urn);
        std::ranges::fill(expected[i], 0);
        for_genotypes(ploidies[i], 3, [&](std::size_t g, std::span<const std::size_t> genotype) {
          for (const std::size_t a : genotype) expected[i][a] += posteriors[i][g];
        });
      }
    }
    const JointCall call = genotype_site(site, {.snv = 1e-3, .indel = 1e-4});
    for (std::size_t i = 0; i < 3; ++i) {
      const auto& alleles = call.samples[i].alleles;
      const double chance = posteriors[i][genotype_place(std::span<const std::size_t>(alleles))];
      EXPECT_NEAR(call.samples[i].quality,
                  std::min(99.0, -10 * std::log10(std::max(1 - chance, 1e-12))), 0.1);
    }
  }
}

TEST(JointGenotypes, LikelihoodsOfManyCopiesAreMergedOntoAllAlleles) {
  // The record names A and C of A, C, G; its third allele stands for all others.
  ReadMaker maker(38);
  auto record = std::make_shared<GvcfRecord>();
  record->ploidy = 4;
  record->alleles = {"A", "C"};
  record->likelihoods = random_phreds(maker, genotype_count(4, 3));
  const SampleEvidence evidence{record, {0, 1}, true, 4};
  // G is the third, so all genotypes are the record's; a fourth allele is G's equal.
  EXPECT_EQ(site_likelihoods(evidence, 3), record->likelihoods);
  const std::vector<double> four = site_likelihoods(evidence, 4);
  ASSERT_EQ(four.size(), genotype_count(4, 4));
  for_genotypes(4, 4, [&](std::size_t g, std::span<const std::size_t> genotype) {
    std::vector<std::size_t> own;
    for (const std::size_t a : genotype) own.push_back(std::min<std::size_t>(a, 2));
    EXPECT_EQ(four[g], record->likelihoods[genotype_place(std::span<const std::size_t>(own))]);
  });
}

TEST(JointGenotypes, DoNotDependOnTheOrderOfSamples) {
  ReadMaker maker(32);
  for (int round = 0; round < 100; ++round) {
    JointSite site;
    site.alleles = {"A", "C", "G"};
    for (int i = 0; i < 9; ++i) {
      std::vector<double> one;
      for (int g = 0; g < 6; ++g) one.push_back(static_cast<double>(maker.below(40)));
      one[maker.below(6)] = 0;
      site.samples.push_back(sample_of(one, 3));
    }
    JointSite turned = site;
    std::vector<std::size_t> order(9);
    std::iota(order.begin(), order.end(), 0);
    std::ranges::rotate(order, order.begin() + 4);
    std::swap(order[0], order[3]);
    for (std::size_t i = 0; i < 9; ++i) turned.samples[i] = site.samples[order[i]];
    const JointCall a = genotype_site(site, {}), b = genotype_site(turned, {});
    EXPECT_EQ(a.quality, b.quality);
    EXPECT_EQ(a.counts, b.counts);
    for (std::size_t i = 0; i < 9; ++i) {
      EXPECT_EQ(b.samples[i].alleles, a.samples[order[i]].alleles);
      EXPECT_EQ(b.samples[i].quality, a.samples[order[i]].quality);
    }
  }
}

TEST(JointGenotypes, WeakEvidenceCountsForMoreWhereOthersHaveTheAllele) {
  const SampleEvidence weak = sample_of({25, 0, 40}, 2);  // some two reads
  const SampleEvidence sure = sample_of({400, 0, 400}, 2), none = sample_of({0, 90, 900}, 2);
  const JointCall alone = genotype_site(site_of({weak}), {});
  EXPECT_TRUE(alone.samples[0].is_reference());
  const JointCall among = genotype_site(site_of({weak, sure, sure, none}), {});
  EXPECT_EQ(among.samples[0].alleles, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(among.counts[1], 3U);
  const JointCall strange = genotype_site(site_of({weak, none, none, none}), {});
  EXPECT_TRUE(strange.samples[0].is_reference());
  EXPECT_LT(strange.quality, among.quality);
  // What says nothing is missing.
  const JointCall empty = genotype_site(site_of({sample_of({0, 0, 0}, 2), sure}), {});
  EXPECT_FALSE(empty.samples[0].known);
  // With one copy there are no heterozygotes.
  const JointCall haploid = genotype_site(site_of({sample_of({200, 0}, 2, 1), sure}), {});
  EXPECT_EQ(haploid.samples[0].alleles, std::vector<std::size_t>{1});
  EXPECT_EQ(haploid.counts[1], 2U);
}

TEST(Pedigree, KnowsWhatParentsCanGive) {
  EXPECT_TRUE(is_mendelian(0, 1, 0, 0, 1, 1));
  EXPECT_TRUE(is_mendelian(0, 1, 1, 1, 0, 2));
  EXPECT_TRUE(is_mendelian(1, 1, 0, 1, 0, 1));
  EXPECT_FALSE(is_mendelian(1, 1, 0, 1, 0, 0));
  EXPECT_FALSE(is_mendelian(0, 1, 0, 0, 0, 0));
  EXPECT_FALSE(is_mendelian(1, 2, 1, 2, 0, 0));
}

/// gVCFs of some samples, and what is made of them.
class Joint : public ::testing::Test {
 protected:
  static constexpr std::string_view kContigs = "##contig=<ID=1,length=1000>\n##contig=<ID=2>\n";

  static std::string gvcf(const std::string& sample, const std::string& lines,
                          std::string_view contigs = kContigs, std::string_view other = "NON_REF") {
    return fmt::format(
        "##fileformat=VCFv4.2\n##ALT=<ID={},Description=\"x\">\n{}"
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{}\n{}",
        other, contigs, sample, lines);
  }
  static std::string block(int first, int last, int quality = 60, int depth = 20,
                           const std::string& contig = "1") {
    return fmt::format(
        "{}\t{}\t.\tA\t<NON_REF>\t.\t.\tEND={}\tGT:DP:GQ:MIN_DP:PL\t0/0:{}:{}:{}:0,{},{}\n", contig,
        first, last, depth, quality, depth, quality, 10 * quality);
  }
  static std::string variant(int position, const std::string& reference, const std::string& other,
                             const std::string& genotype, const std::string& likelihoods,
                             const std::string& depths) {
    return fmt::format("1\t{}\t.\t{}\t{},<NON_REF>\t50\tPASS\t.\tGT:AD:DP:GQ:PL\t{}:{}:20:50:{}\n",
                       position, reference, other, genotype, depths, likelihoods);
  }

  void add(const std::string& name, const std::string& content) {
    run.inputs["gvcfs"].push_back(folder.write(name, content));
  }
  std::vector<std::vector<std::string>> lines(unsigned threads = 1) {
    run.outputs = {{"variants", folder.path("joint.vcf")}};
    run.threads = threads;
    metrics = run_app(joint_app(), run);
    text = read_file(folder.path("joint.vcf"));
    std::vector<std::vector<std::string>> out;
    for (const std::string& line : split(text, '\n')) {
      if (!line.empty() && !line.starts_with("##")) out.push_back(split(line, '\t'));
    }
    return out;
  }

  Folder folder;
  AppRun run;
  Json metrics;
  std::string text;
};

TEST_F(Joint, MergesAllelesAndTakesTheReferenceFromBlocks) {
  add("a.g.vcf",
      gvcf("a", block(1, 99) + variant(100, "A", "C", "0/1", "300,0,300,360,360,700", "10,10,0") +
                    block(101, 500)));
  add("b.g.vcf",
      gvcf("b", block(1, 99) + variant(100, "A", "G", "1/1", "600,60,0,600,60,600", "0,20,0") +
                    block(101, 300)));
  add("c.g.vcf", gvcf("c", block(50, 200, 30, 10)));
  add("d.g.vcf", gvcf("d", block(1, 60) + block(61, 140, 0, 0)));  // no read
  const auto out = lines();
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(join(out[0], "\t"),
            "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\td");
  const auto& line = out[1];
  EXPECT_EQ(line[1], "100");
  EXPECT_EQ(line[3] + ">" + line[4], "A>C,G");
  EXPECT_EQ(line[6], "PASS");
  EXPECT_EQ(line[7], "AC=1,2;AF=0.1667,0.3333;AN=6;DP=50");
  EXPECT_EQ(line[9].substr(0, 13), "0/1:10,10,0:2");
  EXPECT_TRUE(line[9].ends_with(":300,0,300,360,360,700"));
  EXPECT_EQ(line[10].substr(0, 12), "2/2:0,0,20:2");
  EXPECT_EQ(line[11].substr(0, 13), "0/0:10,0,0:10");
  EXPECT_TRUE(line[11].ends_with(":0,30,300,30,300,300"));
  EXPECT_EQ(line[12], "./.");
  EXPECT_EQ(metrics["samples"][3]["missing"], 1);
}

TEST_F(Joint, ADeletionReachesOverOtherSamplesSites) {
  add("a.g.vcf", gvcf("a", variant(100, "ACGT", "A", "0/1", "300,0,300,360,360,700", "10,10,0")));
  add("b.g.vcf",
      gvcf("b", block(1, 101) + variant(102, "G", "T", "0/1", "300,0,300,360,360,700", "10,10,0") +
                    block(103, 103) +
                    variant(104, "A", "T", "1/1", "600,60,0,600,60,600", "0,20,0")));
  const auto out = lines();
  ASSERT_EQ(out.size(), 4U);
  EXPECT_EQ(out[1][3] + ">" + out[1][4], "ACGT>A");
  EXPECT_EQ(out[1][10].substr(0, 3), "0/0");
  EXPECT_EQ(out[2][3] + ">" + out[2][4], "G>T,*");
  EXPECT_EQ(out[2][9].substr(0, 3), "0/2");
  EXPECT_EQ(out[2][10].substr(0, 3), "0/1");
  // Behind the deletion nothing is known of a.
  EXPECT_EQ(out[3][3] + ">" + out[3][4], "A>T");
  EXPECT_EQ(out[3][9], "./.");
}

TEST_F(Joint, GapsAndSubstitutionsOfOnePlaceHaveLinesOfTheirOwn) {
  add("a.g.vcf", gvcf("a", variant(100, "A", "C", "1/1", "600,60,0,600,60,600", "0,20,0")));
  add("b.g.vcf", gvcf("b", variant(100, "AT", "A", "0/1", "300,0,300,360,360,700", "10,10,0")));
  add("c.g.vcf", gvcf("c", variant(100, "ATT", "A", "0/1", "300,0,300,360,360,700", "10,10,0")));
  const auto out = lines();
  ASSERT_EQ(out.size(), 3U);
  EXPECT_EQ(out[1][3] + ">" + out[1][4], "A>C");
  EXPECT_EQ(out[2][3] + ">" + out[2][4], "ATT>A,AT");
  EXPECT_EQ(out[2][9].substr(0, 3), "0/0");  // the base is another one, and nothing is missing
  EXPECT_EQ(out[2][10].substr(0, 3), "0/2");
  EXPECT_EQ(out[2][11].substr(0, 3), "0/1");
}

TEST_F(Joint, GivesTheSameForAnyOrderOfFilesAndThreads) {
  ReadMaker maker(33);
  std::vector<std::string> names{"a", "b", "c", "d", "e"};
  for (const std::string& name : names) {
    std::string body;
    for (int at = 1; at < 900; at += 10 + static_cast<int>(maker.below(10))) {
      const int quality = static_cast<int>(maker.below(60));
      switch (maker.below(4)) {
        case 0:
          body += block(at, at + 9, quality);
          break;
        case 1:
          body += variant(at - at % 3 + 1, "A", maker.below(2) == 0 ? "C" : "G", "0/1",
                          fmt::format("{},0,200,300,300,500", 20 + quality), "10,10,0");
          break;
        case 2:
          body += variant(at - at % 3 + 1, "ACGT", "A", "0/1",
                          fmt::format("{},0,200,300,300,500", 40 + quality), "10,10,0");
          break;
        default:
          break;
      }
    }
    // (Rounding may have put lines out of order.)
    std::vector<std::string> sorted = split(body, '\n');
    std::erase(sorted, "");
    std::ranges::stable_sort(sorted, {},
                             [](const std::string& line) { return std::stoi(line.substr(2)); });
    add(name + ".g.vcf", gvcf(name, join(sorted, "\n") + "\n"));
  }
  const auto expected = lines();
  const std::string whole = text;
  EXPECT_GT(expected.size(), 20U);
  EXPECT_TRUE(lines(3) == expected);
  EXPECT_EQ(text, whole);
  std::ranges::reverse(run.inputs["gvcfs"]);
  auto turned = lines(2);
  for (auto& line : turned) std::reverse(line.begin() + 9, line.end());
  EXPECT_TRUE(turned == expected);
}

TEST_F(Joint, OfOneSampleItIsWhatGermlineCalls) {
  ReadMaker maker(34);
  const std::string genome = random_genome(maker, 40'000);
  std::vector<Change> changes;
  for (std::size_t at = 500; at < 39'000; at += 611) {
    const bool gap = at % 3 == 0;
    changes.push_back({at, gap ? 3U : 1U,
                       gap                 ? ""
                       : genome[at] == 'A' ? "C"
                                           : "A",
                       static_cast<int>(at % 2 + 1)});
  }
  const auto [one, two] =
      sequence(maker, {haplotype_of(genome, changes, 0), haplotype_of(genome, changes, 1)}, 4000);
  AppRun calling;
  calling.inputs = {{"reads", {folder.write("r1.fq", one)}},
                    {"reads2", {folder.write("r2.fq", two)}},
                    {"reference", {folder.write("genome.fa", ">1\n" + genome + "\n")}}};
  calling.outputs = {{"variants", folder.path("calls.vcf")}, {"gvcf", folder.path("a.g.vcf.gz")}};
  run_app(germline_app(), calling);
  run.inputs["gvcfs"] = {folder.path("a.g.vcf.gz")};
  std::vector<std::string> expected, found;
  const auto key = [](const std::vector<std::string>& c) {
    return join({c[1], c[3], c[4], c[6], c[9].substr(0, 3)}, " ");
  };
  for (const auto& line : lines()) {
    if (line[0] != "#CHROM") found.push_back(key(line));
  }
  for (const std::string& line : split(read_file(folder.path("calls.vcf")), '\n')) {
    if (!line.empty() && line[0] != '#') expected.push_back(key(split(line, '\t')));
  }
  EXPECT_GT(expected.size(), 50U);
  EXPECT_EQ(found, expected);
}

TEST_F(Joint, CountsWhatAFamilyCannotHave) {
  const std::string het = "300,0,300,360,360,700", hom = "600,60,0,600,60,600";
  add("f.g.vcf",
      gvcf("f", block(1, 99) + variant(100, "A", "C", "0/1", het, "9,9,0") + block(101, 900)));
  add("m.g.vcf", gvcf("m", block(1, 900)));
  add("c.g.vcf",
      gvcf("c", block(1, 99) + variant(100, "A", "C", "0/1", het, "9,9,0") + block(101, 199) +
                    variant(200, "A", "C", "1/1", hom, "0,20,0") + block(201, 900)));
  run.inputs["pedigree"] = {folder.write("f.ped", "# family\nF c f m 1 0\nF f 0 0 1 0\n")};
  (void)lines();
  EXPECT_EQ(metrics["trios"][0]["sites"], 2);
  EXPECT_EQ(metrics["trios"][0]["violations"], 1);
  run.inputs["pedigree"] = {folder.write("g.ped", "F c f\n")};
  EXPECT_TRUE(contains(refused(Errc::CorruptData, [&] { (void)lines(); }),
                       "line 1: expected family, child, father and mother"));
  run.inputs["pedigree"] = {folder.write("h.ped", "F c x y 1 0\n")};
  EXPECT_TRUE(contains(refused(Errc::CorruptData, [&] { (void)lines(); }),
                       "no child with both its parents among the samples f, m, c"));
}

TEST_F(Joint, SamplesOfDifferentCopiesShareALine) {
  const auto hexa = [](int alternatives) {
    std::vector<int> phreds;  // of REF, ALT and <NON_REF>, in VCF's order
    for_genotypes(6, 3, [&](std::size_t, std::span<const std::size_t> genotype) {
      phreds.push_back(
          std::ranges::count(genotype, 2) > 0
              ? 900
              : 60 * std::abs(static_cast<int>(std::ranges::count(genotype, 1)) - alternatives));
    });
    return fmt::format("{}", fmt::join(phreds, ","));
  };
  add("six.g.vcf", gvcf("six", variant(100, "A", "C", "0/0/1/1/1/1", hexa(4), "10,20,0")));
  add("two.g.vcf", gvcf("two", variant(100, "A", "C", "0/1", "300,0,300,360,360,700", "9,9,0")));
  add("one.g.vcf",
      gvcf("one", "1\t90\t.\tA\t<NON_REF>\t.\t.\tEND=300\tGT:DP:GQ:PL\t0:9:60:0,60\n"));
  add("four.g.vcf", gvcf("four",
                         "1\t90\t.\tA\t<NON_REF>\t.\t.\tEND=99\tGT:DP:GQ:PL\t"
                         "0/0/0/0:9:30:0,30,60,99,300\n"));
  add("told.g.vcf", gvcf("told", "1\t90\t.\tA\t.\t.\t.\tEND=200\tGT:DP:GQ\t0/0/0:9:30\n"));
  const auto out = lines();
  ASSERT_EQ(out.size(), 2U);
  const auto& line = out[1];
  EXPECT_TRUE(line[7].starts_with("AC=5;AF=0.4167;AN=12;"));
  EXPECT_TRUE(line[9].starts_with("0/0/1/1/1/1:10,20:20:"));
  EXPECT_TRUE(line[9].ends_with(":240,180,120,60,0,60,120"));
  EXPECT_TRUE(line[10].starts_with("0/1:9,9:"));
  EXPECT_TRUE(line[11].starts_with("0:9,0:9:"));
  EXPECT_TRUE(line[11].ends_with(":0,60"));
  EXPECT_EQ(line[12], "./././.");  // behind its last record, of four copies
  // From GQ alone: k of three copies would lose log(1 - k/3) / log(1 - 1/3) times as much.
  EXPECT_TRUE(line[13].starts_with("0/0/0:9,0:9:"));
  EXPECT_TRUE(line[13].ends_with(":0,30,81,813"));
}

TEST_F(Joint, PhasesOfManyCopiesAreKept) {
  const std::string phreds = "300,200,0,200,300,900,900,900,900,900,900,900,900,900,900";
  add("a.g.vcf", gvcf("a", "1\t100\t.\tA\tC,<NON_REF>\t50\tPASS\t.\tGT:DP:PL:PS\t1|0|0|1:20:" +
                               phreds + ":88\n"));
  const auto out = lines();
  ASSERT_EQ(out.size(), 2U);
  EXPECT_TRUE(out[1][9].starts_with("1|0|0|1:"));
  EXPECT_TRUE(out[1][9].ends_with(":88"));
}

TEST_F(Joint, FamiliesWithOtherCopiesAreLeftOutAndCounted) {
  const std::string het = "300,0,300,360,360,700";
  const std::string four = "300,0,60,99,300,900,900,900,900,900,900,900,900,900,900";
  add("f.g.vcf", gvcf("f", variant(100, "A", "C", "0/1", het, "9,9,0") +
                               variant(200, "A", "C", "0/1", het, "9,9,0")));
  add("m.g.vcf", gvcf("m", block(1, 900)));
  add("c.g.vcf", gvcf("c", variant(100, "A", "C", "0/1", het, "9,9,0") +
                               variant(200, "A", "C", "0/0/0/1", four, "9,9,0")));
  run.inputs["pedigree"] = {folder.write("f.ped", "F c f m 1 0\n")};
  (void)lines();
  EXPECT_EQ(metrics["trios"][0]["sites"], 1);
  EXPECT_EQ(metrics["trios"][0]["not_diploid"], 1);
}

TEST_F(Joint, OfManyCopiesAllelesWithTheFewestReadsGiveWay) {
  // Eight copies: with REF and '*' there is room for six alternatives.
  const std::string letters = "ACGT";
  for (std::size_t i = 0; i < 8; ++i) {
    const std::string other = std::string("A") + letters[i / 4] + letters[i % 4];
    std::vector<int> phreds;
    for_genotypes(8, 3, [&](std::size_t, std::span<const std::size_t> genotype) {
      phreds.push_back(std::ranges::count(genotype, 2) > 0    ? 900
                       : std::ranges::count(genotype, 1) == 4 ? 0
                                                              : 90);
    });
    add(fmt::format("s{}.g.vcf", i),
        gvcf(fmt::format("s{}", i),
             variant(100, "A", other, "0/0/0/0/1/1/1/1", fmt::format("{}", fmt::join(phreds, ",")),
                     fmt::format("10,{},0", 10 + i))));
  }
  const auto out = lines();
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[1][4], "AAG,AAT,ACA,ACC,ACG,ACT");
}

TEST_F(Joint, BadInputIsNamed) {
  const std::string good = gvcf("a", block(1, 99));
  const auto message = [&](const std::string& second, Errc code = Errc::CorruptData,
                           const std::string& name = "b.g.vcf") {
    run.inputs["gvcfs"].clear();
    add("a.g.vcf", good);
    add(name, second);
    return refused(code, [&] { (void)lines(); });
  };
  EXPECT_TRUE(contains(message(good, Errc::InvalidArgument), "both hold the sample a"));
  EXPECT_TRUE(contains(message(gvcf("b", block(1, 9), "##contig=<ID=chr1,length=1000>\n")),
                       "declares the contig chr1, which"));
  EXPECT_TRUE(
      contains(message(gvcf("b", block(1, 9), "##contig=<ID=1,length=999>\n")), "1 has 999 bases"));
  EXPECT_TRUE(contains(message(gvcf("b", "", "##contig=<ID=2>\n##contig=<ID=1,length=1000>\n")),
                       "in another order"));
  EXPECT_TRUE(contains(message(gvcf("b", "", "")), "declares no contigs"));
  EXPECT_TRUE(contains(message(gvcf("b", "", kContigs, "DEL")), "no gVCF"));
  EXPECT_TRUE(contains(message(gvcf("b\tc", "")), "2 samples; expected the gVCF of one"));
  EXPECT_TRUE(contains(message(gvcf("b", block(10, 20) + block(5, 9))),
                       "record 2 (1:5): behind position 10; expected a sorted file"));
  EXPECT_TRUE(contains(message(gvcf("b", variant(7, "A", "C", "0/1", "1,2,3", "1,1,0"))),
                       "PL has 3 values, expected 6 for 3 alleles"));
  EXPECT_TRUE(contains(message(gvcf("b", variant(7, "A", "C", "0/7", "9,0,9,9,9,9", "1,1,0"))),
                       "the genotype names allele 7, there are 3"));
  EXPECT_TRUE(contains(message(gvcf("b", variant(7, "A", "C", "0/0/1", "9,0,9,9,9,9", "1,1,0"))),
                       "PL has 6 values, expected 10 for 3 alleles on 3 copies"));
  EXPECT_TRUE(
      contains(message(gvcf("b", variant(7, "A", "C", "0/0/0/0/0/0/0/0/1", "9,0,9", "1,1,0")),
                       Errc::Unsupported),
               "has 9 alleles; expected at most 8"));
  EXPECT_TRUE(contains(message(gvcf("b", block(20, 9))), "END is 9, before"));
  EXPECT_TRUE(contains(message(gvcf("b", block(1, 9, 60, 20, "9"))),
                       "the header does not declare this contig"));
  const std::string packed = bgzf(gvcf("b", block(1, 99)));
  EXPECT_TRUE(contains(
      message(packed.substr(0, packed.size() / 2), Errc::CorruptData, "b.g.vcf.gz"), "truncated"));
}

TEST_F(Joint, OddButSoundRecordsAreTaken) {
  // A missing genotype, haploid ones, <*> of other callers, and an allele that is not spelled out.
  add("a.g.vcf", gvcf("a",
                      "1\t10\t.\tA\tC,<*>\t9\t.\t.\tGT:PL\t./.:300,0,300,360,360,700\n"
                      "1\t20\t.\tA\t<DEL>,<*>\t9\t.\t.\tGT:PL\t0/1:300,0,300,360,360,700\n"
                      "1\t30\t.\tA\tC,<*>\t9\t.\t.\tGT:AD:PL\t1:0,9,0:300,0,300\n",
                      kContigs, "*"));
  add("b.g.vcf", gvcf("b", "1\t1\t.\tA\t<NON_REF>\t.\t.\tEND=50\tGT:GQ:DP\t0/0:40:12\n"));
  const auto out = lines();
  ASSERT_EQ(out.size(), 3U);
  EXPECT_EQ(out[1][9].substr(0, 5), "0/1:.");
  EXPECT_EQ(out[1][10].substr(0, 12), "0/0:12,0:12:");
  EXPECT_EQ(out[2][9].substr(0, 6), "1:0,9:");
  EXPECT_EQ(out[2][7].substr(0, 5), "AC=1;");
}

}  // namespace
}  // namespace aceso::genomics
