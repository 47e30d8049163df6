#include "trim.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace aceso::genomics {
namespace {

constexpr std::int32_t kOneMismatchIn = 8;
constexpr std::int32_t kPolyMostMismatches = 5;
constexpr std::int32_t kPhredBase = 33;

/// The sum of `cut.window` qualities that is just enough.
bool good_window(std::int32_t sum, const QualityCut& cut) {
  return static_cast<double>(sum) / cut.window >= kPhredBase + cut.mean;
}

/// Finds the first window from `front` that is good; false if the read is too short for one.
bool cut_front(const Window& read, std::int32_t tail, const QualityCut& cut, std::int32_t& front) {
  const std::int32_t begin = front, width = cut.window;
  if (read.length - front - tail - width <= 0) return false;
  std::int32_t sum = 0, s = begin;
  for (std::int32_t i = 0; i < width - 1; ++i) sum += read.qualities[s + i];
  for (; s + width < read.length - tail; ++s) {
    sum += read.qualities[s + width - 1];
    if (s > begin) sum -= read.qualities[s - 1];
    if (good_window(sum, cut)) break;
  }
  // Of the window that stopped the search only the last base is surely good.
  if (s > 0) s += width - 1;
  while (s < read.length && read.bases[s] == 'N') ++s;
  front = s;
  return true;
}

/// Cuts from the first bad window on; keeps that window's good beginning.
bool cut_right(const Window& read, std::int32_t front, std::int32_t tail, const QualityCut& cut,
               std::int32_t& length) {
  const std::int32_t width = cut.window;
  if (read.length - front - tail - width <= 0) return false;
  std::int32_t sum = 0, s = front;
  for (std::int32_t i = 0; i < width - 1; ++i) sum += read.qualities[s + i];
  for (; s + width < read.length - tail; ++s) {
    sum += read.qualities[s + width - 1];
    if (s > front) sum -= read.qualities[s - 1];
    if (!good_window(sum, cut)) break;
  }
  if (s + width >= read.length - tail) return true;
  while (s < read.length - 1 && read.qualities[s] >= kPhredBase + cut.mean) ++s;
  length = s - front;
  return true;
}

/// Drops bases from the tail until a window is good.
bool cut_tail(const Window& read, std::int32_t front, std::int32_t tail, const QualityCut& cut,
              std::int32_t& length) {
  const std::int32_t width = cut.window, last = read.length - tail - 1;
  if (read.length - front - tail - width <= 0) return false;
  std::int32_t sum = 0, t = last;
  for (std::int32_t i = 0; i < width - 1; ++i) sum += read.qualities[t - i];
  for (; t - width >= front; --t) {
    sum += read.qualities[t - width + 1];
    if (t < last) sum -= read.qualities[t + 1];
    if (good_window(sum, cut)) break;
  }
  if (t < read.length - 1) t -= width - 1;
  while (t >= 0 && read.bases[t] == 'N') --t;
  length = t - front + 1;
  return true;
}

void drop(Window& read) {
  read.gone = true;
  read.length = 0;
}

/// The first place at which `adapter` fits, or the read's length.
std::int32_t find_adapter(const Window& read, std::string_view adapter, std::int32_t least_match) {
  const auto size = static_cast<std::int32_t>(adapter.size());
  // Ligation may leave out the adapter's first bases when two adapters met without a fragment.
  const std::int32_t first = size >= 16 ? -4 : size >= 12 ? -3 : size >= 8 ? -2 : 0;
  for (std::int32_t place = first; place < read.length - least_match; ++place) {
    const std::int32_t compared = std::min(read.length - place, size);
    const std::int32_t allowed = compared / kOneMismatchIn;
    std::int32_t mismatches = 0;
    for (std::int32_t i = std::max(0, -place); i < compared && mismatches <= allowed; ++i)
      mismatches += adapter[static_cast<std::size_t>(i)] != read.bases[place + i];
    if (mismatches <= allowed) return place;
  }
  return read.length;
}

char complement(char base) {
  switch (base) {
    case 'A':
      return 'T';
    case 'C':
      return 'G';
    case 'G':
      return 'C';
    case 'T':
      return 'A';
    default:
      return 'N';
  }
}

bool is_complex(const Window& read, std::int32_t least_percent) {
  if (read.length <= 1) return false;
  std::int32_t changes = 0;
  for (std::int32_t i = 0; i + 1 < read.length; ++i) changes += read.bases[i] != read.bases[i + 1];
  return static_cast<double>(changes) / (read.length - 1) >= least_percent / 100.0;
}

}  // namespace

void trim_ends(Window& read, const FixedTrim& fixed, const Rules& rules) {
  const bool by_quality =
      rules.cut_front.enabled || rules.cut_tail.enabled || rules.cut_right.enabled;
  if (fixed.front == 0 && fixed.tail == 0 && !by_quality) return;
  std::int32_t front = fixed.front, length = read.length - fixed.front - fixed.tail;
  if (length < 0) return drop(read);
  if (rules.cut_front.enabled) {
    if (!cut_front(read, fixed.tail, rules.cut_front, front)) return drop(read);
    length = read.length - front - fixed.tail;
  }
  if (rules.cut_right.enabled) {
    if (!cut_right(read, front, fixed.tail, rules.cut_right, length)) return drop(read);
  } else if (rules.cut_tail.enabled) {
    if (!cut_tail(read, front, fixed.tail, rules.cut_tail, length)) return drop(read);
  }
  if (by_quality && (length <= 0 || front >= read.length - 1)) return drop(read);
  read.drop_front(front);
  read.length = length;
  read.front = front;
}

