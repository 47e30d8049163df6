// The loops of band.hpp in vectors of kWidth 16-bit lanes. Included once per instruction set, in a
// file compiled for it, behind a definition of kWidth. Nothing here may be seen by other units.

#include <algorithm>
#include <cstring>
#include <utility>

namespace aceso::genomics {
namespace {

constexpr int kParts = kBandLanes / kWidth;
typedef std::int16_t Vector __attribute__((vector_size(2 * kWidth)));
typedef std::uint8_t Bytes __attribute__((vector_size(kWidth)));

constexpr std::int16_t kFarBelow = -32000;

/// A row of the band.
struct Row {
  Vector part[kParts];
};

template <typename Function>
inline Row each(const Function& function) {
  Row out;
  for (int p = 0; p < kParts; ++p) out.part[p] = function(p);
  return out;
}

inline Vector all(int value) { return Vector{} + static_cast<std::int16_t>(value); }
inline Vector larger(Vector a, Vector b) { return a > b ? a : b; }

template <int kShift, std::size_t... I>
inline Vector upper_of(Vector low, Vector high, std::index_sequence<I...>) {
  // Lanes kWidth - kShift ... of the two side by side.
  return __builtin_shufflevector(low, high, static_cast<int>(kWidth - kShift + I)...);
}

/// Lane j of the result is lane j - kShift of `row`; the lowest are `fill`.
template <int kShift>
inline Row up(const Row& row, Vector fill) {
  constexpr int kWhole = kShift / kWidth, kRest = kShift % kWidth;
  return each([&](int p) {
    const Vector high = p - kWhole >= 0 ? row.part[p - kWhole] : fill;
    if constexpr (kRest == 0) return high;
    const Vector low = p - kWhole >= 1 ? row.part[p - kWhole - 1] : fill;
    return upper_of<kRest>(low, high, std::make_index_sequence<kWidth>());
  });
}

/// Lane j of the result is lane j + 1 of `row`; the highest is `fill`.
inline Row down(const Row& row, Vector fill) {
  return each([&](int p) {
    const Vector high = p + 1 < kParts ? row.part[p + 1] : fill;
    return upper_of<kWidth - 1>(row.part[p], high, std::make_index_sequence<kWidth>());
  });
}

template <int kShift>
inline Row with_prefix_maximum(const Row& row) {
  const Row moved = up<kShift>(row, all(kFarBelow));
  return each([&](int p) { return larger(row.part[p], moved.part[p]); });
}

inline Row load_codes(const std::uint8_t* codes) {
  return each([&](int p) {
    Bytes bytes;
    std::memcpy(&bytes, codes + p * kWidth, sizeof bytes);
    return __builtin_convertvector(bytes, Vector);
  });
}

inline void store_moves(const Row& row, std::uint8_t* out) {
  for (int p = 0; p < kParts; ++p) {
    const Bytes bytes = __builtin_convertvector(row.part[p], Bytes);
    std::memcpy(out + p * kWidth, &bytes, sizeof bytes);
  }
}

struct LaneNumbers {
  Row row;
  LaneNumbers() {
    for (int j = 0; j < kBandLanes; ++j)
      row.part[j / kWidth][j % kWidth] = static_cast<std::int16_t>(j);
  }
};

/// The exclusive maximum over the lanes below each lane.
inline Row maximum_below(Row row) {
  row = with_prefix_maximum<1>(row);
  row = with_prefix_maximum<2>(row);
  row = with_prefix_maximum<4>(row);
  row = with_prefix_maximum<8>(row);
  row = with_prefix_maximum<16>(row);
  return up<1>(row, all(kFarBelow));
}

BandEnd align_band(const std::uint8_t* read, std::uint32_t length, const std::uint8_t* window,
                   std::uint8_t* moves) {
  using S = AlignScores;
  const Row number = LaneNumbers().row;
  const Row below = each([](int) { return all(kFarBelow); });
  Row score = below, insertion = below, best = below;
  Row best_row = each([](int) { return all(0); });
  for (std::uint32_t i = 0; i < length; ++i) {
    const Row reference = load_codes(window + i);
    const Vector base = all(read[i]);
    const Vector start = all(i == 0 ? S::kEndBonus : 0);
    // An insertion comes from the row above, where the same place of the reference is one lane on.
    const Row score_above = down(score, all(kFarBelow)),
              gap_above = down(insertion, all(kFarBelow));
    Row move, closed, insertion_next;
    for (int p = 0; p < kParts; ++p) {
      const Vector n = (reference.part[p] > all(3)) | (base > all(3));
      const Vector match = reference.part[p] == base ? all(S::kMatch) : all(S::kMismatch);
      const Vector inside = n ? all(S::kN) : match;
      const Vector gain = reference.part[p] > all(4) ? all(S::kGap) : inside;
      const Vector begins = start >= score.part[p];
      const Vector diagonal = (begins ? start : score.part[p]) + gain;
      const Vector open = score_above.part[p] - all(S::kGapOpen + S::kGapExtend);
      const Vector longer = gap_above.part[p] - all(S::kGapExtend);
      insertion_next.part[p] = larger(open, longer);
      const Vector inserted = insertion_next.part[p] > diagonal;
      closed.part[p] = larger(diagonal, insertion_next.part[p]);
      move.part[p] = (begins & all(kFromStart) & ~inserted) | (inserted & all(kFromInsertion)) |
                     ((longer > open) & all(kInsertionExtends));
    }
    insertion = insertion_next;
    // A deletion ending in lane j, opened behind lane k < j: closed[k] - open - (j - k) * extend.
    static_assert(S::kGapExtend == 1, "lane numbers stand for the cost of extension");
    Row highest = each([&](int p) { return closed.part[p] + number.part[p]; });
    highest = maximum_below(highest);
    const Row neighbour = up<1>(closed, all(kFarBelow));
    const bool last = i + 1 == length;
    for (int p = 0; p < kParts; ++p) {
      const Vector deletion = highest.part[p] - number.part[p] - all(S::kGapOpen);
      const Vector opened = neighbour.part[p] - all(S::kGapOpen + S::kGapExtend);
      const Vector deleted = deletion > closed.part[p];
      score.part[p] = deleted ? deletion : closed.part[p];
      const Vector kept = move.part[p] & all(kInsertionExtends);
      move.part[p] = (deleted ? (kept | all(kFromDeletion)) : move.part[p]) |
                     ((deletion > opened) & all(kDeletionExtends));
      const Vector final_score = last ? score.part[p] + all(S::kEndBonus) : score.part[p];
      const Vector better = final_score > best.part[p];
      best.part[p] = better ? final_score : best.part[p];
      best_row.part[p] = better ? all(static_cast<int>(i)) : best_row.part[p];
    }
    store_moves(move, moves + std::size_t{i} * kBandLanes);
  }
  BandEnd end{kFarBelow, 0, 0};
  for (int j = 0; j < kBandLanes; ++j) {
    const int value = best.part[j / kWidth][j % kWidth];
    const auto row = static_cast<std::uint32_t>(best_row.part[j / kWidth][j % kWidth]);
    if (value > end.score || (value == end.score && row < end.row))
      end = {value, row, static_cast<std::uint32_t>(j)};
  }
  return end;
}

int read_cost(const std::uint8_t* read, const std::uint8_t* mismatch, std::uint32_t length,
              const std::uint8_t* window, const std::uint8_t* gap_open) {
  using C = ReadCosts;
  const Row number = LaneNumbers().row;
  const Row extension = each([&](int p) { return number.part[p] * all(C::kGapExtend); });
  Row score = each([](int) { return all(0); });
  Row insertion = each([](int) { return all(-C::kMost); });
  for (std::uint32_t i = 0; i < length; ++i) {
    const Row haplotype = load_codes(window + i);
    const Row open_here = load_codes(gap_open + i), open_next = load_codes(gap_open + i + 1);
    const Vector base = all(read[i]), cost = all(-mismatch[i]);
    const Row score_above = down(score, all(-C::kMost)),
              gap_above = down(insertion, all(-C::kMost));
    Row closed, reach;
    for (int p = 0; p < kParts; ++p) {
      const Vector known = haplotype.part[p] == base ? all(0) : cost;
      const Vector gain =
          ((haplotype.part[p] > all(3)) | (base > all(3))) ? all(-C::kUnknown) : known;
      const Vector opened = i == 0 ? all(-C::kMost) : score_above.part[p] - open_here.part[p];
      insertion.part[p] = larger(opened, gap_above.part[p]) - all(C::kGapExtend);
      closed.part[p] = larger(larger(score.part[p] + gain, insertion.part[p]), all(-C::kMost));
      reach.part[p] = closed.part[p] - open_next.part[p] + extension.part[p];
    }
    const Row best = maximum_below(reach);
    for (int p = 0; p < kParts; ++p)
      score.part[p] = larger(closed.part[p], best.part[p] - extension.part[p]);
  }
  int least = C::kMost;
  for (int j = 0; j < kBandLanes; ++j)
    least = std::min<int>(least, -score.part[j / kWidth][j % kWidth]);
  return least;
}

std::uint32_t mismatches(const std::uint8_t* read, const std::uint8_t* reference,
                         std::uint32_t length, std::uint64_t* mask) {
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < length; i += 64) {
    std::uint64_t word = different(read + i, reference + i);
    if (length - i < 64) word &= (1ULL << (length - i)) - 1;
    mask[i / 64] = word;
    count += static_cast<std::uint32_t>(__builtin_popcountll(word));
  }
  return count;
}

}  // namespace
}  // namespace aceso::genomics
