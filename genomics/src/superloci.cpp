#include "superloci.hpp"

#include "aceso/core/threads.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace aceso::genomics {
namespace {

/// Where a variant can be written.
struct Extent {
  std::uint32_t begin, end;
  bool is_truth;
};

void add_extents(std::span<const std::uint8_t> contig, std::span<const VariantPiece> pieces,
                 bool is_truth, std::vector<Extent>& out) {
  for (const VariantPiece& piece : pieces) {
    Extent extent{piece.begin, piece.end, is_truth};
    for (std::size_t h = 0; h < piece.copies(); ++h) {
      if (!piece.brings_alternative(h)) continue;
      const ShiftedAllele allele = shift_left(contig, piece, h);
      extent.begin = std::min(extent.begin, allele.begin);
      extent.end = std::max(extent.end, allele.reach);
    }
    out.push_back(extent);
  }
}

/// The misses of one superlocus, seen from the other set.
class NearMisses {
 public:
  /// `pieces` are sorted by place.
  NearMisses(std::span<const std::uint8_t> contig, std::span<const VariantPiece> pieces,
             const SideMatch& match)
      : contig_(contig) {
    std::uint32_t reach = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      if (match.stretch[i] != 0) continue;
      reach = std::max(reach, pieces[i].end);
      missed_.push_back({pieces[i].begin, reach});
      for (const Key& key : keys_of(pieces[i])) alleles_.insert(key);
    }
  }

  [[nodiscard]] Nearness of(const VariantPiece& piece) const {
    if (missed_.empty()) return Nearness::None;
    for (const Key& key : keys_of(piece)) {
      if (alleles_.contains(key)) return Nearness::Allele;
    }
    const auto behind = std::ranges::upper_bound(missed_, piece.end, {},
                                                 &std::pair<std::uint32_t, std::uint32_t>::first);
    const bool touches = behind != missed_.begin() && (behind - 1)->second >= piece.begin;
    return touches ? Nearness::Place : Nearness::None;
  }

 private:
  using Key = std::tuple<std::uint32_t, std::uint32_t, std::string>;

  [[nodiscard]] std::vector<Key> keys_of(const VariantPiece& piece) const {
    std::vector<Key> out;
    for (std::size_t h = 0; h < piece.copies(); ++h) {
      if (!piece.brings_alternative(h)) continue;
      ShiftedAllele allele = shift_left(contig_, piece, h);
      out.emplace_back(allele.begin, allele.end, std::move(allele.bases));
    }
    return out;
  }

  std::span<const std::uint8_t> contig_;
  std::set<Key> alleles_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> missed_;  ///< begin, farthest end so far
};

/// Judges one superlocus into its places of the contig's lists.
class LocusJudge {
 public:
  LocusJudge(std::span<const std::uint8_t> contig, std::uint32_t index, const BedRegions& regions,
             const Superlocus& locus)
      : contig_(contig),
        index_(index),
        regions_(regions),
        locus_(locus),
        match_(match_superlocus(contig, locus)) {}

  /// Whether the variants were too many to match well.
  bool judge(std::span<Judgement> truth, std::span<Judgement> calls) {
    sum_up_stretches();
    judge_side(locus_.truth, match_.truth, truth, true);
    judge_side(locus_.calls, match_.calls, calls, false);
    return match_.too_complex;
  }

 private:
  struct Stretch {
    bool holds_truth = false;  ///< inside the regions
    double least_score = -1;
  };

  [[nodiscard]] bool inside(const VariantPiece& piece) const {
    return regions_.contains(index_, piece.begin, piece.end);
  }

  void sum_up_stretches() {
    for (std::size_t i = 0; i < locus_.truth.size(); ++i) {
      if (match_.truth.stretch[i] > 0 && inside(locus_.truth[i]))
        stretches_[match_.truth.stretch[i]].holds_truth = true;
    }
    std::map<std::uint32_t, bool> begun;
    for (std::size_t i = 0; i < locus_.calls.size(); ++i) {
      const std::uint32_t number = match_.calls.stretch[i];
      if (number == 0) continue;
      Stretch& stretch = stretches_[number];
      const double score = locus_.calls[i].score;
      stretch.least_score = begun[number] ? std::min(stretch.least_score, score) : score;
      begun[number] = true;
    }
  }

