#include "compare_pipeline.hpp"
#include "compare_report.hpp"
#include "haplotype_match.hpp"
#include "superloci.hpp"

#include "reads_testing.hpp"

#include "aceso/core/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>

namespace aceso::genomics {
namespace {

std::string codes(const std::string& letters) {
  std::string out;
  for (const char letter : letters) out += static_cast<char>(code_of_base(letter));
  return out;
}

std::span<const std::uint8_t> bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// A line of VCF.
struct Line {
  int position;  ///< 1-based
  std::string reference, alternatives, genotype;
  double quality = 50;
  std::string filter = "PASS";
};

std::string vcf(const std::vector<Line>& lines, const std::string& contig = "c1") {
  std::string out =
      "##fileformat=VCFv4.2\n##FILTER=<ID=low,Description=\"x\">\n"
      "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"x\">\n"
      "##FORMAT=<ID=GQ,Number=1,Type=Integer,Description=\"x\">\n"
      "##ALT=<ID=DEL,Description=\"x\">\n"
      "##contig=<ID=" +
      contig + ">\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n";
  for (const Line& line : lines)
    out += fmt::format("{}\t{}\t.\t{}\t{}\t{}\t{}\t.\tGT:GQ\t{}:7\n", contig, line.position,
                       line.reference, line.alternatives, line.quality, line.filter, line.genotype);
  return out;
}

class Comparison {
 public:
  explicit Comparison(const std::string& reference) {
    job.reference = folder.write("ref.fa", ">c1\n" + reference + "\n");
  }

  CompareResult run(const std::string& truth, const std::string& calls, unsigned threads = 1) {
    job.truth = folder.write("truth.vcf", truth);
    job.calls = folder.write("calls.vcf", calls);
    return run(threads);
  }
  /// What `job` says.
  CompareResult run(unsigned threads) {
    Progress progress;
    Warnings sink;
    app::Report report;
    metrics = {};
    app::RunContext context{.progress = progress,
                            .log = {},
                            .warnings = sink,
                            .report = report,
                            .metrics = metrics,
                            .stop = {},
                            .threads = threads,
                            .scratch = {}};
    CompareResult result = run_compare(job, context);
    report_compare(result, context);
    warnings.clear();
    for (const WarningCount& count : sink.counts()) warnings[count.kind] = count.count;
    return result;
  }
  CompareResult run(const std::vector<Line>& truth, const std::vector<Line>& calls) {
    return run(vcf(truth), vcf(calls));
  }

