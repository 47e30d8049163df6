#include "aceso/genomics/aligner.hpp"

#include "candidates.hpp"
#include "extension.hpp"
#include "gap_join.hpp"
#include "mapping_quality.hpp"
#include "mate_rescue.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace aceso::genomics {
namespace {

// Candidates with fewer seeds than this share of the best one's are not aligned.
constexpr std::uint32_t kSeedShare = 3;
constexpr std::size_t kMostExtended = 16;
// Mates that do not make a proper pair lose this much against one that do (bwa mem -U).
constexpr int kUnpairedPenalty = 17;
// Places this much below the best are still worth a search for the mate, and that many of them.
constexpr int kRescueMargin = 17;
constexpr std::size_t kMostRescues = 4;
// A part of a split read is told of if it has this score, and this many bases that no other has.
constexpr int kLeastSplitScore = 30;
constexpr std::uint32_t kLeastSplitBases = 30;

std::uint32_t clip_at(const std::vector<std::uint32_t>& cigars, std::size_t index) {
  if (cigars.empty()) return 0;
  const std::uint32_t op = cigars[index];
  const bool clip = cigar_op(op) == CigarOp::SoftClip || cigar_op(op) == CigarOp::HardClip;
  return clip ? cigar_length(op) : 0;
}

Strand strand_of(const SeededRead& read, bool reversed) {
  return {reversed ? read.reverse.data() : read.forward.data(), read.length, reversed};
}

/// Whether both are about the same path. Copies of a tandem repeat overlap, and are not.
bool same_place(const Alignment& a, const Alignment& b) {
  const auto near = [](std::int64_t x, std::int64_t y) { return std::abs(x - y) < kMostGap; };
  return a.reversed == b.reversed && near(a.unclipped_start(), b.unclipped_start());
}

/// Whether `a` is the better alignment; equal scores are told apart by their places.
bool better(const Alignment& a, const Alignment& b) {
  if (a.score != b.score) return a.score > b.score;
  if (a.position != b.position) return a.position < b.position;
  return a.reversed < b.reversed;
}

/// Outer distance of two mates that face each other, or 0 if they do not.
std::int64_t facing_distance(const Alignment& a, const Alignment& b) {
  if (a.reversed == b.reversed) return 0;
  const Alignment& forward = a.reversed ? b : a;
  const Alignment& reverse = a.reversed ? a : b;
  // Measured between the 5' ends as if nothing were clipped.
  const std::int64_t distance = reverse.unclipped_start() + 1 - forward.unclipped_start();
  return std::max<std::int64_t>(distance, 0);
}

/// What a distance costs: the score that a chance as small as its own is worth (a match is worth
/// ln 4, as for bwa mem).
int distance_cost(std::int64_t distance, const InsertModel& model) {
  const double z = std::abs(static_cast<double>(distance) - model.mean) / model.deviation;
  const double chance = std::erfc(z / std::sqrt(2.0));
  return static_cast<int>(-std::log(2 * std::max(chance, 1e-30)) / std::log(4.0) + 1);
}

/// The places of one read, best first.
struct Places {
  std::vector<Alignment> list;

  void add(Alignment alignment) {
    if (!alignment.mapped) return;
    for (Alignment& known : list) {
      if (!same_place(known, alignment)) continue;
      if (better(alignment, known)) known = std::move(alignment);
      return;
    }
    list.push_back(std::move(alignment));
  }
  void sort() { std::ranges::sort(list, better); }
};

/// A way to place both mates; -1: that mate has no place.
struct PairChoice {
  int first = -1, second = -1, score = 0;
  bool proper = false;
};

}  // namespace

std::uint32_t Alignment::clipped_front() const noexcept { return clip_at(cigar, 0); }
std::uint32_t Alignment::clipped_back() const noexcept {
  return cigar.size() < 2 ? 0 : clip_at(cigar, cigar.size() - 1);
}
std::int64_t Alignment::unclipped_start() const noexcept {
  return reversed ? std::int64_t{end} - 1 + clipped_back()
                  : std::int64_t{position} - clipped_front();
}