  void judge_side(std::span<const VariantPiece> pieces, const SideMatch& match,
                  std::span<Judgement> out, bool is_truth) {
    const NearMisses others(contig_, is_truth ? locus_.calls : locus_.truth,
                            is_truth ? match_.calls : match_.truth);
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      Judgement& judgement = out[i];
      judgement.type = type_of(contig_, pieces[i]);
      judgement.score = pieces[i].score;
      if (!inside(pieces[i])) continue;
      const std::uint32_t number = match.stretch[i];
      if (number == 0) {
        judgement.outcome = CompareOutcome::Miss;
        judgement.nearness = others.of(pieces[i]);
      } else if (is_truth) {
        judgement.outcome = CompareOutcome::Match;
        judgement.score = stretches_[number].least_score;
      } else if (stretches_[number].holds_truth) {
        judgement.outcome = CompareOutcome::Match;
      }
    }
  }

  std::span<const std::uint8_t> contig_;
  std::uint32_t index_;
  const BedRegions& regions_;
  const Superlocus& locus_;
  SuperlocusMatch match_;
  std::map<std::uint32_t, Stretch> stretches_;
};

}  // namespace

std::vector<Superlocus> make_superloci(std::span<const std::uint8_t> contig,
                                       std::span<const VariantPiece> truth,
                                       std::span<const VariantPiece> calls) {
  std::vector<Extent> extents;
  extents.reserve(truth.size() + calls.size());
  add_extents(contig, truth, true, extents);
  add_extents(contig, calls, false, extents);
  std::ranges::stable_sort(extents, {}, &Extent::begin);

  // Groups do not overlap, so that each is a run of either sorted set.
  std::vector<Superlocus> out;
  std::size_t truth_done = 0, calls_done = 0;
  for (std::size_t i = 0; i < extents.size();) {
    std::size_t truth_count = 0, calls_count = 0;
    std::uint64_t end = extents[i].end;
    for (; i < extents.size() && extents[i].begin <= end + kSuperlocusGap; ++i) {
      end = std::max<std::uint64_t>(end, extents[i].end);
      ++(extents[i].is_truth ? truth_count : calls_count);
    }
    out.push_back({truth.subspan(truth_done, truth_count), calls.subspan(calls_done, calls_count)});
    truth_done += truth_count;
    calls_done += calls_count;
  }
  return out;
}

ContigJudgements judge_contig(std::span<const std::uint8_t> contig, std::uint32_t contig_index,
                              const BedRegions& regions, std::span<const VariantPiece> truth,
                              std::span<const VariantPiece> calls, unsigned threads,
                              const std::stop_token& stop) {
  const std::vector<Superlocus> loci = make_superloci(contig, truth, calls);
  ContigJudgements out;
  out.truth.resize(truth.size());
  out.calls.resize(calls.size());
  std::vector<char> too_complex(loci.size(), 0);
  const auto places_of = [](auto all, auto part, std::vector<Judgement>& judgements) {
    return part.empty()
               ? std::span<Judgement>{}
               : std::span(judgements)
                     .subspan(static_cast<std::size_t>(part.data() - all.data()), part.size());
  };
  parallel_for(
      loci.size(), 64, threads,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          LocusJudge judge(contig, contig_index, regions, loci[i]);
          too_complex[i] = judge.judge(places_of(truth, loci[i].truth, out.truth),
                                       places_of(calls, loci[i].calls, out.calls));
        }
      },
      stop);
  out.superloci = loci.size();
  out.too_complex = static_cast<std::uint64_t>(std::ranges::count(too_complex, 1));
  return out;
}

}  // namespace aceso::genomics
