#include "compare_pipeline.hpp"
#include "read_simulator.hpp"
#include "simulate_app.hpp"

#include "reads_testing.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>

namespace aceso::genomics {
namespace {

std::string random_bases(std::size_t size, unsigned seed, const char* letters = "ACGT") {
  std::mt19937 random(seed);
  std::string out;
  for (std::size_t i = 0; i < size; ++i)
    out += letters[random() % std::string_view(letters).size()];
  return out;
}

class Simulation {
 public:
  explicit Simulation(const std::string& fasta) {
    job.reference = folder.write("ref.fa", fasta);
    job.reads = folder.path("r1.fq");
    job.reads2 = folder.path("r2.fq");
    job.truth = folder.path("truth.vcf.gz");
  }

  void run(unsigned threads = 1) {
    with_context(threads, [&](app::RunContext& context) { run_simulate(job, context); });
  }
  /// False and missed variants of `calls` beside `truth`.
  std::uint64_t errors(const std::filesystem::path& truth, const std::filesystem::path& calls) {
    std::uint64_t sum = 0;
    with_context(1, [&](app::RunContext& context) {
      CompareJob compare;
      compare.truth = truth;
      compare.calls = calls;
      compare.reference = job.reference;
      const CompareResult result = run_compare(compare, context);
      for (const VariantClass c : {VariantClass::Snp, VariantClass::Indel})
        sum += result.counts.of(c).fp + result.counts.of(c).fn;
    });
    return sum;
  }

  Folder folder;
  SimulateJob job;
  Json metrics;
  std::map<std::string, std::uint64_t> warnings;

 private:
  template <typename Act>
  void with_context(unsigned threads, const Act& act) {
    Progress progress;
    Warnings sink;
    app::Report report;
    Json told;
    app::RunContext context{.progress = progress,
                            .log = {},
                            .warnings = sink,
                            .report = report,
                            .metrics = told,
                            .stop = {},
                            .threads = threads,
                            .scratch = {}};
    act(context);
    metrics = told;
    warnings.clear();
    for (const WarningCount& count : sink.counts()) warnings[count.kind] = count.count;
  }
};

/// A read with what its name tells.
struct Read {
  std::string kind, bases, qualities, contig;
  char strand = '+';
  std::size_t position = 0;
};

std::vector<Read> reads_of(const std::filesystem::path& path, std::size_t mate) {
  std::istringstream text(read_file(path));
  std::vector<Read> out;
  for (std::string name, bases, plus, qualities;
       std::getline(text, name) && std::getline(text, bases) && std::getline(text, plus) &&
       std::getline(text, qualities);) {
    std::istringstream parts(name);
    std::vector<std::string> fields;
    for (std::string field; fields.size() < 5 && std::getline(parts, field, ':');)
      fields.push_back(field);
    Read read{fields[0].substr(1, 3),      bases, qualities, {}, fields[2][0],
              std::stoul(fields[3 + mate])};
    std::getline(parts, read.contig);
    if (mate == 1) read.strand = read.strand == '+' ? '-' : '+';
    out.push_back(std::move(read));
  }
  return out;
}

TEST(Simulate, ReadsDifferFromTheirPlaceAsOftenAsTheirQualitiesSay) {
  const std::string reference = random_bases(40'000, 1);
  Simulation simulation(">c:1 x\n" + reference + "\n");
  simulation.job.snp_rate = simulation.job.indel_rate = simulation.job.indel_error_rate = 0;
  simulation.job.quality = 25;
  simulation.run();
  double expected = 0, found = 0;
  for (const std::size_t mate : {0U, 1U}) {
    const auto reads = reads_of(mate == 0 ? *simulation.job.reads : *simulation.job.reads2, mate);
    ASSERT_EQ(reads.size(), 4000U);
    for (const Read& read : reads) {
      EXPECT_EQ(read.contig, "c:1");
      const std::string bases =
          read.strand == '+' ? read.bases : ReadMaker::reverse_complement(read.bases);
      for (std::size_t i = 0; i < bases.size(); ++i)
        found += bases[i] != reference[read.position - 1 + i];
      for (const char q : read.qualities) expected += std::pow(10, -(q - 33) / 10.0);
    }
  }
  EXPECT_GT(expected, 3000);
  EXPECT_NEAR(found / expected, 1, 0.06);
}

TEST(Simulate, DepthFragmentsAndDuplicatesAreAsAskedFor) {
  Simulation simulation(">c1\n" + random_bases(100'000, 2) + std::string(50'000, 'N') + "\n");
  simulation.job.coverage = 20;
  simulation.job.duplicate_rate = 0.1;
  simulation.job.insert_mean = 500;
  simulation.job.insert_sd = 30;
  simulation.run();
  EXPECT_NEAR(simulation.metrics["reads"]["bases"].get<double>(), 2e6, 3000);
  const auto one = reads_of(*simulation.job.reads, 0), two = reads_of(*simulation.job.reads2, 1);
  double copies = 0, length = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].bases.find('N'), std::string::npos);
    copies += one[i].kind == "dup";
    length +=
        std::abs(static_cast<double>(one[i].position) - static_cast<double>(two[i].position)) + 150;
  }
  const auto count = static_cast<double>(one.size());
  EXPECT_NEAR(copies / count, 0.1, 0.015);
  EXPECT_NEAR(length / count, 500, 3);
}

