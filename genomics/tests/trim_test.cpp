#include "trim.hpp"

#include "adapter_guess.hpp"
#include "counting.hpp"
#include "umi.hpp"

#include "reads_testing.hpp"

#include <map>

namespace aceso::genomics {
namespace {

/// A read with letters of its own, and a window over it.
struct Sample {
  std::string bases, qualities;
  Window window;

  Sample(std::string b, std::string q) : bases(std::move(b)), qualities(std::move(q)) {
    window = {bases.data(), qualities.data(), static_cast<std::int32_t>(bases.size()), 0, false};
  }
  explicit Sample(const std::string& b) : Sample(b, std::string(b.size(), 'I')) {}
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;
  [[nodiscard]] std::string kept() const {
    return window.gone ? "gone" : std::string(window.view());
  }
};

// Cuts by quality, against a version that works out every window anew.

double window_mean(const std::string& qualities, std::size_t begin, std::size_t width) {
  double sum = 0;
  for (std::size_t i = begin; i < begin + width; ++i) sum += qualities[i] - 33;
  return sum / static_cast<double>(width);
}

/// cut_front in plain words: step by step until a window is good; unless that is the first
/// window of an untrimmed read, the window's last base is the first kept; Ns behind are dropped.
std::string obvious_cut_front(const std::string& bases, const std::string& qualities,
                              std::size_t front, std::size_t tail, const QualityCut& cut) {
  const auto width = static_cast<std::size_t>(cut.window);
  if (bases.size() <= front + tail + width) return "gone";
  std::size_t s = front;
  while (s + width < bases.size() - tail && window_mean(qualities, s, width) < cut.mean) ++s;
  if (s > 0) s += width - 1;
  while (s < bases.size() && bases[s] == 'N') ++s;
  if (s + tail >= bases.size() || s >= bases.size() - 1) return "gone";
  return bases.substr(s, bases.size() - tail - s);
}

TEST(Trim, CutFrontFollowsTheObviousRule) {
  ReadMaker maker(1);
  Rules rules;
  rules.cut_front = {true, 4, 20};
  for (int round = 0; round < 3000; ++round) {
    rules.cut_front.window = 1 + round % 9;
    rules.cut_front.mean = 10 + round % 28;
    const std::size_t length = maker.below(60), front = maker.below(3), tail = maker.below(3);
    Sample read(maker.bases(length), maker.qualities(length));
    if (read.bases.size() < front + tail) continue;
    const std::string expected =
        obvious_cut_front(read.bases, read.qualities, front, tail, rules.cut_front);
    trim_ends(read.window, {static_cast<int>(front), static_cast<int>(tail), 0}, rules);
    EXPECT_EQ(read.kept(), expected) << read.bases << " " << read.qualities;
  }
}

/// cut_tail likewise from the end.
std::string obvious_cut_tail(const std::string& bases, const std::string& qualities,
                             const QualityCut& cut) {
  const auto width = static_cast<std::size_t>(cut.window);
  if (bases.size() <= width) return "gone";
  std::size_t end = bases.size();
  while (end > width && window_mean(qualities, end - width, width) < cut.mean) --end;
  if (end < bases.size()) end -= width - 1;
  while (end > 0 && bases[end - 1] == 'N') --end;
  if (end == 0) return "gone";
  return bases.substr(0, end);
}

TEST(Trim, CutTailFollowsTheObviousRule) {
  ReadMaker maker(2);
  Rules rules;
  rules.cut_tail.enabled = true;
  for (int round = 0; round < 3000; ++round) {
    rules.cut_tail = {true, 1 + round % 9, 10 + round % 28};
    const std::size_t length = maker.below(60);
    Sample read(maker.bases(length), maker.qualities(length));
    const std::string expected = obvious_cut_tail(read.bases, read.qualities, rules.cut_tail);
    trim_ends(read.window, {}, rules);
    EXPECT_EQ(read.kept(), expected) << read.bases << " " << read.qualities;
  }
}

/// cut_right: the first bad window, of which the good beginning is kept.
std::string obvious_cut_right(const std::string& bases, const std::string& qualities,
                              const QualityCut& cut) {
  const auto width = static_cast<std::size_t>(cut.window);
  if (bases.size() <= width) return "gone";
  for (std::size_t s = 0; s + width < bases.size(); ++s) {
    if (window_mean(qualities, s, width) >= cut.mean) continue;
    while (s < bases.size() - 1 && qualities[s] - 33 >= cut.mean) ++s;
    return s == 0 ? "gone" : bases.substr(0, s);
  }
  return bases;
}

TEST(Trim, CutRightFollowsTheObviousRule) {
  ReadMaker maker(3);
  Rules rules;
  for (int round = 0; round < 3000; ++round) {
    rules.cut_right = {true, 1 + round % 9, 10 + round % 28};
    const std::size_t length = maker.below(60);
    Sample read(maker.bases(length), maker.qualities(length));
    const std::string expected = obvious_cut_right(read.bases, read.qualities, rules.cut_right);
    trim_ends(read.window, {}, rules);
    EXPECT_EQ(read.kept(), expected) << read.bases << " " << read.qualities;
  }
}

TEST(Trim, FixedCutsLeaveTheMiddle) {
  Sample read("AACCGGTT");
  trim_ends(read.window, {2, 3, 0}, Rules{});
  EXPECT_EQ(read.kept(), "CCG");
  EXPECT_EQ(read.window.front, 2);
  Sample shorter("AACC");
  trim_ends(shorter.window, {2, 3, 0}, Rules{});
  EXPECT_TRUE(shorter.window.gone);
}

// Tails of one base.

TEST(Trim, PolyGToleratesOneOtherLetterInEight) {
  const auto trimmed = [](const std::string& bases, std::int32_t least = 10) {
    Sample read(bases);
    trim_poly_g(read.window, least);
    return read.kept();
  };
  EXPECT_EQ(trimmed("ACTACTACTA" + std::string(10, 'G')), "ACTACTACTA");
  EXPECT_EQ(trimmed("ACTACTACTA" + std::string(8, 'G')), "ACTACTACTAGGGGGGGG");
  EXPECT_EQ(trimmed("ACTACTACTA" + std::string(8, 'G'), 8), "ACTACTACTA");
  EXPECT_EQ(trimmed("ACTACTACTA" + std::string(12, 'G') + "A" + std::string(8, 'G')), "ACTACTACTA");
  EXPECT_EQ(trimmed(std::string(50, 'G')), "");
  EXPECT_EQ(trimmed(""), "");
  EXPECT_EQ(trimmed("ACTACTACTACTACTACTAC"), "ACTACTACTACTACTACTAC");
}

TEST(Trim, PolyXCutsTailsOfAnyBase) {
  for (const char base : {'A', 'C', 'G', 'T'}) {
    const std::string start = base == 'A'   ? "CGTCGTCGTCGT"
                              : base == 'C' ? "AGTAGTAGTAGT"
                              : base == 'G' ? "ACTACTACTACT"
                                            : "ACGACGACGACG";
    Sample read(start + std::string(20, base));
    EXPECT_EQ(trim_poly_x(read.window, 10), 20);
    EXPECT_EQ(read.kept(), start);
  }
  Sample whole(std::string(30, 'A'));
  EXPECT_EQ(trim_poly_x(whole.window, 10), 30);
  Sample none("ACGTACGTACGTACGTACGT");
  EXPECT_EQ(trim_poly_x(none.window, 10), 0);
  Sample empty("");
  EXPECT_EQ(trim_poly_x(empty.window, 10), 0);
}

// Adapters.

TEST(Trim, TheAdapterIsFoundWhereverItBegins) {
  const std::string adapter = "AGATCGGAAGAGCACACGTCTGAACTCCAGTCA";
  const std::string insert = "CCTTCCTTCCTTCCTTCCTTCCTTCCTTCCTT";
  for (std::size_t length = 5; length <= adapter.size(); ++length) {
    Sample read(insert + adapter.substr(0, length));
    EXPECT_TRUE(trim_adapter(read.window, adapter)) << length;
    EXPECT_EQ(read.kept(), insert) << length;
  }
  Sample too_little(insert + adapter.substr(0, 4));
  EXPECT_FALSE(trim_adapter(too_little.window, adapter));
  Sample inside(insert + adapter + "ACGTACGT");
  EXPECT_TRUE(trim_adapter(inside.window, adapter));
  EXPECT_EQ(inside.kept(), insert);
}

TEST(Trim, OneMismatchInEightOfTheAdapterIsLetPass) {
  const std::string adapter = "AGATCGGAAGAGCACACGTC", insert = "CCTTCCTTCCTTCCTT";
  std::string one = adapter.substr(0, 8);
  one[3] = 'A';
  Sample read(insert + one);
  EXPECT_TRUE(trim_adapter(read.window, adapter));
  one[5] = 'T';
  Sample worse(insert + one);
  EXPECT_FALSE(trim_adapter(worse.window, adapter));
}

TEST(Trim, ADimerWhoseAdapterLostItsFirstBasesLeavesNothing) {
  const std::string adapter = "AGATCGGAAGAGCACACGTCTGAACTCCAGTCA";
  for (std::size_t lost = 0; lost <= 4; ++lost) {
    Sample read(adapter.substr(lost) + "CACACGTA");
    EXPECT_TRUE(trim_adapter(read.window, adapter)) << lost;
    EXPECT_EQ(read.kept(), "");
  }
}

TEST(Trim, MatesThatReadThroughAreCutToTheFragment) {
  ReadMaker maker(7);
  for (std::size_t size = 35; size < 100; ++size) {
    const std::string fragment = maker.bases(size);
    Sample read((fragment + maker.bases(100)).substr(0, 100)),
        mate((ReadMaker::reverse_complement(fragment) + maker.bases(100)).substr(0, 100));
    const std::string turned = std::string(kTextMargin, 'A') +
                               ReadMaker::reverse_complement(mate.bases) +
                               std::string(kTextMargin, 'A');
    const std::string padded =
        std::string(kTextMargin, 'A') + read.bases + std::string(kTextMargin, 'A');
    const Overlap overlap = kernels().find_overlap(
        padded.data() + kTextMargin, 100, turned.data() + kTextMargin, 100, OverlapRules{});
    ASSERT_TRUE(trim_read_through(read.window, mate.window, overlap));
    EXPECT_EQ(read.kept(), fragment);
    EXPECT_EQ(mate.kept(), ReadMaker::reverse_complement(fragment));
  }
}

TEST(Trim, CorrectionTakesTheBetterBaseOnly) {
  Sample read("ACGTACGT", "IIII#III"), mate("ACGTACGT", "IIIIIIII");  // its own reverse complement
  read.bases[4] = 'T';
  mate.bases[0] = 'C';  // against read.bases[7] = 'T': both of good quality, so left alone
  const Corrected changed = correct_by_overlap(read.window, mate.window, {true, 0, 8, 2});
  EXPECT_EQ(changed.in_read, 1U);
  EXPECT_EQ(changed.in_mate, 0U);
  EXPECT_EQ(read.bases, "ACGTACGT");
  EXPECT_EQ(read.qualities, "IIIIIIII");
  EXPECT_EQ(mate.bases[0], 'C');
}

TEST(Trim, TheAdapterOfSingleReadsIsGuessed) {
  ReadMaker maker(8);
  const auto guessed = [&](const std::string& adapter, std::size_t one_in) {
    std::vector<std::string> reads;
    for (std::size_t i = 0; i < 20'000; ++i) {
      const std::size_t insert = i % one_in == 0 ? 30 + maker.below(60) : 100;
      reads.push_back(
          (maker.bases(insert) + adapter + "ATCTCGTATG" + maker.bases(100)).substr(0, 100));
    }
    return guess_adapter(std::vector<std::string_view>(reads.begin(), reads.end()), 0);
  };
  EXPECT_EQ(guessed("AGATCGGAAGAGCACACGTCTGAACTCCAGTCA", 10), "AGATCGGAAGAGCACACGTCTGAACTCCAGTCA");
  EXPECT_EQ(guessed("CTGTCTCTTATACACATCT", 10), "CTGTCTCTTATACACATCT");
  EXPECT_EQ(guessed("AGATCGGAAGAGCACACGTCTGAACTCCAGTCA", 1'000'000), "");
}

// Filters.

TEST(Trim, FiltersJudgeAtTheirLimits) {
  const auto judged = [](const std::string& bases, const std::string& qualities,
                         const FilterRules& rules = {}) {
    Sample read(bases, qualities);
    const std::string b = std::string(kTextMargin, 'A') + bases + std::string(kTextMargin, 'A'),
                      q = std::string(kTextMargin, 'A') + qualities + std::string(kTextMargin, 'A');
    const ReadFacts facts = kernels().read_facts(b.data() + kTextMargin, q.data() + kTextMargin,
                                                 static_cast<std::uint32_t>(bases.size()),
                                                 static_cast<std::uint8_t>(rules.qualified));
    return judge(read.window, facts, rules);
  };
  const std::string bases(20, 'A'), good(20, 'I');
  EXPECT_EQ(judged(bases, good), Verdict::Passed);
  EXPECT_EQ(judged(bases, std::string(8, '/') + std::string(12, 'I')), Verdict::Passed);
  EXPECT_EQ(judged(bases, std::string(9, '/') + std::string(11, 'I')), Verdict::LowQuality);
  EXPECT_EQ(judged(bases, std::string(20, '0')), Verdict::Passed);
  EXPECT_EQ(judged("NNNNN" + std::string(15, 'A'), good), Verdict::Passed);
  EXPECT_EQ(judged("NNNNNN" + std::string(14, 'A'), good), Verdict::TooManyN);
  EXPECT_EQ(judged(std::string(15, 'A'), std::string(15, 'I')), Verdict::Passed);
  EXPECT_EQ(judged(std::string(14, 'A'), std::string(14, 'I')), Verdict::TooShort);
  EXPECT_EQ(judged("", ""), Verdict::TooShort);
  EXPECT_EQ(judged(bases, good, {.most_length = 19}), Verdict::TooLong);
  EXPECT_EQ(judged(bases, good, {.most_length = 20}), Verdict::Passed);
  EXPECT_EQ(judged(bases, good, {.complexity = true}), Verdict::LowComplexity);
  EXPECT_EQ(judged("ACGTACGTACGTACGTACGT", good, {.complexity = true}), Verdict::Passed);
  EXPECT_EQ(judged(bases, good, {.least_mean_quality = 41}), Verdict::LowQuality);
  EXPECT_EQ(judged(bases, good, {.least_mean_quality = 40}), Verdict::Passed);
}

// Names.

TEST(Umi, IndexesAreFoundInTheComment) {
  EXPECT_EQ(first_index("a:b 1:N:0:ACGT+TTGA"), "ACGT");
  EXPECT_EQ(last_index("a:b 2:N:0:ACGT+TTGA"), "TTGA");
  EXPECT_EQ(first_index("a:b 1:N:0:ACGT"), "ACGT");
  EXPECT_EQ(last_index("a:b 1:N:0:ACGT"), "ACGT");
  EXPECT_EQ(first_index("a"), "");
  EXPECT_EQ(first_index(""), "");
}

TEST(Umi, ItIsMovedToTheNamesOfBothMates) {
  Sample read("AACCGGTTAA"), mate("TTGGCCAATT");
  const UmiRules rules{UmiPlace::PerRead, 3, 1, "U"};
  const std::string umi = take_umi("r", read.window, "r", &mate.window, rules);
  EXPECT_EQ(umi, "AAC_TTG");
  EXPECT_EQ(read.kept(), "GGTTAA");
  EXPECT_EQ(mate.kept(), "CCAATT");
  EXPECT_EQ(name_with_umi("r 1:N", umi, rules), "r:U_AAC_TTG 1:N");
  EXPECT_EQ(name_with_umi("r", "ACG", {}), "r:ACG");
}

TEST(Umi, ReadsShorterThanItAreNoTrouble) {
  for (const char* bases : {"", "A", "AC"}) {
    Sample read{std::string(bases)};
    const std::string umi = take_umi("r", read.window, {}, nullptr, {UmiPlace::Read1, 8, 3, ""});
    EXPECT_EQ(umi, bases);
    EXPECT_LE(read.window.length, 1);
  }
}

// Counting.

TEST(Counting, TablesCountLikeAMap) {
  std::mt19937_64 random(5);
  std::map<std::uint64_t, std::uint64_t> expected;
  CountTable table;
  for (int i = 0; i < 50'000; ++i) {
    const std::uint64_t key = 1 + random() % 7000;
    ++expected[key];
    table.add(key);
  }
  const auto sorted = table.sorted();
  EXPECT_EQ((std::map<std::uint64_t, std::uint64_t>(sorted.begin(), sorted.end())), expected);
}

TEST(Counting, DuplicationDoesNotDependOnOrderOrSplit) {
  std::mt19937_64 random(6);
  std::vector<std::uint64_t> hashes;
  for (int i = 0; i < 900'000; ++i) hashes.push_back(random());
  for (int i = 0; i < 300'000; ++i) hashes.push_back(hashes[random() % 900'000]);
  DuplicateSketch whole;
  for (const auto hash : hashes) whole.add(hash);
  DuplicateSketch parts[3];
  std::ranges::shuffle(hashes, random);
  for (std::size_t i = 0; i < hashes.size(); ++i) parts[i % 7 % 3].add(hashes[i]);
  parts[2].add(parts[0]);
  parts[2].add(parts[1]);
  const auto one = whole.result(), other = parts[2].result();
  EXPECT_EQ(one.rate, other.rate);
  EXPECT_EQ(one.levels, other.levels);
  EXPECT_EQ(one.sampled_fraction, other.sampled_fraction);
  EXPECT_NEAR(one.rate, 0.25, 0.003);
  EXPECT_LT(one.sampled_fraction, 1);
}

TEST(Counting, KeysKeepSixteenLetters) {
  EXPECT_EQ(prefix_of_key(prefix_key("ACGTN")), "ACGTN");
  EXPECT_EQ(prefix_of_key(prefix_key("ACGTACGTACGTACGTTTT")), "ACGTACGTACGTACGT");
  EXPECT_EQ(prefix_of_key(prefix_key("AR")), "AN");
  EXPECT_NE(prefix_key("A"), prefix_key("AA"));
}

}  // namespace
}  // namespace aceso::genomics
