#include "kernels/kernels.hpp"

#include "reads_testing.hpp"

namespace aceso::genomics {
namespace {

/// Every kernel that runs here, against the portable one.
template <typename Check>
void for_each_kernel(const Check& check) {
  for (const Kernels* kernel : all_kernels()) {
    if (!kernel->runs_here()) continue;
    SCOPED_TRACE(kernel->name);
    check(*kernel);
  }
}

/// Text between margins full of letters that must not count.
std::string with_margins(const std::string& text) {
  return std::string(kTextMargin, 'A') + text + std::string(kTextMargin, '\n');
}

TEST(Kernels, FindTheSameNewlines) {
  ReadMaker maker(1);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string text = maker.bases(size);
    for (char& c : text) c = maker.below(5) == 0 ? '\n' : c;
    const std::string padded = with_margins(text);
    std::vector<std::uint32_t> expected(size + 1);
    expected.resize(
        kPortableKernels.find_newlines(padded.data() + kTextMargin, size, expected.data()));
    for_each_kernel([&](const Kernels& kernel) {
      std::vector<std::uint32_t> found(size + 1);
      found.resize(kernel.find_newlines(padded.data() + kTextMargin, size, found.data()));
      EXPECT_EQ(found, expected);
      for (std::size_t lines = 0; lines < expected.size() + 3; ++lines) {
        std::size_t left = lines, left_expected = lines;
        EXPECT_EQ(kernel.skip_lines(padded.data() + kTextMargin, size, left),
                  kPortableKernels.skip_lines(padded.data() + kTextMargin, size, left_expected));
        EXPECT_EQ(left, left_expected);
      }
    });
  }
}

TEST(Kernels, TellTheSameFacts) {
  ReadMaker maker(2);
  for (std::uint32_t length = 0; length < 200; ++length) {
    std::string bases = maker.bases(length), qualities = maker.qualities(length);
    if (length % 3 == 0)
      for (char& base : bases) base = "ACGTNacgRn.\x01\xFF"[maker.below(13)];
    if (length % 5 == 4) qualities[maker.below(length)] = static_cast<char>(maker.below(256));
    const std::string b = with_margins(bases), q = with_margins(qualities);
    for (const std::uint8_t qualified : std::initializer_list<std::uint8_t>{0, 15, 30, 93}) {
      const ReadFacts expected = kPortableKernels.read_facts(
          b.data() + kTextMargin, q.data() + kTextMargin, length, qualified);
      for_each_kernel([&](const Kernels& kernel) {
        const ReadFacts facts =
            kernel.read_facts(b.data() + kTextMargin, q.data() + kTextMargin, length, qualified);
        EXPECT_EQ(facts.gc, expected.gc);
        EXPECT_EQ(facts.n, expected.n);
        EXPECT_EQ(facts.other, expected.other);
        EXPECT_EQ(facts.qualified, expected.qualified);
        EXPECT_EQ(facts.q20, expected.q20);
        EXPECT_EQ(facts.q30, expected.q30);
        EXPECT_EQ(facts.quality_sum, expected.quality_sum);
        EXPECT_EQ(facts.qualities_valid, expected.qualities_valid);
      });
    }
  }
}

TEST(Kernels, AddTheSameStrips) {
  ReadMaker maker(3);
  std::vector<std::string> texts;
  std::vector<Slice> slices;
  for (std::size_t i = 0; i < kStripSlices; ++i) {
    const std::size_t length = maker.below(100);
    texts.push_back(with_margins(maker.bases(length)));
    texts.push_back(with_margins(
        std::string(length, i % 2 == 0 ? '~' : static_cast<char>(33 + maker.below(94)))));
    slices.push_back({nullptr, nullptr, static_cast<std::uint32_t>(maker.below(80)),
                      static_cast<std::uint32_t>(length), true});
  }
  for (std::size_t i = 0; i < slices.size(); ++i) {
    slices[i].bases = texts[2 * i].data() + kTextMargin;
    slices[i].qualities = texts[2 * i + 1].data() + kTextMargin;
  }
  const auto sums = [&](const Kernels& kernel, std::size_t count, std::uint32_t cycle) {
    std::vector<std::uint64_t> values(8 * kStripCycles, 7);
    StripPlanes planes;
    for (std::size_t b = 0; b < 4; ++b) {
      planes.count[b] = values.data() + b * kStripCycles;
      planes.quality[b] = values.data() + (4 + b) * kStripCycles;
    }
    kernel.add_strip(std::span(slices).first(count), cycle, planes);
    return values;
  };
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{100}, kStripSlices}) {
    for (std::uint32_t cycle = 0; cycle < 200; cycle += kStripCycles) {
      const auto expected = sums(kPortableKernels, count, cycle);
      for_each_kernel(
          [&](const Kernels& kernel) { EXPECT_EQ(sums(kernel, count, cycle), expected); });
    }
  }
}