TEST(Simulate, ReadsHaveTheSampleSVariants) {
  // One homozygous substitution and one insertion on the first haplotype only.
  std::string reference = random_bases(2000, 3);
  reference[999] = 'A';
  reference.replace(1199, 2, "CG");
  Simulation simulation(">c1\n" + reference + "\n");
  simulation.job.variants = simulation.folder.write(
      "v.vcf",
      "##fileformat=VCFv4.2\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">\n"
      "##contig=<ID=c1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n"
      "c1\t1000\t.\tA\tT\t.\t.\t.\tGT\t1/1\nc1\t1200\t.\tC\tCAAAAAA\t.\t.\t.\tGT\t1|0\n");
  simulation.job.coverage = 200;
  simulation.job.indel_error_rate = 0;
  simulation.run();
  EXPECT_EQ(simulation.errors(*simulation.job.variants, *simulation.job.truth), 0U);
  EXPECT_TRUE(contains(gunzip(read_file(*simulation.job.truth)),
                       "\t1200\t.\tC\tCAAAAAA\t.\tPASS\t.\tGT\t1|0\n"));
  const std::string substituted = reference.substr(989, 10) + "T" + reference.substr(1000, 10);
  const std::string plain = reference.substr(989, 21);
  const std::string inserted = reference.substr(1194, 6) + "AAAAAA" + reference.substr(1200, 6);
  const std::string without = reference.substr(1194, 12);
  std::map<std::string, int> seen;
  for (const Read& read : reads_of(*simulation.job.reads, 0)) {
    const std::string bases =
        read.strand == '+' ? read.bases : ReadMaker::reverse_complement(read.bases);
    for (const std::string& part : {substituted, plain, inserted, without})
      seen[part] += bases.find(part) != std::string::npos;
  }
  EXPECT_GT(seen[substituted], 50);
  EXPECT_EQ(seen[plain], 0);
  EXPECT_GT(seen[inserted], 20);
  EXPECT_NEAR(seen[inserted], seen[without], 0.5 * seen[without]);
}