  Folder folder;
  CompareJob job;
  Json metrics;
  std::map<std::string, std::uint64_t> warnings;
};

std::uint64_t errors_of(const CompareResult& result) {
  std::uint64_t sum = 0;
  for (const VariantClass c : {VariantClass::Snp, VariantClass::Indel})
    sum += result.counts.of(c).fp + result.counts.of(c).fn;
  return sum;
}

void expect_same(const std::string& reference, const std::vector<Line>& truth,
                 const std::vector<Line>& calls) {
  Comparison comparison(reference);
  for (const bool swapped : {false, true}) {
    const CompareResult result =
        swapped ? comparison.run(calls, truth) : comparison.run(truth, calls);
    EXPECT_EQ(errors_of(result), 0U);
    EXPECT_GT(result.counts.of(VariantClass::Snp).tp + result.counts.of(VariantClass::Indel).tp,
              0U);
  }
}

//                            1234567890123456789012345678901234567890
const std::string kSequence = "GATTACAGGCTCACACACATTTGACCGGTAACGTAGCTAG";

TEST(Compare, SubstitutionsOfSeveralBasesMatchThoseOfOne) {
  expect_same(kSequence, {{4, "TA", "CG", "1/1"}}, {{4, "T", "C", "1/1"}, {5, "A", "G", "1/1"}});
  expect_same(kSequence, {{4, "TAC", "CAG", "0/1"}}, {{4, "T", "C", "0/1"}, {6, "C", "G", "0/1"}});
}

TEST(Compare, AnIndelMayStandAnywhereInItsRepeat) {
  // CACACACA at 12 to 19: one copy less at its beginning, in its middle, at its end.
  expect_same(kSequence, {{11, "TCA", "T", "0/1"}}, {{13, "ACA", "A", "0/1"}});
  expect_same(kSequence, {{11, "TCA", "T", "1/1"}}, {{17, "ACA", "A", "1/1"}});
  expect_same(kSequence, {{11, "T", "TCA", "0/1"}}, {{19, "A", "ACA", "1|0"}});
}

TEST(Compare, ComplexAllelesMatchTheirParts) {
  expect_same(kSequence, {{4, "TACA", "CAC", "0/1"}},
              {{4, "T", "C", "0/1"}, {6, "CA", "C", "0/1"}});
  // GG -> G and the change behind it.
  expect_same(kSequence, {{7, "AGGC", "AGT", "1/1"}},
              {{7, "AG", "A", "1/1"}, {10, "C", "T", "1/1"}});
}

TEST(Compare, TwoNeighboursOnDifferentHaplotypesMayShareALine) {
  expect_same(kSequence, {{4, "TA", "CA,TG", "1/2"}}, {{4, "T", "C", "0/1"}, {5, "A", "G", "0/1"}});
  expect_same(kSequence, {{11, "TCA", "T,TCACA", "1/2"}},
              {{11, "TCA", "T", "0/1"}, {19, "A", "ACA", "0/1"}});
}

TEST(Compare, ADeletionAndWhatLiesOnTheOtherHaplotypeMatch) {
  expect_same(kSequence, {{3, "TTAC", "T", "0/1"}, {5, "A", "*,G", "1/2"}},
              {{3, "TTAC", "T", "1|0"}, {5, "A", "G", "0|1"}});
}

TEST(Compare, HaploidGenotypesAreThoseOfTwoEqualAlleles) {
  expect_same(kSequence, {{4, "T", "C", "1"}}, {{4, "T", "C", "1/1"}});
}

TEST(Compare, GenotypesOfManyCopiesMatchByTheirHaplotypes) {
  // Phases are free: the two neighbours of the complex allele may lie on the same copy.
  expect_same(kSequence, {{4, "TA", "CG", "0/0/0/1"}},
              {{4, "T", "C", "0/0/0/1"}, {5, "A", "G", "0/1/0/0"}});
  expect_same(kSequence, {{4, "TA", "CG,CA,TG", "0/1/2/3"}},
              {{4, "T", "C", "0/0/1/1"}, {5, "A", "G", "0/0/1/1"}});
  // Copies of a repeat gained and lost, written at its other end.
  expect_same(kSequence, {{11, "TCA", "T,TCACA", "0/1/1/2/2/2"}},
              {{17, "ACA", "A", "0/0/0/0/1/1"}, {19, "A", "ACA", "0/0/0/1/1/1"}});
}

TEST(Compare, AWrongDosageIsAWrongGenotype) {
  Comparison comparison(kSequence);
  const CompareResult result =
      comparison.run({{4, "T", "C", "0/0/1/1"}, {25, "C", "A", "0/0/0/1"}},
                     {{4, "T", "C", "0/1/1/1"}, {25, "C", "A", "0/0/0/1"}});
  const VariantTally& snp = result.counts.of(VariantClass::Snp);
  EXPECT_EQ(snp.tp, 1U);
  EXPECT_EQ(snp.fn, 1U);
  EXPECT_EQ(snp.fp_gt, 1U);
  EXPECT_EQ(result.first_errors.front().genotype, "0/0/1/1");
  EXPECT_EQ(result.left_out_truth.polyploid, 0U);
}

TEST(Compare, DifferentNumbersOfCopiesMatchByTheSharesOfTheirAlleles) {
  expect_same(kSequence, {{4, "T", "C", "1"}}, {{4, "T", "C", "1/1/1/1"}});
  expect_same(kSequence, {{4, "T", "C", "1/1/1"}}, {{4, "T", "C", "1/1"}});
  expect_same(kSequence, {{4, "T", "C", "0/1"}}, {{4, "T", "C", "0/0/1/1"}});
  expect_same(kSequence, {{4, "TAC", "CAG", "0/0/0/1/1/1"}},
              {{4, "T", "C", "0/1"}, {6, "C", "G", "0/0/1/1"}});
  const auto errors = [](const std::string& one, const std::string& two) {
    Comparison comparison(kSequence);
    return errors_of(comparison.run({{4, "T", "C", one}}, {{4, "T", "C", two}}));
  };
  EXPECT_EQ(errors("1", "0/1"), 2U);
  EXPECT_EQ(errors("0/1", "0/0/0/1"), 2U);
  EXPECT_EQ(errors("0/0/1", "0/0/0/1"), 2U);  // no number up to eight is a multiple of both
}

TEST(Compare, AWrongGenotypeIsFalseAndMissed) {
  Comparison comparison(kSequence);
  const CompareResult result = comparison.run({{4, "T", "C", "0/1"}}, {{4, "T", "C", "1/1"}});
  const VariantTally& snp = result.counts.of(VariantClass::Snp);
  EXPECT_EQ(snp.tp, 0U);
  EXPECT_EQ(snp.fn, 1U);
  EXPECT_EQ(snp.fp, 1U);
  EXPECT_EQ(snp.fp_gt, 1U);
  EXPECT_EQ(comparison.metrics["snp"]["fp_gt"], 1);
}

TEST(Compare, CallsThatCancelEachOtherAreFalse) {
  // A copy less and a copy more on the same haplotype: no change, and nothing to match.
  Comparison comparison(kSequence);
  const CompareResult result =
      comparison.run({{30, "A", "C", "1/1"}},
                     {{11, "TCA", "T", "1/1"}, {19, "A", "ACA", "1/1"}, {30, "A", "C", "1/1"}});
  EXPECT_EQ(result.counts.of(VariantClass::Indel).fp, 2U);
  EXPECT_EQ(result.counts.of(VariantClass::Snp).tp, 1U);
}

TEST(Compare, RegionsDecideWhatCounts) {
  Comparison comparison(kSequence);
  comparison.job.regions = comparison.folder.write("r.bed", "c1\t0\t10\nc1\t20\t25\n");
  const CompareResult result = comparison.run({{4, "T", "C", "1/1"}, {30, "A", "C", "1/1"}},
                                              {{4, "T", "C", "1/1"}, {14, "C", "G", "1/1"}});
  EXPECT_EQ(result.counts.of(VariantClass::Snp).tp, 1U);
  EXPECT_EQ(errors_of(result), 0U);
  EXPECT_EQ(result.counts.outside_truth, 1U);
  EXPECT_EQ(result.counts.outside_calls, 1U);
}

TEST(Compare, VariantsOutsideTheRegionsMayMatchThoseInside) {
  Comparison comparison(kSequence);
  comparison.job.regions = comparison.folder.write("r.bed", "c1\t16\t30\n");
  // The truth's deletion stands inside, the call's before the region.
  const CompareResult result = comparison.run({{17, "ACA", "A", "1/1"}}, {{11, "TCA", "T", "1/1"}});
  EXPECT_EQ(result.counts.of(VariantClass::Indel).tp, 1U);
  EXPECT_EQ(errors_of(result), 0U);
  EXPECT_EQ(result.counts.outside_calls, 1U);
}

TEST(Compare, FilteredAndPoorCallsAreLeftOut) {
  Comparison comparison(kSequence);
  const std::vector<Line> truth{{4, "T", "C", "1/1"}, {9, "G", "C", "1/1"}};
  const std::vector<Line> calls{{4, "T", "C", "1/1", 50, "low"}, {9, "G", "C", "1/1", 10}};
  EXPECT_EQ(comparison.run(truth, calls).counts.of(VariantClass::Snp).tp, 1U);
  comparison.job.min_quality = 20;
  EXPECT_EQ(comparison.run(truth, calls).counts.of(VariantClass::Snp).tp, 0U);
  comparison.job.use_filtered = true;
  EXPECT_EQ(comparison.run(truth, calls).counts.of(VariantClass::Snp).tp, 1U);
}

TEST(Compare, TheCurveEndsAtAllCallsAndItsBestIsFound) {
  Comparison comparison(kSequence);
  const CompareResult result = comparison.run(
      {{4, "T", "C", "1/1"}, {9, "G", "C", "1/1"}},
      {{4, "T", "C", "1/1", 40}, {9, "G", "C", "1/1", 30}, {25, "C", "A", "0/1", 5}});
  const std::vector<RocPoint> points = result.counts.roc(VariantClass::Snp);
  ASSERT_EQ(points.size(), 3U);
  EXPECT_EQ(points.back().tally.fp, 1U);
  EXPECT_EQ(points.back().tally.tp, 2U);
  const auto best = best_point(points);
  EXPECT_EQ(best->threshold, 30);
  EXPECT_EQ(best->tally.f1(), 1.0);
}

TEST(Compare, OddRecordsAreWarnedOf) {
  Comparison comparison(kSequence);
  const CompareResult result = comparison.run(
      {{4, "T", "C", "./1"}, {9, "G", "<DEL>", "0/1"}, {12, "C", "G", "0/0/0/0/0/0/0/1/1"}},
      {{4, "T", "C", "0/1"}, {6, "C", "G", "./."}, {7, "A", ".", "0/0"}});
  EXPECT_EQ(errors_of(result), 0U);
  EXPECT_EQ(result.counts.of(VariantClass::Snp).tp, 1U);
  EXPECT_EQ(comparison.warnings["compare.half_call"], 1U);
  EXPECT_EQ(comparison.warnings["compare.symbolic_allele"], 1U);
  EXPECT_EQ(comparison.warnings["compare.polyploid"], 1U);
  EXPECT_EQ(result.left_out_calls.no_genotype, 1U);
  EXPECT_EQ(result.left_out_calls.reference_genotype, 1U);
}

TEST(Compare, BadFilesAreNamed) {
  Comparison comparison(kSequence);
  const std::string good = vcf({{4, "T", "C", "1/1"}});
  const auto refused = [&](const std::string& calls, const std::vector<std::string>& parts,
                           Errc code = Errc::CorruptData) {
    comparison.job.annotated = comparison.folder.path("out.vcf.gz");
    expect_error(code, parts, [&] { comparison.run(good, calls); });
    EXPECT_FALSE(std::filesystem::exists(*comparison.job.annotated));
  };
  refused(vcf({{4, "G", "C", "1/1"}}), {"calls.vcf: record 1 (c1:4)", "REF is G", "has T"});
  refused(vcf({{9, "G", "C", "1/1"}, {4, "T", "C", "1/1"}}), {"record 2 (c1:4)", "sorted"});
  refused(vcf({{40, "GA", "C", "1/1"}}), {"record 1 (c1:40)", "last base, 40"});
  refused(vcf({{4, "T", "C", "0/3"}}), {"record 1", "names allele 3"});
  refused(vcf({{4, "T", "C", "1/1"}}, "chrc1"), {"none of its contigs", "chrc1", "calls it c1"});
  const std::string whole = bgzf(vcf(std::vector<Line>(20'000, {4, "T", "C", "1/1"})));
  for (const unsigned threads : {1U, 3U}) {
    comparison.job.calls = comparison.folder.write("cut.vcf.gz", whole.substr(0, whole.size() / 2));
    expect_error(Errc::CorruptData, {"cut.vcf.gz: record", "cannot be read"},
                 [&] { comparison.run(threads); });
  }
  refused("not a VCF\n", {"calls.vcf", "neither VCF nor BCF"});
  refused("", {"calls.vcf", "neither VCF nor BCF"});
  comparison.job.sample = "other";
  refused(good, {"no sample called \"other\"", "s"}, Errc::InvalidArgument);
  comparison.job.sample.reset();
  comparison.job.score_field = "ZZ";
  refused(good, {"declares no FORMAT or INFO field \"ZZ\""}, Errc::InvalidArgument);
}

TEST(Compare, SeveralSamplesNeedAName) {
  Comparison comparison(kSequence);
  std::string two = vcf({{4, "T", "C", "0/1"}});
  two.replace(two.find("\ts\n"), 3, "\ta\tb\n");
  two.replace(two.find("0/1:7"), 5, "0/1:7\t1/1:7");
  const std::string truth = vcf({{4, "T", "C", "1/1"}});
  expect_error(Errc::InvalidArgument, {"2 samples", "--sample", "a, b"},
               [&] { comparison.run(truth, two); });
  comparison.job.sample = "b";
  EXPECT_EQ(errors_of(comparison.run(truth, two)), 0U);
  comparison.job.sample = "a";
  EXPECT_EQ(errors_of(comparison.run(truth, two)), 2U);
}

TEST(Compare, BadIntervalsAreNamed) {
  Comparison comparison(kSequence);
  const std::string good = vcf({{4, "T", "C", "1/1"}});
  const auto refused = [&](const std::string& bed, const std::vector<std::string>& parts) {
    comparison.job.regions = comparison.folder.write("r.bed", bed);
    expect_error(Errc::CorruptData, parts, [&] { comparison.run(good, good); });
  };
  refused("c1\t9\t3\n", {"r.bed: line 1", "ends (3) before it begins (9)"});
  refused("#x\nc1\t9\n", {"r.bed: line 2", "expected a contig, a beginning and an end"});
  refused("c1\t9\tx\n", {"line 1", "expected a position, found \"x\""});
  refused("chrc1\t1\t9\n", {"none of its contigs", "calls it c1"});
  comparison.job.regions = comparison.folder.write("r.bed", "c1\t3\t3\nc1\t1\t90\n");
  EXPECT_EQ(comparison.run(good, good).region_bases, 39U);
  EXPECT_EQ(comparison.warnings["bed.empty_interval"], 1U);
  EXPECT_EQ(comparison.warnings["bed.beyond_contig"], 1U);
}

// --- Random sets beside slow and obvious versions ----------------------------------------------

/// Random lines over a sequence of few letters, so that there are repeats.
class LineMaker {
 public:
  explicit LineMaker(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t limit) { return random_() % limit; }
  std::string bases(std::size_t length, const char* letters = "ACGT") {
    std::string out;
    const std::size_t kinds = std::string_view(letters).size();
    for (std::size_t i = 0; i < length; ++i) out += letters[below(kinds)];
    return out;
  }
  Line line(const std::string& reference, std::size_t at, const char* letters) {
    const std::size_t size = 1 + below(std::min<std::size_t>(3, reference.size() - at));
    Line out{static_cast<int>(at + 1), reference.substr(at, size), {}, {}};
    do {
      out.alternatives = bases(1 + below(4), letters);
    } while (out.alternatives == out.reference);
    out.genotype = below(3) == 0 ? "1/1" : "0/1";
    if (below(5) == 0) {
      out.alternatives += "," + out.reference + "A";
      out.genotype = "1/2";
    }
    return out;
  }
  /// One for about every `step` bases, not overlapping.
  std::vector<Line> lines(const std::string& reference, std::size_t step) {
    std::vector<Line> out;
    for (std::size_t at = below(step); at + 4 < reference.size(); at += 5 + below(step))
      out.push_back(line(reference, at, "ACGT"));
    return out;
  }

 private:
  std::mt19937 random_;
};

GenotypeRecord record_of(const Line& line) {
  GenotypeRecord out;
  out.contig = 0;
  out.position = static_cast<std::uint32_t>(line.position - 1);
  out.alleles = {line.reference};
  std::size_t at = 0;
  while (at <= line.alternatives.size()) {
    const std::size_t end = std::min(line.alternatives.find(',', at), line.alternatives.size());
    out.alleles.push_back(line.alternatives.substr(at, end - at));
    at = end + 1;
  }
  for (std::size_t i = 0; i < line.genotype.size(); i += 2)
    out.genotype.push_back(line.genotype[i] - '0');
  return out;
}

TEST(VariantPieces, PutBackTogetherGiveTheirRecord) {
  LineMaker maker(5);
  for (int round = 0; round < 5000; ++round) {
    const std::string reference = maker.bases(12, "AC");
    Line line{3, reference.substr(2, 1 + maker.below(8)), {}, "0/1"};
    line.alternatives =
        maker.bases(1 + maker.below(9), "AC") + "," + maker.bases(1 + maker.below(9), "AC");
    line.genotype = std::to_string(maker.below(3));
    const std::size_t copies = 2 + maker.below(3);
    while (line.genotype.size() < 2 * copies - 1)
      line.genotype += fmt::format("/{}", maker.below(3));
    const GenotypeRecord record = record_of(line);
    const std::string contig = codes(reference);
    std::vector<VariantPiece> pieces;
    (void)cut_to_pieces(bytes(contig), record, pieces);
    for (std::size_t h = 0; h < copies; ++h) {
      std::string expected = contig, found = contig;
      expected.replace(2, line.reference.size(),
                       codes(record.alleles[static_cast<std::size_t>(record.genotype[h])]));
      for (std::size_t i = pieces.size(); i-- > 0;) {
        if (pieces[i].alters[h])
          found.replace(pieces[i].begin, pieces[i].end - pieces[i].begin, pieces[i].alleles[h]);
      }
      EXPECT_EQ(found, expected) << line.reference << ' ' << line.alternatives << ' '
                                 << line.genotype;
    }
    for (std::size_t i = 1; i < pieces.size(); ++i) EXPECT_LE(pieces[i - 1].end, pieces[i].begin);
  }
}

TEST(VariantPieces, ShiftedAllelesGiveTheSameHaplotype) {
  LineMaker maker(6);
  for (int round = 0; round < 3000; ++round) {
    const std::string reference = codes(maker.bases(20, "AC"));
    VariantPiece piece;
    piece.begin = static_cast<std::uint32_t>(4 + maker.below(8));
    piece.end = piece.begin + static_cast<std::uint32_t>(maker.below(4));
    piece.alleles[0] = codes(maker.bases(maker.below(4), "AC"));  // (the other copy is empty)
    piece.alters = {true, false};
    const ShiftedAllele shifted = shift_left(bytes(reference), piece, 0);
    std::string one = reference, two = reference;
    one.replace(piece.begin, piece.end - piece.begin, piece.alleles[0]);
    two.replace(shifted.begin, shifted.end - shifted.begin, shifted.bases);
    EXPECT_EQ(one, two);
    EXPECT_LE(shifted.begin, piece.begin + piece.alleles[0].size());
  }
}

/// Tries each choice of variants and phases. Returns the most that match, of both sets together.
class BruteForce {
 public:
  BruteForce(const std::string& contig, const std::vector<VariantPiece>& truth,
             const std::vector<VariantPiece>& calls, std::size_t copies = 2)
      : contig_(contig), copies_(copies) {
    for (const VariantPiece& piece : truth) order_.push_back({&piece, 0});
    for (const VariantPiece& piece : calls) order_.push_back({&piece, 1});
    std::ranges::stable_sort(order_, [](const auto& a, const auto& b) {
      return std::pair(a.first->begin, a.first->end) < std::pair(b.first->begin, b.first->end);
    });
    for (const auto& [piece, side] : order_) phases_.push_back(phases_of(*piece));
    choice_.assign(order_.size(), 0);
  }

  /// How many choices there are.
  double choices() const {
    double out = 1;
    for (const auto& phases : phases_) out *= static_cast<double>(phases.size() + 1);
    return out;
  }

  int best() {
    int best = 0;
    for (;;) {
      best = std::max(best, score());
      std::size_t i = 0;
      while (i < choice_.size() && choice_[i] == phases_[i].size()) choice_[i++] = 0;
      if (i == choice_.size()) return best;
      ++choice_[i];
    }
  }

 private:
  /// The copy of the piece that stands on each haplotype, in all orders that differ.
  std::vector<std::vector<std::size_t>> phases_of(const VariantPiece& piece) const {
    std::vector<std::size_t> order;
    for (std::size_t h = 0; h < copies_; ++h) {
      const std::size_t from = h * piece.copies() / copies_;
      order.push_back(static_cast<std::size_t>(
          std::ranges::find(piece.alleles, piece.alleles[from]) - piece.alleles.begin()));
    }
    std::ranges::sort(order);
    std::vector<std::vector<std::size_t>> out;
    do out.push_back(order);
    while (std::ranges::next_permutation(order).found);
    return out;
  }

  /// The haplotype of one set by the first `count` choices, up to `end`; nothing if they overlap
  /// or reach beyond.
  std::optional<std::string> haplotype(int side, std::size_t h, std::size_t count,
                                       std::uint32_t end) const {
    std::string out;
    std::uint32_t at = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const VariantPiece& piece = *order_[i].first;
      if (order_[i].second != side || choice_[i] == 0) continue;
      const std::size_t from = phases_[i][choice_[i] - 1][h];
      if (!piece.alters[from]) continue;
      if (piece.begin < at) return std::nullopt;
      out += contig_.substr(at, piece.begin - at) + piece.alleles[from];
      at = piece.end;
    }
    if (at > end) return std::nullopt;
    return out + contig_.substr(at, end - at);
  }
  bool meet(std::size_t count, std::uint32_t at) const {
    for (std::size_t h = 0; h < copies_; ++h) {
      const auto one = haplotype(0, h, count, at), two = haplotype(1, h, count, at);
      if (!one || !two || *one != *two) return false;
    }
    return true;
  }
  int score() const {
    if (!meet(order_.size(), static_cast<std::uint32_t>(contig_.size()))) return 0;
    int sum = 0, open[2] = {0, 0};
    for (std::size_t i = 0; i < order_.size(); ++i) {
      open[order_[i].second] += choice_[i] != 0;
      const bool last = i + 1 == order_.size();
      if (!last && !meet(i + 1, order_[i + 1].first->begin)) continue;
      if (open[0] > 0 && open[1] > 0) sum += open[0] + open[1];
      open[0] = open[1] = 0;
    }
    return sum;
  }

  const std::string& contig_;
  std::size_t copies_;
  std::vector<std::pair<const VariantPiece*, int>> order_;
  std::vector<std::vector<std::vector<std::size_t>>> phases_;
  std::vector<std::size_t> choice_;
};

/// A genotype of one or two alternatives, on some copies.
std::string genotype_of(LineMaker& maker, std::size_t copies, std::size_t alternatives) {
  std::vector<std::size_t> out;
  for (std::size_t h = 0; h < copies; ++h) out.push_back(maker.below(alternatives + 1));
  out[maker.below(copies)] = 1;
  return fmt::format("{}", fmt::join(out, "/"));
}

/// Variants of both sets that found their like.
int matched(const SuperlocusMatch& match) {
  int found = 0;
  for (const SideMatch* side : {&match.truth, &match.calls}) {
    for (const std::uint32_t stretch : side->stretch) found += stretch > 0;
  }
  return found;
}

/// Variants of both sets that the other one has in the same words.
int written_alike(const std::vector<VariantPiece>& truth, const std::vector<VariantPiece>& calls) {
  int equal = 0;
  for (const VariantPiece& a : truth)
    equal += 2 * std::ranges::any_of(calls, [&](const auto& b) { return a.same_as(b); });
  return equal;
}

TEST(HaplotypeMatch, FindsWhatTryingAllFinds) {
  LineMaker maker(7);
  int matched_rounds = 0, written_otherwise = 0;
  for (int round = 0; round < 12'000; ++round) {
    const std::string reference = maker.bases(14, "AC"), contig = codes(reference);
    std::vector<VariantPiece> sides[2];
    for (auto& pieces : sides) {
      const std::size_t count = 1 + maker.below(3);
      for (std::size_t i = 0; i < count; ++i)
        (void)cut_to_pieces(bytes(contig),
                            record_of(maker.line(reference, 2 + maker.below(9), "AC")), pieces);
      std::ranges::stable_sort(pieces, [](const auto& a, const auto& b) {
        return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
      });
    }
    if (sides[0].size() + sides[1].size() > 8) continue;
    const Superlocus locus{sides[0], sides[1]};
    const SuperlocusMatch match = match_superlocus(bytes(contig), locus);
    EXPECT_FALSE(match.too_complex);
    const int found = matched(match), equal = written_alike(sides[0], sides[1]);
    EXPECT_EQ(found, BruteForce(contig, sides[0], sides[1]).best()) << reference;
    matched_rounds += found > 0;
    written_otherwise += found > equal;
  }
  EXPECT_GT(matched_rounds, 300);
  EXPECT_GT(written_otherwise, 100);
}

TEST(HaplotypeMatch, OfManyCopiesFindsWhatTryingAllFinds) {
  LineMaker maker(8);
  struct Case {
    std::size_t truth, calls, copies;
    int rounds;
  };
  for (const Case& c : {Case{3, 3, 3, 3000}, Case{4, 4, 4, 2500}, Case{6, 6, 6, 1200},
                        Case{2, 4, 4, 1500}, Case{3, 2, 6, 1500}, Case{8, 8, 8, 600}}) {
    int matched_rounds = 0, written_otherwise = 0;
    for (int round = 0; round < c.rounds; ++round) {
      const std::string reference = maker.bases(12, "AC"), contig = codes(reference);
      std::vector<VariantPiece> sides[2];
      std::vector<Line> made;
      for (int side = 0; side < 2; ++side) {
        const std::size_t count = 1 + maker.below(2);
        for (std::size_t i = 0; i < count; ++i) {
          made.push_back(maker.line(reference, 2 + maker.below(7), "AC"));
          // Often one that the truth has.
          if (side == 1 && maker.below(2) == 0) made.back() = made[maker.below(made.size() - 1)];
          Line line = made.back();
          const bool two = line.alternatives.find(',') != std::string::npos;
          line.genotype = genotype_of(maker, side == 0 ? c.truth : c.calls, two ? 2 : 1);
          (void)cut_to_pieces(bytes(contig), record_of(line), sides[side]);
        }
        std::ranges::stable_sort(sides[side], [](const auto& a, const auto& b) {
          return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
        });
      }
      BruteForce brute(contig, sides[0], sides[1], c.copies);
      if (brute.choices() > 6000) continue;
      const SuperlocusMatch match = match_superlocus(bytes(contig), {sides[0], sides[1]});
      EXPECT_FALSE(match.too_complex);
      const int found = matched(match), equal = written_alike(sides[0], sides[1]);
      EXPECT_EQ(found, brute.best()) << reference;
      matched_rounds += found > 0;
      written_otherwise += found > equal;
    }
    EXPECT_GT(matched_rounds, 10) << c.truth << " and " << c.calls;
    if (c.truth < 8) {
      EXPECT_GT(written_otherwise, 0) << c.truth << " and " << c.calls;
    }
  }
}

TEST(HaplotypeMatch, EightDifferentAllelesAreMatchedWithinTheBound) {
  // 8! phases, of which those that the other set rules out are never followed.
  const std::string contig = codes(kSequence);
  std::vector<VariantPiece> truth, calls;
  const Line eight{8, "G", "GA,GC,GT,GAA,GAC,GAT,GCA", "0/1/2/3/4/5/6/7"};
  for (const Line& line : {eight, Line{25, "C", "A", "0/0/0/0/0/0/0/1"}})
    (void)cut_to_pieces(bytes(contig), record_of(line), truth);
  (void)cut_to_pieces(bytes(contig), record_of(eight), calls);
  const SuperlocusMatch match = match_superlocus(bytes(contig), {truth, calls});
  EXPECT_FALSE(match.too_complex);
  EXPECT_GT(match.truth.stretch[0], 0U);
  EXPECT_EQ(match.truth.stretch[1], 0U);
  // Two such variants at one place can be phased in 8! ways: above the bound.
  truth.insert(truth.begin() + 1, truth[0]);
  const SuperlocusMatch bounded = match_superlocus(bytes(contig), {truth, calls});
  EXPECT_TRUE(bounded.too_complex);
  EXPECT_GT(bounded.truth.stretch[0], 0U);
  EXPECT_EQ(bounded.truth.stretch[1], 0U);
}

TEST(HaplotypeMatch, TooManyWaysFallBackOnEqualVariants) {
  const std::string contig = codes(kSequence);
  std::vector<VariantPiece> truth, calls;
  for (const Line& line : {Line{4, "T", "C", "0/1"}, Line{9, "G", "C", "0/1"}})
    (void)cut_to_pieces(bytes(contig), record_of(line), truth);
  (void)cut_to_pieces(bytes(contig), record_of({9, "G", "C", "0/1"}), calls);
  const SuperlocusMatch match = match_superlocus(bytes(contig), {truth, calls}, 0);
  EXPECT_TRUE(match.too_complex);
  EXPECT_EQ(match.truth.stretch[0], 0U);
  EXPECT_GT(match.truth.stretch[1], 0U);
  EXPECT_GT(match.calls.stretch[0], 0U);
}

struct Totals {
  std::uint64_t fp, fn;
};
Totals totals(const CompareResult& result) {
  const VariantTally &s = result.counts.of(VariantClass::Snp),
                     &i = result.counts.of(VariantClass::Indel);
  return {s.fp + i.fp, s.fn + i.fn};
}

TEST(Compare, LawsHoldForRandomSets) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    LineMaker maker(seed);
    const std::string reference = maker.bases(3000);
    Comparison comparison(reference);
    const std::vector<Line> truth = maker.lines(reference, 40);
    std::vector<Line> calls;
    for (const Line& line : truth) {
      if (maker.below(10) > 0) calls.push_back(line);
    }
    EXPECT_EQ(errors_of(comparison.run(truth, truth)), 0U);
    const Totals one = totals(comparison.run(truth, calls));
    const Totals two = totals(comparison.run(calls, truth));
    EXPECT_GT(one.fn, 0U);
    EXPECT_EQ(one.fp, two.fn);
    EXPECT_EQ(one.fn, two.fp);
    // Far from all others and unlike the reference, one more call is one false one more.
    std::vector<Line> more = calls;
    more.push_back({2999, reference.substr(2998, 1), reference[2998] == 'A' ? "C" : "A", "0/1"});
    EXPECT_EQ(totals(comparison.run(truth, more)).fp, one.fp + 1);
  }
}

TEST(Compare, ThreadsChangeNothing) {
  LineMaker maker(77);
  const std::string reference = maker.bases(60'000);
  Comparison comparison(reference);
  comparison.job.annotated = comparison.folder.path("a.vcf.gz");
  comparison.job.errors = comparison.folder.path("e.tsv");
  std::string truth = vcf(maker.lines(reference, 20)), calls = vcf(maker.lines(reference, 20));
  std::vector<std::string> expected;
  for (const unsigned threads : {1U, 2U, 5U}) {
    (void)comparison.run(truth, calls, threads);
    const std::vector<std::string> now{read_file(*comparison.job.annotated),
                                       read_file(*comparison.job.errors),
                                       comparison.metrics.dump()};
    if (expected.empty()) expected = now;
    EXPECT_TRUE(now == expected) << threads;
  }
  EXPECT_TRUE(std::filesystem::exists(comparison.folder.path("a.vcf.gz.tbi")));
  // What was written is a VCF that can be read again, and holds the same decisions.
  const std::string text = gunzip(expected[0]);
  const auto count = [&](const std::string& word) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; at += word.size())
      ++n;
    return n;
  };
  const CompareResult result = comparison.run(truth, calls);
  EXPECT_EQ(count(":FP:"), totals(result).fp);
  EXPECT_EQ(count(":FN:"), totals(result).fn);
}

TEST(Superloci, RepeatsKeepVariantsTogether) {
  const std::string reference = "GATTC" + std::string(300, 'A') + "GATTC";
  const std::string contig = codes(reference);
  std::vector<VariantPiece> truth, calls;
  (void)cut_to_pieces(bytes(contig), record_of({5, "CA", "C", "1/1"}), truth);
  (void)cut_to_pieces(bytes(contig), record_of({304, "AA", "A", "1/1"}), calls);
  EXPECT_EQ(make_superloci(bytes(contig), truth, calls).size(), 1U);
  expect_same(reference, {{5, "CA", "C", "1/1"}}, {{304, "AA", "A", "1/1"}});
}

}  // namespace
}  // namespace aceso::genomics