void trim_poly_g(Window& read, std::int32_t least) {
  std::int32_t others = 0, first_g = read.length - 1, i = 0;
  for (; i < read.length; ++i) {
    const std::int32_t place = read.length - i - 1;
    if (read.bases[place] == 'G')
      first_g = place;
    else
      ++others;
    const std::int32_t allowed = (i + 1) / kOneMismatchIn;
    if (others > kPolyMostMismatches || (others > allowed && i >= least - 1)) break;
  }
  if (i >= least) read.length = std::max(first_g, 0);
}

std::int32_t trim_poly_x(Window& read, std::int32_t least) {
  std::array<std::int32_t, 4> counts{};
  constexpr std::string_view kBases = "ATCG";
  std::int32_t i = 0;
  for (; i < read.length; ++i) {
    const char base = read.bases[read.length - i - 1];
    for (std::size_t b = 0; b < 4; ++b) counts[b] += base == 'N' || base == kBases[b];
    const std::int32_t seen = i + 1;
    const std::int32_t allowed = std::min(kPolyMostMismatches, seen / kOneMismatchIn);
    const bool none_left =
        std::ranges::all_of(counts, [&](std::int32_t count) { return seen - count > allowed; });
    if (none_left && (i >= kOneMismatchIn || seen >= least - 1)) break;
  }
  if (i + 1 < least || i == 0) return 0;
  const auto most = static_cast<std::size_t>(std::ranges::max_element(counts) - counts.begin());
  // Give back what is not of the poly base at the inner end; without any, nothing is cut.
  if (i == read.length) --i;
  while (i >= 0 && read.bases[read.length - i - 1] != kBases[most]) --i;
  read.length -= i + 1;
  return i + 1;
}

bool trim_adapter(Window& read, std::string_view adapter, std::int32_t least_match) {
  if (static_cast<std::int32_t>(adapter.size()) < least_match) return false;
  const std::int32_t place = find_adapter(read, adapter, least_match);
  if (place >= read.length) return false;
  read.length = std::max(place, 0);
  return true;
}

bool trim_read_through(Window& read, Window& mate, const Overlap& overlap) {
  if (!overlap.found || overlap.offset >= 0) return false;
  // What was cut off one mate's front is still at the other's end.
  const auto length = static_cast<std::int32_t>(overlap.length);
  const std::int32_t read_length = std::min(read.length, length + mate.front);
  mate.length = std::min(mate.length, length + read.front);
  read.length = read_length;
  return true;
}

Corrected correct_by_overlap(Window& read, Window& mate, const Overlap& overlap) {
  constexpr char kGood = kPhredBase + 30, kBad = kPhredBase + 14;
  Corrected changed;
  if (!overlap.found || overlap.mismatches == 0) return changed;
  std::int32_t i = std::max(0, overlap.offset);
  std::int32_t j = mate.length - std::max(0, -overlap.offset) - 1;
  for (std::uint32_t n = 0; n < overlap.length; ++n, ++i, --j) {
    if (read.bases[i] == complement(mate.bases[j])) continue;
    if (read.qualities[i] >= kGood && mate.qualities[j] <= kBad) {
      mate.bases[j] = complement(read.bases[i]);
      mate.qualities[j] = read.qualities[i];
      ++changed.in_mate;
    } else if (mate.qualities[j] >= kGood && read.qualities[i] <= kBad) {
      read.bases[i] = complement(mate.bases[j]);
      read.qualities[i] = mate.qualities[j];
      ++changed.in_read;
    }
  }
  return changed;
}

Verdict judge(const Window& read, const ReadFacts& facts, const FilterRules& rules) {
  if (read.gone || read.length == 0) return Verdict::TooShort;
  const std::int32_t unqualified = read.length - static_cast<std::int32_t>(facts.qualified);
  if (rules.quality) {
    if (unqualified > rules.most_unqualified_percent * static_cast<double>(read.length) / 100.0)
      return Verdict::LowQuality;
    if (rules.least_mean_quality > 0 &&
        static_cast<std::int32_t>(facts.quality_sum) / read.length < rules.least_mean_quality)
      return Verdict::LowQuality;
    if (static_cast<std::int32_t>(facts.n) > rules.most_n) return Verdict::TooManyN;
  }
  if (rules.length) {
    if (read.length < rules.least_length) return Verdict::TooShort;
    if (rules.most_length > 0 && read.length > rules.most_length) return Verdict::TooLong;
  }
  if (rules.complexity && !is_complex(read, rules.least_complexity_percent))
    return Verdict::LowComplexity;
  return Verdict::Passed;
}

}  // namespace aceso::genomics