InsertModel InsertModel::learn(std::vector<std::int32_t> lengths) {
  InsertModel out;
  std::erase_if(lengths, [](std::int32_t length) { return length <= 0; });
  std::ranges::sort(lengths);
  if (lengths.size() < kLeastPairs) {
    out.mean = 400;
    out.deviation = 200;
    out.least = 1;
    out.most = 2000;
    out.pairs = 1;
    return out;
  }
  const auto quantile = [&](std::size_t n) { return lengths[lengths.size() * n / 4]; };
  const std::int32_t low = quantile(1), high = quantile(3), spread = high - low;
  // Lengths far outside the middle half are chimeras or wrong places.
  double sum = 0, squares = 0, count = 0;
  for (const double length : lengths) {
    if (length < low - 2.0 * spread || length > high + 2.0 * spread) continue;
    sum += length;
    squares += length * length;
    ++count;
  }
  out.mean = sum / count;
  out.deviation = std::max(1.0, std::sqrt(std::max(0.0, squares / count - out.mean * out.mean)));
  out.least = static_cast<std::int32_t>(
      std::max(1.0, std::min(low - 3.0 * spread, out.mean - 4 * out.deviation)));
  out.most = static_cast<std::int32_t>(std::max(high + 3.0 * spread, out.mean + 4 * out.deviation));
  out.pairs = lengths.size();
  return out;
}

struct Aligner::Impl {
  Impl(const SeedIndex& index, std::size_t secondary)
      : reference(index.reference()),
        finder(index),
        extender(index.reference()),
        rescue(index.reference()),
        most_secondary(secondary) {}

  const Reference& reference;
  CandidateFinder finder;
  Extender extender;
  MateRescue rescue;
  std::size_t most_secondary;
  std::array<SeededRead, 2> reads;
  std::array<Places, 2> places;

  void seed(std::span<const Codes> codes) {
    for (std::size_t m = 0; m < codes.size(); ++m)
      finder.begin(codes[m].size() > kMostReadLength ? Codes{} : codes[m], reads[m]);
    for (std::size_t m = 0; m < codes.size(); ++m) finder.finish(reads[m]);
  }

  Alignment extend(const SeededRead& read, const Candidate& candidate) {
    return extender.extend(strand_of(read, candidate.reversed), candidate.diagonal, candidate.least,
                           candidate.most);
  }

  void extend_all(std::size_t mate) {
    const SeededRead& read = reads[mate];
    Places& out = places[mate];
    out.list.clear();
    if (read.candidates.empty()) return;
    const std::uint32_t least = read.candidates.front().seeds / kSeedShare;
    for (std::size_t i = 0; i < read.candidates.size() && i < kMostExtended; ++i) {
      if (read.candidates[i].seeds < least) break;
      out.add(extend(read, read.candidates[i]));
    }
    out.sort();
    join_parts(mate);
  }

