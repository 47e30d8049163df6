#include "germline_app.hpp"

#include "align_app.hpp"
#include "assembly.hpp"
#include "calling_testing.hpp"
#include "genotype.hpp"
#include "haplotypes.hpp"
#include "reference_blocks.hpp"

#include <htslib/sam.h>

#include <cmath>
#include <set>

namespace aceso::genomics {
namespace {

/// What a contig becomes with an allele on it.
std::string with(const Reference& reference, const Allele& allele) {
  std::string out;
  const auto letters = [&](std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < end; ++i) out += base_of_code(reference.codes()[i]);
  };
  const Contig& contig = reference.contigs()[0];
  letters(contig.begin, allele.position);
  for (const char code : allele.added) out += base_of_code(static_cast<std::uint8_t>(code));
  letters(allele.end(), contig.begin + contig.length);
  return out;
}

TEST(Allele, MovesLeftAndMakesTheSameSequence) {
  const Folder folder;
  ReadMaker maker(20);
  // Few letters, so that there are repeats.
  std::string genome(400, 'A');
  for (char& base : genome) base = "AC"[maker.below(2)];
  const auto owned = reference_of(folder, {{"one", genome}});
  const Reference& reference = owned->reference;
  for (int round = 0; round < 500; ++round) {
    Allele allele{kContigGap + static_cast<std::uint32_t>(100 + maker.below(200)),
                  static_cast<std::uint32_t>(maker.below(5)),
                  {}};
    for (std::size_t i = 0; i < maker.below(5); ++i)
      allele.added += static_cast<char>(maker.below(2));
    const std::string made = with(reference, allele);
    Allele moved = allele;
    normalise(moved, reference, kContigGap);
    EXPECT_EQ(with(reference, moved), made);
    if (moved.removed == 0 && moved.added.empty()) continue;
    if (moved.removed > 0 && !moved.added.empty()) {
      EXPECT_NE(reference.codes()[moved.position], moved.added.front());
      EXPECT_NE(reference.codes()[moved.end() - 1], moved.added.back());
      continue;
    }
    // One place further left it would be another sequence; anywhere within its room the same.
    Allele further = moved;
    const std::uint32_t room = room_right(moved, reference);
    for (std::uint32_t step = 0; step < room; ++step) {
      if (further.removed == 0)
        std::rotate(further.added.begin(), further.added.begin() + 1, further.added.end());
      ++further.position;
      EXPECT_EQ(with(reference, further), made);
    }
    EXPECT_LE(moved.position, allele.position + allele.removed);
  }
}

TEST(Decompose, MakesTheBasesItWasGiven) {
  const Folder folder;
  ReadMaker maker(21);
  const std::string genome = random_genome(maker, 500);
  const auto owned = reference_of(folder, {{"one", genome}});
  for (int round = 0; round < 100; ++round) {
    std::string bases = genome.substr(100, 80);
    bases.erase(10 + maker.below(60), maker.below(6));
    bases.insert(10 + maker.below(50), random_genome(maker, maker.below(12)));
    bases[maker.below(bases.size())] = "ACGT"[maker.below(4)];
    const auto alleles =
        decompose(owned->reference, kContigGap + 100, kContigGap + 180, added(bases));
    std::string made;
    std::uint32_t at = kContigGap + 100;
    const auto letters = [&](std::uint32_t end) {
      for (; at < end; ++at) made += base_of_code(owned->reference.codes()[at]);
    };
    for (const Allele& allele : alleles) {
      letters(allele.position);
      for (const char code : allele.added) made += base_of_code(static_cast<std::uint8_t>(code));
      at = allele.end();
    }
    letters(kContigGap + 180);
    EXPECT_EQ(made, bases);
    EXPECT_LE(alleles.size(), 8U);
  }
}

TEST(Haplotypes, AreAllSetsThatCanStandTogether) {
  // Two single bases, a deletion over the second one, an insertion behind it.
  const std::vector<Allele> alleles = {
      {100, 1, added("A")}, {110, 1, added("C")}, {109, 3, {}}, {112, 0, added("GG")}};
  const std::vector<std::size_t> order = {0, 1, 2, 3};
  const std::vector<AlleleSet> sets = haplotype_sets(alleles, order, 64);
  const std::set<AlleleSet> unique(sets.begin(), sets.end());
  EXPECT_EQ(unique.size(), sets.size());
  EXPECT_EQ(sets.size(), 2U * 3U * 2U);
  for (const AlleleSet set : sets) EXPECT_NE(set & 6U, 6U);
  EXPECT_EQ(sets.front(), 0U);
  EXPECT_LE(haplotype_sets(alleles, order, 5).size(), 5U);
}

TEST(Genotypes, FollowTheReads) {
  const std::vector<Allele> alleles = {{100, 1, added("A")}};
  const auto call = [&](int reference_reads, int other_reads, int ploidy) {
    CostTable costs(2);
    for (int i = 0; i < reference_reads; ++i) costs.add({0, 35}, 45);
    for (int i = 0; i < other_reads; ++i) costs.add({35, 0}, 45);
    return GenotypeTable(costs, {0, 1}, {Priors::kSnv}, ploidy).call(Site{{0}});
  };
  const auto best = [](const SiteCall& c) {
    return std::ranges::min_element(c.likelihoods) - c.likelihoods.begin();
  };
  EXPECT_EQ(best(call(30, 0, 2)), 0);
  EXPECT_EQ(best(call(15, 15, 2)), 1);
  EXPECT_EQ(best(call(0, 30, 2)), 2);
  EXPECT_EQ(best(call(2, 30, 1)), 1);
  EXPECT_LT(call(30, 0, 2).quality, 0.1);
  EXPECT_GT(call(15, 15, 2).quality, 200);
  EXPECT_GT(call(15, 15, 2).genotype_quality, 90);
  // Likelihoods of n reads of each: 35 phred apart for a homozygote, 3.01 a read for a
  // heterozygote.
  const SiteCall even = call(10, 10, 2);
  EXPECT_NEAR(even.likelihoods[0], 350 - 20 * 10 * std::log10(2), 0.05);
  EXPECT_NEAR(even.likelihoods[0], even.likelihoods[2], 1e-9);
  // One read more for an allele never makes it less sure.
  double quality = 0;
  for (int n = 0; n < 12; ++n) {
    const double now = call(10, n, 2).quality;
    EXPECT_GE(now, quality - 1e-9);
    quality = now;
  }
}

TEST_F(Calling, FindsAllChangesAndNothingElse) {
  run.outputs = {{"variants", folder.path("calls.vcf")}};
  const Json metrics = run_app(germline_app(), run);
  const std::vector<Change> found = changes_of(lines_of(read_file(folder.path("calls.vcf"))));
  ASSERT_EQ(found.size(), changes.size());
  for (std::size_t i = 0; i < changes.size(); ++i) {
    // The same sequence, however it is written.
    EXPECT_EQ(haplotype_of(genome, {found[i]}, 0), haplotype_of(genome, {changes[i]}, 0))
        << changes[i].position;
    EXPECT_EQ(found[i].copies, changes[i].copies) << changes[i].position;
  }
  EXPECT_EQ(metrics["variants"]["passed"], changes.size());
}

TEST_F(Calling, TellsOfRegionsWhatItTellsOfTheWhole) {
  run.outputs = {{"variants", folder.path("whole.vcf")}};
  run_app(germline_app(), run);
  std::string expected;
  std::istringstream whole(read_file(folder.path("whole.vcf")));
  for (std::string line; std::getline(whole, line);) {
    const std::size_t tab = line.find('\t') + 1;
    const bool inside = line.starts_with('#') || (std::stoul(line.substr(tab)) > 20'000 &&
                                                  std::stoul(line.substr(tab)) <= 54'500);
    if (inside) expected += line + "\n";
  }
  run.inputs["regions"] = {folder.write("some.bed", "one\t20000\t54500\n")};
  run.outputs = {{"variants", folder.path("some.vcf")}};
  run_app(germline_app(), run);
  EXPECT_EQ(read_file(folder.path("some.vcf")), expected);
}

TEST(ReferenceBlocks, AreSureWhereReadsAgree) {
  EXPECT_EQ(reference_quality({0, 0}, 2), 0);
  EXPECT_EQ(reference_quality({10, 0}, 2), 30);
  EXPECT_EQ(reference_quality({60, 0}, 2), 99);
  EXPECT_EQ(reference_quality({10, 5}, 2), 0);
  EXPECT_GT(reference_quality({3, 0}, 1), reference_quality({3, 0}, 2));
  for (std::uint16_t n = 1; n < 40; ++n) {
    EXPECT_GE(reference_quality({n, 0}, 2),
              reference_quality({static_cast<std::uint16_t>(n - 1), 0}, 2));
    EXPECT_LE(reference_quality({n, 1}, 2), reference_quality({n, 0}, 2));
  }
}

TEST_F(Calling, GvcfTellsOfEveryBaseOnce) {
  run.outputs = {{"gvcf", folder.path("calls.g.vcf")}, {"variants", folder.path("calls.vcf")}};
  run_app(germline_app(), run);
  std::vector<int> told(genome.size(), 0);
  std::size_t variants = 0;
  std::istringstream text(read_file(folder.path("calls.g.vcf")));
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    std::string f[10];
    for (std::string& field : f) fields >> field;
    const std::size_t begin = std::stoul(f[1]) - 1;
    std::size_t end = begin + f[3].size();
    if (f[4] == "<NON_REF>")
      end = std::stoul(f[7].substr(f[7].find("END=") + 4));
    else
      variants += f[9].starts_with("0/0:") ? 0 : 1;
    EXPECT_TRUE(f[4].ends_with("<NON_REF>"));
    EXPECT_EQ(genome.substr(begin, f[3].size()), f[3]);
    // Genotype likelihoods are as many as the alleles make.
    const auto alleles = 2 + std::ranges::count(f[4], ',');
    const std::string likelihoods =
        f[9].substr(f[9].find_last_of(':', f[8].ends_with("PS") ? f[9].find_last_of(':') - 1
                                                                : std::string::npos) +
                    1);
    EXPECT_EQ(std::ranges::count(likelihoods.substr(0, likelihoods.find(':')), ',') + 1,
              alleles * (alleles + 1) / 2)
        << line;
    for (std::size_t i = begin; i < end; ++i) ++told[i];
  }
  EXPECT_EQ(variants, lines_of(read_file(folder.path("calls.vcf"))).size());
  EXPECT_EQ(std::ranges::count(told, 1), static_cast<std::ptrdiff_t>(genome.size()));
}

TEST(WeakCandidates, AreToldInGvcfOnly) {
  const Folder folder;
  ReadMaker maker(24);
  const std::string genome = random_genome(maker, 60'000);
  std::vector<Change> changes;
  for (std::size_t at = 300; at < 59'500; at += 100)
    changes.push_back({at, 1, std::string(1, genome[at] == 'A' ? 'C' : 'A'), 1});
  // One read in ten has the change, at 20x: too few to call a heterozygote, mostly.
  std::vector<std::string> haplotypes(10, genome);
  haplotypes[0] = haplotype_of(genome, changes, 0);
  const auto [one, two] = sequence(maker, haplotypes, genome.size() * 20 / 300);
  run_app(
      germline_app(),
      {.inputs = {{"reads", {folder.write("r1.fq", one)}},
                  {"reads2", {folder.write("r2.fq", two)}},
                  {"reference", {folder.write("genome.fa", ">one\n" + genome + "\n")}}},
       .outputs = {{"gvcf", folder.path("calls.g.vcf")}, {"variants", folder.path("calls.vcf")}}});
  std::set<std::string> called;
  const auto fields_of = [](const std::string& line) {
    std::vector<std::string> out;
    std::istringstream text(line);
    for (std::string field; std::getline(text, field, '\t');) out.push_back(field);
    return out;
  };
  std::istringstream calls(read_file(folder.path("calls.vcf")));
  for (std::string line; std::getline(calls, line);) {
    if (!line.starts_with('#')) called.insert(fields_of(line)[1]);
  }
  std::size_t weak = 0, there = 0, last_end = 0;
  std::istringstream text(read_file(folder.path("calls.g.vcf")));
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with('#')) continue;
    const auto f = fields_of(line);
    const std::size_t begin = std::stoul(f[1]) - 1;
    EXPECT_GE(begin, last_end) << line;
    last_end = f[4] == "<NON_REF>" ? std::stoul(f[7].substr(4)) : begin + f[3].size();
    if (f[4] == "<NON_REF>") continue;
    EXPECT_EQ(f[9].starts_with("0/0:"), !called.contains(f[1])) << line;
    if (!f[9].starts_with("0/0:")) continue;
    ++weak;
    const std::string likelihoods = f[9].substr(f[9].find_last_of(':') + 1);
    EXPECT_LE(std::stoi(likelihoods.substr(likelihoods.find(',') + 1)), 60) << line;
    EXPECT_EQ(f[6], ".");
    there += begin % 100 == 0 ? 1 : 0;
  }
  EXPECT_GE(there * 10, weak * 7);
  EXPECT_GT(weak, 5U);
  EXPECT_LT(called.size(), changes.size() / 2);
}

TEST(FewReads, ShowMostIndelsAndNoOthers) {
  const Folder folder;
  ReadMaker maker(25);
  const std::string genome = random_genome(maker, 60'000);
  std::vector<Change> changes;
  for (std::size_t at = 300; at < 59'500; at += 300) {
    const std::size_t size = 1 + at / 300 % 20;
    if (at / 300 % 2 == 0)
      changes.push_back({at, size, "", 1});
    else
      changes.push_back({at, 0, random_genome(maker, size), 1});
  }
  const auto [one, two] =
      sequence(maker, {genome, haplotype_of(genome, changes, 0)}, genome.size() * 8 / 300);
  run_app(germline_app(),
          {.inputs = {{"reads", {folder.write("r1.fq", one)}},
                      {"reads2", {folder.write("r2.fq", two)}},
                      {"reference", {folder.write("genome.fa", ">one\n" + genome + "\n")}}},
           .outputs = {{"variants", folder.path("calls.vcf")}}});
  std::size_t found = 0, others = 0;
  std::istringstream calls(read_file(folder.path("calls.vcf")));
  for (std::string line; std::getline(calls, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    std::string contig, position, id, reference, other;
    fields >> contig >> position >> id >> reference >> other;
    // Where a change can be moved, it is told somewhat to the left.
    const std::size_t from_change = (std::stoul(position) + 10) % 300;
    const bool is_change = reference.size() != other.size() && from_change <= 12;
    is_change ? ++found : ++others;
  }
  // (160 of 198 are found by two reads or more.)
  EXPECT_GT(found, changes.size() * 88 / 100);
  EXPECT_LE(others, 3U);
}

TEST_F(Calling, IsTheSameForAnyThreadsAndMemory) {
  std::string calls, alignments;
  for (const auto& [threads, memory] :
       std::vector<std::pair<unsigned, std::int64_t>>{{1, 1 << 30}, {3, 1 << 30}, {2, 8 << 20}}) {
    run.outputs = {{"variants", folder.path("calls.vcf.gz")},
                   {"alignments", folder.path("reads.bam")}};
    run.options["memory"] = memory;
    run.threads = threads;
    const Json metrics = run_app(germline_app(), run);
    EXPECT_EQ(metrics["spilled_bytes"] > 0, memory < 1 << 30);
    const std::string now = read_file(folder.path("calls.vcf.gz")),
                      bam = read_file(folder.path("reads.bam"));
    if (calls.empty()) {
      calls = now;
      alignments = bam;
    }
    EXPECT_TRUE(now == calls);
    EXPECT_TRUE(bam == alignments);
  }
  EXPECT_TRUE(std::filesystem::exists(folder.path("calls.vcf.gz.tbi")));
}

/// What htslib reads in a file of alignments.
struct ReadBack {
  std::uint64_t records = 0, mapped = 0, duplicates = 0, well_placed = 0;
  bool sorted = true;
};

ReadBack read_back(const std::filesystem::path& path, const std::filesystem::path& reference) {
  ReadBack out;
  samFile* file = sam_open(path.c_str(), "r");
  EXPECT_NE(file, nullptr);
  hts_set_fai_filename(file, reference.c_str());
  sam_hdr_t* header = sam_hdr_read(file);
  bam1_t* record = bam_init1();
  std::pair<std::uint32_t, hts_pos_t> last{0, 0};
  while (sam_read1(file, header, record) >= 0) {
    const bam1_core_t& core = record->core;
    const std::pair place{static_cast<std::uint32_t>(core.tid), core.pos};
    out.sorted = out.sorted && !(place < last);
    last = place;
    ++out.records;
    if ((core.flag & BAM_FUNMAP) != 0) continue;
    ++out.mapped;
    if ((core.flag & BAM_FDUP) != 0) ++out.duplicates;
    EXPECT_EQ(bam_cigar2qlen(static_cast<int>(core.n_cigar), bam_get_cigar(record)), core.l_qseq);
    EXPECT_NE(bam_aux_get(record, "MD"), nullptr);
    EXPECT_NE(bam_aux_get(record, "RG"), nullptr);
  }
  bam_destroy1(record);
  sam_hdr_destroy(header);
  sam_close(file);
  return out;
}

TEST_F(Calling, AlignmentsAreWhatHtslibReads) {
  for (const std::string name : {"a.bam", "a.cram", "a.sam"}) {
    run.outputs = {{"alignments", folder.path(name)}};
    const Json metrics = run_app(align_app(), run);
    const ReadBack back = read_back(folder.path(name), folder.path("genome.fa"));
    EXPECT_EQ(back.records, 56'000 + metrics["reads"]["supplementary"].get<std::uint64_t>());
    EXPECT_TRUE(back.sorted);
    EXPECT_GT(back.mapped, 55'990U);
    EXPECT_GE(back.duplicates, metrics["reads"]["duplicates"].get<std::uint64_t>());
  }
  EXPECT_TRUE(std::filesystem::exists(folder.path("a.bam.bai")));
  EXPECT_TRUE(std::filesystem::exists(folder.path("a.cram.crai")));
}

// CRAM checks the reference's letters by MD5; none may have been made an N on the way.
TEST(AlignApp, CramIsReadWithAReferenceOfIupacLetters) {
  const Folder folder;
  ReadMaker maker(24);
  std::string genome = random_genome(maker, 6000);
  const std::string read1 = genome.substr(2000, 100), read2 = genome.substr(2300, 100);
  genome[2050] = 'R';
  genome[2310] = 'M';
  const auto reference = folder.write("genome.fa", ">one\n" + genome + "\n");
  const std::string quality(100, 'I');
  for (const bool index_is_there : {false, true}) {
    run_app(
        align_app(),
        {.inputs = {{"reads", {folder.write("1.fq", "@a\n" + read1 + "\n+\n" + quality + "\n")}},
                    {"reads2",
                     {folder.write("2.fq", "@a\n" + ReadMaker::reverse_complement(read2) + "\n+\n" +
                                               quality + "\n")}},
                    {"reference", {reference}}},
         .outputs = {{"alignments", folder.path("out.cram")}},
         .options = {}});
    const ReadBack back = read_back(folder.path("out.cram"), reference);
    EXPECT_EQ(back.records, 2U) << index_is_there;
    EXPECT_EQ(back.mapped, 2U) << index_is_there;
  }
}

TEST(AlignApp, RefusesBadInputAndLeavesNothing) {
  const Folder folder;
  ReadMaker maker(23);
  const auto reference = folder.write("genome.fa", ">one\n" + random_genome(maker, 5000) + "\n");
  const auto reads = folder.write("r1.fq", "@a\nACGT\n+\nIIII\n@b\nACGT\n+\nIIII\n");
  const auto run = [&](const std::string& mates, std::map<std::string, app::Value> options = {}) {
    run_app(align_app(), {.inputs = {{"reads", {reads}},
                                     {"reads2", {folder.write("r2.fq", mates)}},
                                     {"reference", {reference}}},
                          .outputs = {{"alignments", folder.path("out.bam")}},
                          .options = std::move(options)});
  };
  expect_error(Errc::CorruptData, {"r1.fq", "record 2", "no mate"},
               [&] { run("@a\nACGT\n+\nIIII\n"); });
  expect_error(Errc::CorruptData, {"record 2"},
               [&] { run("@a\nACGT\n+\nIIII\n@c\nACGT\n+\nIIII\n"); });
  expect_error(Errc::CorruptData, {"r2.fq", "record 2"},
               [&] { run("@a\nACGT\n+\nIIII\n@b\nACGT\n+\nIII\n"); });
  expect_error(Errc::InvalidArgument, {"read_group"}, [&] {
    run("@a\nACGT\n+\nIIII\n@b\nACGT\n+\nIIII\n", {{"read_group", std::string("RG ID:1")}});
  });
  expect_error(Errc::InvalidArgument, {"interleaved"},
               [&] { run("@a\nACGT\n+\nIIII\n@b\nACGT\n+\nIIII\n", {{"interleaved", true}}); });
  EXPECT_FALSE(std::filesystem::exists(folder.path("out.bam")));
  run("@a\nACGT\n+\nIIII\n@b\nACGT\n+\nIIII\n");
  EXPECT_TRUE(std::filesystem::exists(folder.path("out.bam")));
}

}  // namespace
}  // namespace aceso::genomics
