#include "kernels/band.hpp"

#include "genome_testing.hpp"

namespace aceso::genomics {
namespace {

template <typename Check>
void for_each_kernel(const Check& check) {
  for (const AlignKernels* kernel : all_align_kernels()) {
    if (!kernel->runs_here()) continue;
    SCOPED_TRACE(kernel->name);
    check(*kernel);
  }
}

/// A read and the window it lies on, with room behind both.
struct Pair {
  std::vector<std::uint8_t> read, window;
  std::uint32_t length = 0;
};

/// A read that differs from the middle of its window by some bases and gaps.
Pair random_pair(ReadMaker& maker, std::size_t length) {
  Pair out;
  const std::string window = random_genome(maker, length + kBandLanes);
  std::string read = window.substr(kBandLanes / 2);
  for (std::size_t i = 0; i < maker.below(4); ++i)
    read[maker.below(read.size())] = "ACGTN"[maker.below(5)];
  if (maker.below(2) == 0) read.erase(maker.below(read.size()), 1 + maker.below(6));
  if (maker.below(2) == 0)
    read.insert(maker.below(read.size()), random_genome(maker, 1 + maker.below(6)));
  read.resize(length, 'A');
  out.read = codes_of(read);
  out.window = codes_of(window);
  out.length = static_cast<std::uint32_t>(length);
  out.read.resize(length + kCodeMargin, kCodeN);
  out.window.resize(out.window.size() + kCodeMargin, kCodeN);
  return out;
}

int gain(std::uint8_t a, std::uint8_t b) {
  using S = AlignScores;
  return b == kCodeGap ? S::kGap : a > 3 || b > 3 ? S::kN : a == b ? S::kMatch : S::kMismatch;
}

/// The best score within the band, cell by cell.
int best_score(const Pair& pair) {
  using S = AlignScores;
  constexpr int kNever = -100'000;
  const auto rows = pair.length;
  std::vector<std::array<std::array<int, 3>, kBandLanes>> cells(rows);
  int best = kNever;
  for (std::uint32_t i = 0; i < rows; ++i) {
    for (int j = 0; j < kBandLanes; ++j) {
      const auto any = [](const std::array<int, 3>& c) { return std::max({c[0], c[1], c[2]}); };
      const int start = i == 0 ? S::kEndBonus : 0;
      const int before = i == 0 ? start : std::max(start, any(cells[i - 1][j]));
      auto& cell = cells[i][j];
      cell[0] = before + gain(pair.read[i], pair.window[i + j]);
      cell[1] = cell[2] = kNever;
      if (i > 0 && j + 1 < kBandLanes)  // insertion
        cell[2] = std::max(any(cells[i - 1][j + 1]) - S::kGapOpen, cells[i - 1][j + 1][2]) -
                  S::kGapExtend;
      if (j > 0)  // deletion
        cell[1] = std::max(std::max(cells[i][j - 1][0], cells[i][j - 1][2]) - S::kGapOpen,
                           cells[i][j - 1][1]) -
                  S::kGapExtend;
      best = std::max(best, any(cell) + (i + 1 == rows ? S::kEndBonus : 0));
    }
  }
  return best;
}

TEST(Band, AlignsAsWellAsASearchOfAllPaths) {
  ReadMaker maker(3);
  std::vector<std::uint8_t> moves(300 * kBandLanes);
  for (int round = 0; round < 60; ++round) {
    const Pair pair = random_pair(maker, 20 + maker.below(180));
    EXPECT_EQ(
        kBandPortable.align_band(pair.read.data(), pair.length, pair.window.data(), moves.data())
            .score,
        best_score(pair));
  }
}

TEST(Band, AllKernelsMakeTheSameMoves) {
  ReadMaker maker(4);
  for (int round = 0; round < 60; ++round) {
    const Pair pair = random_pair(maker, 1 + maker.below(250));
    std::vector<std::uint8_t> expected(pair.length * kBandLanes), found(expected.size());
    const BandEnd end = kBandPortable.align_band(pair.read.data(), pair.length, pair.window.data(),
                                                 expected.data());
    for_each_kernel([&](const AlignKernels& kernel) {
      const BandEnd other =
          kernel.align_band(pair.read.data(), pair.length, pair.window.data(), found.data());
      EXPECT_EQ(other.score, end.score);
      EXPECT_EQ(other.row, end.row);
      EXPECT_EQ(other.lane, end.lane);
      EXPECT_EQ(found, expected);
    });
  }
}

TEST(Band, AllKernelsFindTheSameDifferences) {
  ReadMaker maker(5);
  for (std::size_t length = 1; length < 200; ++length) {
    const Pair pair = random_pair(maker, length);
    std::vector<std::uint64_t> mask(length / 64 + 1);
    std::uint32_t expected = 0;
    for (std::size_t i = 0; i < length; ++i)
      expected += pair.read[i] != pair.window[i] || pair.read[i] > 3 ? 1 : 0;
    for_each_kernel([&](const AlignKernels& kernel) {
      EXPECT_EQ(kernel.mismatches(pair.read.data(), pair.window.data(), pair.length, mask.data()),
                expected);
      for (std::uint32_t i = 0; i < length; ++i)
        EXPECT_EQ(mask[i / 64] >> (i % 64) & 1,
                  pair.read[i] != pair.window[i] || pair.read[i] > 3 ? 1U : 0U);
    });
  }
}

/// The least cost of a read within the band, cell by cell.
int least_cost(const Pair& pair, const std::vector<std::uint8_t>& mismatch,
               const std::vector<std::uint8_t>& open) {
  using C = ReadCosts;
  std::vector<std::array<std::array<int, 3>, kBandLanes>> cells(pair.length);
  int least = C::kMost;
  for (std::uint32_t i = 0; i < pair.length; ++i) {
    for (int j = 0; j < kBandLanes; ++j) {
      const auto any = [](const std::array<int, 3>& c) { return std::min({c[0], c[1], c[2]}); };
      const std::uint8_t a = pair.read[i], b = pair.window[i + j];
      const int cost = a > 3 || b > 3 ? C::kUnknown : a == b ? 0 : mismatch[i];
      auto& cell = cells[i][j];
      cell[0] = (i == 0 ? 0 : any(cells[i - 1][j])) + cost;
      cell[1] = cell[2] = C::kMost;
      if (i > 0 && j + 1 < kBandLanes)
        cell[2] = std::min(any(cells[i - 1][j + 1]) + open[i + j], cells[i - 1][j + 1][2]) +
                  C::kGapExtend;
      if (j > 0)
        cell[1] = std::min(std::min(cells[i][j - 1][0], cells[i][j - 1][2]) + open[i + j],
                           cells[i][j - 1][1]) +
                  C::kGapExtend;
      if (i + 1 == pair.length) least = std::min(least, any(cell));
    }
  }
  return least;
}

TEST(Band, CostsOfReadsAreThoseOfTheCheapestPath) {
  ReadMaker maker(6);
  for (int round = 0; round < 60; ++round) {
    const Pair pair = random_pair(maker, 10 + maker.below(200));
    std::vector<std::uint8_t> mismatch(pair.read.size()), open(pair.window.size() + kCodeMargin);
    for (auto& cost : mismatch) cost = static_cast<std::uint8_t>(5 + maker.below(40));
    for (auto& cost : open) cost = static_cast<std::uint8_t>(14 + maker.below(31));
    const int expected = least_cost(pair, mismatch, open);
    for_each_kernel([&](const AlignKernels& kernel) {
      EXPECT_EQ(kernel.read_cost(pair.read.data(), mismatch.data(), pair.length, pair.window.data(),
                                 open.data()),
                expected);
    });
  }
}

}  // namespace
}  // namespace aceso::genomics