  /// Places that are two ends of the read at a large gap become one.
  void join_parts(std::size_t mate) {
    std::vector<Alignment>& list = places[mate].list;
    for (std::size_t i = 0; i < list.size(); ++i) {
      for (std::size_t j = 0; j < list.size(); ++j) {
        if (i == j) continue;
        auto joined =
            join_across_gap(strand_of(reads[mate], list[i].reversed), list[i], list[j], reference);
        if (!joined) continue;
        list[i] = std::move(*joined);
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(j));
        places[mate].sort();
        return join_parts(mate);
      }
    }
  }

  /// Looks for mate `other` where place `anchor` of its mate says it should be.
  void rescue_mate(const Alignment& anchor, std::size_t other, const InsertModel& model,
                   bool repetitive) {
    const SeededRead& read = reads[other];
    std::int64_t first = 0, last = 0;  // diagonals
    const std::int64_t start = anchor.unclipped_start();
    if (anchor.reversed) {
      first = start + 1 - model.most;
      last = start + 1 - model.least;
    } else {
      first = start + model.least - read.length;
      last = start + model.most - read.length;
    }
    const Strand strand = strand_of(read, !anchor.reversed);
    for (const std::int64_t diagonal : rescue.find(strand, first, last, repetitive))
      places[other].add(extender.extend(strand, diagonal, diagonal, diagonal));
  }

  [[nodiscard]] bool has_partner(const Alignment& anchor, std::size_t other,
                                 const InsertModel& model) const {
    return std::ranges::any_of(places[other].list, [&](const Alignment& mate) {
      return is_proper(facing_distance(anchor, mate), model);
    });
  }

  static bool is_proper(std::int64_t distance, const InsertModel& model) {
    return distance >= model.least && distance <= model.most && distance > 0;
  }

  void rescue_mates(const InsertModel& model) {
    for (std::size_t mate = 0; mate < 2; ++mate) {
      // A copy: rescuing the other mate's partners must not feed on itself.
      const std::vector<Alignment> anchors = places[mate].list;
      for (std::size_t i = 0; i < anchors.size() && i < kMostRescues; ++i) {
        if (anchors[i].score < anchors[0].score - kRescueMargin) break;
        if (!has_partner(anchors[i], 1 - mate, model))
          rescue_mate(anchors[i], 1 - mate, model, false);
        // Of a read whose seeds were not all looked at, a better partner may be missing.
        if (reads[1 - mate].common) rescue_mate(anchors[i], 1 - mate, model, true);
      }
    }
    for (std::size_t mate = 0; mate < 2; ++mate) {
      places[mate].sort();
      join_parts(mate);
    }
  }

  std::vector<PairChoice> choices(const InsertModel& model) const {
    std::vector<PairChoice> out;
    const auto &a = places[0].list, &b = places[1].list;
    for (std::size_t i = 0; i < a.size(); ++i) {
      for (std::size_t j = 0; j < b.size(); ++j) {
        const std::int64_t distance = facing_distance(a[i], b[j]);
        if (!is_proper(distance, model)) continue;
        out.push_back({static_cast<int>(i), static_cast<int>(j),
                       a[i].score + b[j].score - distance_cost(distance, model), true});
      }
    }
    if (!a.empty() || !b.empty())
      out.push_back({a.empty() ? -1 : 0, b.empty() ? -1 : 0,
                     (a.empty() ? 0 : a[0].score) + (b.empty() ? 0 : b[0].score) - kUnpairedPenalty,
                     false});
    std::ranges::stable_sort(out, std::ranges::greater{}, &PairChoice::score);
    return out;
  }

  /// The best score of `mate` at another place than `chosen`, and how many places score about that.
  std::pair<int, std::uint32_t> second_best(std::size_t mate, std::size_t chosen) const {
    constexpr int kAbout = 5;
    const auto& list = places[mate].list;
    int second = 0;
    for (std::size_t i = 0; i < list.size(); ++i)
      if (i != chosen) second = std::max(second, list[i].score);
    std::uint32_t count = 0;
    for (std::size_t i = 0; i < list.size(); ++i)
      if (i != chosen && list[i].score >= second - kAbout) ++count;
    return {second, count};
  }

  int quality_of(std::size_t mate, std::size_t chosen, Alignment& alignment) const {
    const auto [second, rivals] = second_best(mate, chosen);
    alignment.second_score = second;
    int quality =
        single_quality(alignment, reads[mate].length, rivals, reads[mate].unknown_share());
    // Nothing but repeats was found: there are more places than were looked at.
    if (reads[mate].common && places[mate].list.size() >= kMostExtended / 2) quality = 0;
    return quality;
  }

  /// Parts of the read elsewhere that the primary place leaves out.
  std::vector<Alignment> split_parts(std::size_t mate, const Alignment& primary) const {
    std::vector<Alignment> out;
    if (primary.clipped_front() < kLeastSplitBases && primary.clipped_back() < kLeastSplitBases)
      return out;
    const std::uint32_t length = reads[mate].length;
    std::vector<bool> taken(length, false);
    const auto mark = [&](const Alignment& a, bool count_only) {
      std::uint32_t fresh = 0;
      for (std::uint32_t i = a.clipped_front(); i < length - a.clipped_back(); ++i) {
        const std::uint32_t base = a.reversed ? length - 1 - i : i;
        if (!taken[base]) ++fresh;
        if (!count_only) taken[base] = true;
      }
      return fresh;
    };
    mark(primary, false);
    for (const Alignment& other : places[mate].list) {
      if (same_place(other, primary) || other.score < kLeastSplitScore) continue;
      if (mark(other, true) < kLeastSplitBases) continue;
      mark(other, false);
      out.push_back(other);
      out.back().mapping_quality = static_cast<std::uint8_t>(
          std::min<int>(single_quality(other, length, 0), primary.mapping_quality));
    }
    return out;
  }

  /// Other places of the read, best first; not those that a part of it is told to be at.
  std::vector<Alignment> other_places(std::size_t mate, const ReadPlaces& told) const {
    std::vector<Alignment> out;
    const auto is_told = [&](const Alignment& place) {
      const auto same = [&](const Alignment& other) { return same_place(place, other); };
      return same(told.primary) || std::ranges::any_of(told.supplementary, same);
    };
    for (const Alignment& place : places[mate].list) {
      if (out.size() == most_secondary || place.score < kSecondaryShare * told.primary.score) break;
      if (is_told(place)) continue;
      out.push_back(place);
      out.back().mapping_quality = 0;
    }
    return out;
  }

  PairPlaces place_pair(const InsertModel& model) {
    extend_all(0);
    extend_all(1);
    const bool settled = places[0].list.size() == 1 && places[1].list.size() == 1 &&
                         is_proper(facing_distance(places[0].list[0], places[1].list[0]), model);
    if (!settled) rescue_mates(model);
    return settled ? chosen({0, 0, 0, true}, std::nullopt, 0) : best_pair(model);
  }

  PairPlaces best_pair(const InsertModel& model) {
    const std::vector<PairChoice> all = choices(model);
    if (all.empty()) return {};
    const PairChoice& best = all.front();
    std::optional<int> second;
    std::uint32_t rivals = 0;
    for (std::size_t i = 1; i < all.size(); ++i) {
      if (!second) second = all[i].score;
      if (all[i].score >= *second - 5) ++rivals;
    }
    return chosen(best, second ? std::optional(best.score - *second) : std::nullopt, rivals);
  }

  PairPlaces chosen(const PairChoice& choice, std::optional<int> margin, std::uint32_t rivals) {
    PairPlaces out;
    out.proper = choice.proper;
    const std::array<int, 2> index = {choice.first, choice.second};
    const double unknown = (reads[0].unknown_share() + reads[1].unknown_share()) / 2;
    for (std::size_t mate = 0; mate < 2; ++mate) {
      if (index[mate] < 0) continue;
      Alignment& primary = out.reads[mate].primary;
      primary = places[mate].list[index[mate]];
      int quality = quality_of(mate, index[mate], primary);
      if (choice.proper)
        quality = paired_quality(quality, margin.value_or(kMostMappingQuality), rivals, unknown);
      primary.mapping_quality = static_cast<std::uint8_t>(quality);
      out.reads[mate].supplementary = split_parts(mate, primary);
      out.reads[mate].secondary = other_places(mate, out.reads[mate]);
    }
    return out;
  }
};