TEST(Kernels, TurnReadsAroundAlike) {
  ReadMaker maker(4);
  for (std::uint32_t length = 0; length < 150; ++length) {
    std::string bases = maker.bases(length);
    for (char& base : bases)
      base = maker.below(20) == 0 ? static_cast<char>("RacgtU.\xC1"[maker.below(8)]) : base;
    const std::string padded = with_margins(bases);
    for_each_kernel([&](const Kernels& kernel) {
      std::string turned(length, '?');
      kernel.reverse_complement(padded.data() + kTextMargin, length, turned.data());
      EXPECT_EQ(turned, ReadMaker::reverse_complement(bases));
    });
  }
}

/// The rule in its plainest words: the first offset, long fragments first, at which few enough
/// of the first 50 letters differ.
Overlap obvious_overlap(const std::string& read, const std::string& mate,
                        const OverlapRules& rules) {
  const auto try_at = [&](std::size_t in_read, std::size_t in_mate, Overlap& out) {
    const std::size_t length = std::min(read.size() - in_read, mate.size() - in_mate);
    std::uint32_t all = 0, first = 0;
    for (std::size_t i = 0; i < length; ++i) {
      const bool differ = read[in_read + i] != mate[in_mate + i];
      all += differ;
      if (i < kOverlapDecides) first += differ;
    }
    const auto share =
        static_cast<std::uint32_t>(static_cast<double>(length) * rules.most_mismatch_fraction);
    if (first > std::min(rules.most_mismatches, share)) return false;
    out = {true, static_cast<std::int32_t>(in_read) - static_cast<std::int32_t>(in_mate),
           static_cast<std::uint32_t>(length), all};
    return true;
  };
  Overlap out;
  for (std::size_t i = 0; i + rules.least_length < read.size(); ++i)
    if (try_at(i, 0, out)) return out;
  for (std::size_t i = 0; i + rules.least_length < mate.size(); ++i)
    if (try_at(0, i, out)) return out;
  return out;
}

TEST(Kernels, FindTheOverlapThatTheObviousSearchFinds) {
  ReadMaker maker(5);
  std::size_t found = 0;
  for (int round = 0; round < 3000; ++round) {
    const std::string fragment = maker.bases(10 + maker.below(250));
    std::string read = (fragment + maker.bases(150)).substr(0, maker.below(151));
    std::string turned = maker.bases(150) + fragment;
    std::string mate =
        turned.substr(turned.size() - std::min<std::size_t>(turned.size(), maker.below(151)));
    for (std::size_t i = maker.below(9); i > 0 && !read.empty(); --i)
      read[maker.below(read.size())] = "ACGTN"[maker.below(5)];
    if (round % 50 == 0) read = mate = std::string(100, 'A');
    const OverlapRules rules{static_cast<std::uint32_t>(round % 3 == 0 ? 1 + maker.below(40) : 30),
                             static_cast<std::uint32_t>(maker.below(8)), 0.2};
    const Overlap expected = obvious_overlap(read, mate, rules);
    found += expected.found;
    const std::string padded_read = with_margins(read), padded_mate = with_margins(mate);
    for_each_kernel([&](const Kernels& kernel) {
      const Overlap overlap = kernel.find_overlap(
          padded_read.data() + kTextMargin, static_cast<std::uint32_t>(read.size()),
          padded_mate.data() + kTextMargin, static_cast<std::uint32_t>(mate.size()), rules);
      EXPECT_EQ(overlap.found, expected.found);
      EXPECT_EQ(overlap.offset, expected.offset);
      EXPECT_EQ(overlap.length, expected.length);
      EXPECT_EQ(overlap.mismatches, expected.mismatches);
    });
  }
  EXPECT_GT(found, 500U);
}

}  // namespace
}  // namespace aceso::genomics