TEST(Simulate, ThreadsChangeNothingAndSeedsDo) {
  Simulation simulation(">c1\n" + random_bases(150'000, 4) + "\n>tiny\nACGT\n>c2\n" +
                        random_bases(60'000, 5) + "\n");
  simulation.job.reads = simulation.folder.path("r1.fq.gz");
  simulation.job.reads2 = simulation.folder.path("r2.fq.gz");
  simulation.job.duplicate_rate = 0.05;
  std::vector<std::string> expected;
  const auto files = [&] {
    return std::vector<std::string>{read_file(*simulation.job.reads),
                                    read_file(*simulation.job.reads2),
                                    read_file(*simulation.job.truth)};
  };
  for (const unsigned threads : {1U, 2U, 5U}) {
    simulation.run(threads);
    if (expected.empty()) expected = files();
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string now = files()[i];
      EXPECT_TRUE(gunzip(now) == gunzip(expected[i])) << threads << " threads, text of file " << i;
      EXPECT_TRUE(now == expected[i]) << threads << " threads, bytes of file " << i;
    }
  }
  simulation.job.seed = 2;
  simulation.run(2);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_FALSE(files()[i] == expected[i]);
}

TEST(Simulate, DrawnVariantsFollowTheirRates) {
  Simulation simulation(">c1\n" + random_bases(1'000'000, 6) + "\n");
  simulation.job.reads.reset();
  simulation.job.reads2.reset();
  simulation.job.snp_rate = 0.002;
  simulation.job.indel_rate = 0.001;
  simulation.run();
  const auto metric = [&](const char* name) {
    return simulation.metrics["variants"][name].get<double>();
  };
  EXPECT_NEAR(metric("snp"), 2000, 200);
  EXPECT_NEAR(metric("indel"), 1000, 150);
  EXPECT_NEAR(metric("heterozygous") / (metric("snp") + metric("indel")), 0.6, 0.05);
  EXPECT_EQ(simulation.errors(*simulation.job.truth, *simulation.job.truth), 0U);
}

TEST(Simulate, ListsOfSitesAreReadAndSampled) {
  const std::string reference = random_bases(3000, 7);
  Simulation simulation(">22:1-3\n" + reference + "\n");
  const std::string other = reference[99] == 'A' ? "C" : "A";
  simulation.job.variants = simulation.folder.write(
      "sites.snp", "a\tsingle\t22:1-3\t99\t" + other +
                       "\nb\tdeletion\t22:1-3\t500\t3\nc\tinsertion\t22:1-3\t900\tGATTACA\n");
  simulation.job.share = 1;
  simulation.run();
  EXPECT_EQ(simulation.metrics["variants"]["snp"], 1);
  EXPECT_EQ(simulation.metrics["variants"]["indel"], 2);
  const std::string truth = gunzip(read_file(*simulation.job.truth));
  EXPECT_TRUE(contains(truth, "22:1-3\t100\t.\t" + reference.substr(99, 1) + "\t" + other));
  simulation.job.share = 0;
  simulation.run();
  EXPECT_EQ(simulation.metrics["variants"]["snp"], 0);
}

TEST(Simulate, BadInputIsNamed) {
  Simulation simulation(">c1\n" + random_bases(3000, 8) + "\n");
  const auto refused = [&](const std::string& name, const std::string& text,
                           const std::vector<std::string>& parts) {
    simulation.job.variants = simulation.folder.write(name, text);
    simulation.job.share = 1;
    expect_error(Errc::CorruptData, parts, [&] { simulation.run(); });
    EXPECT_FALSE(std::filesystem::exists(*simulation.job.reads));
  };
  refused("s.snp", "a\tsingle\tc1\t99\n", {"s.snp: line 1", "expected name, type, contig"});
  refused("s.snp", "a\tmnp\tc1\t99\tA\n", {"line 1", "expected single, insertion or deletion"});
  refused("s.snp", "a\tsingle\tc1\tx\tA\n", {"line 1", "expected a number, found \"x\""});
  refused("s.snp", "\na\tdeletion\tc1\t2999\t5\n", {"line 2", "last base, 3000"});
  refused("s.snp", "a\tsingle\tchrc1\t9\tA\n", {"none of its contigs", "calls it c1"});
  refused("s.vcf", "x\n", {"neither VCF nor BCF"});
  simulation.job.variants.reset();
  simulation.job.reads.reset();
  expect_error(Errc::InvalidArgument, {"reads2 holds second mates"}, [&] { simulation.run(); });
}

TEST(Haplotype, BasesKnowTheirPlaceOnTheReference) {
  std::mt19937 random(9);
  for (int round = 0; round < 300; ++round) {
    std::string contig = random_bases(200, static_cast<unsigned>(round));
    for (char& base : contig) base = static_cast<char>(code_of_base(base));
    std::vector<VariantPiece> pieces;
    std::vector<bool> changed(contig.size(), false);
    for (std::uint32_t at = 3; at < 190; at += 4 + static_cast<std::uint32_t>(random() % 20)) {
      VariantPiece piece;
      piece.begin = at;
      piece.end = at + static_cast<std::uint32_t>(random() % 3);
      piece.alters = {true, false};
      piece.alleles[0].assign(random() % 4, '\4');  // unlike any base
      for (std::uint32_t i = piece.begin; i < piece.end; ++i) changed[i] = true;
      pieces.push_back(piece);
    }
    const SampleHaplotype haplotype(
        {reinterpret_cast<const std::uint8_t*>(contig.data()), contig.size()}, pieces, 0);
    std::uint32_t last = 0;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < haplotype.codes().size(); ++i) {
      const std::uint32_t place = haplotype.on_reference(i);
      EXPECT_GE(place, last);
      last = place;
      if (haplotype.codes()[i] == '\4') continue;
      EXPECT_EQ(haplotype.codes()[i], contig[place]);
      EXPECT_FALSE(changed[place]);
      ++kept;
    }
    EXPECT_EQ(kept, static_cast<std::size_t>(std::ranges::count(changed, false)));
  }
}

}  // namespace
}  // namespace aceso::genomics