Aligner::Aligner(const SeedIndex& index, std::size_t secondary)
    : impl_(std::make_unique<Impl>(index, secondary)) {}
Aligner::~Aligner() = default;
Aligner::Aligner(Aligner&&) noexcept = default;

ReadPlaces Aligner::align(Codes read) {
  Impl& my = *impl_;
  my.seed({{read}});
  my.extend_all(0);
  ReadPlaces out;
  if (my.places[0].list.empty()) return out;
  out.primary = my.places[0].list[0];
  out.primary.mapping_quality = static_cast<std::uint8_t>(my.quality_of(0, 0, out.primary));
  out.supplementary = my.split_parts(0, out.primary);
  out.secondary = my.other_places(0, out);
  return out;
}

PairPlaces Aligner::align_pair(Codes read1, Codes read2, const InsertModel& model) {
  const std::array codes = {read1, read2};
  impl_->seed(codes);
  return impl_->place_pair(model);
}

std::int32_t Aligner::fragment_length(Codes read1, Codes read2) {
  Impl& my = *impl_;
  const std::array codes = {read1, read2};
  my.seed(codes);
  my.extend_all(0);
  my.extend_all(1);
  for (const Places& mate : my.places) {
    if (mate.list.size() != 1) return 0;
  }
  const std::int64_t distance = facing_distance(my.places[0].list[0], my.places[1].list[0]);
  constexpr std::int64_t kFar = 100'000;
  return distance > 0 && distance <= kFar ? static_cast<std::int32_t>(distance) : 0;
}

}  // namespace aceso::genomics
