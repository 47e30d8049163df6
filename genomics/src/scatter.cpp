#include "scatter.hpp"

#include "packed_record.hpp"

#include "aceso/core/error.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace aceso::genomics {
namespace {

constexpr std::uint32_t kLeastRun = 100;  // of N
// A cut may be moved by this part of a piece, either way.
constexpr std::uint64_t kRoomShare = 20;
constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

/// How good a place is for a cut; the least is best.
enum class Rank : std::uint8_t { Border, Unknown, Bucket, Anywhere };

struct Cut {
  std::uint64_t before = 0;    ///< bases of the regions in front of it that are no N
  std::size_t interval = 0;    ///< number of the one it stands in, or at the beginning of
  std::uint32_t position = 0;  ///< in its contig
  Rank rank = Rank::Anywhere;
};

/// Goes through the regions base by base and chooses the cuts.
class Cutter {
 public:
  Cutter(const Reference& reference, const BedRegions& regions, std::size_t count)
      : reference_(reference), count_(count) {
    for (std::uint32_t c = 0; c < reference.contigs().size(); ++c) {
      for (const BedInterval& interval : regions.of(c)) {
        intervals_.push_back({c, interval});
        const auto codes =
            reference.codes(c).subspan(interval.begin, interval.end - interval.begin);
        all_ += static_cast<std::uint64_t>(
            std::ranges::count_if(codes, [](std::uint8_t code) { return code < kCodeN; }));
      }
    }
    if (all_ < count)
      fail(Errc::InvalidArgument, "{} pieces of {} known bases: expected at least one base in each",
           count, all_);
    aim();
  }

  std::vector<ScatterPiece> pieces() {
    for (std::size_t i = 0; i < intervals_.size(); ++i) walk(i);
    while (chosen_.size() + 1 < count_) choose();
    return between_cuts();
  }

 private:
  void walk(std::size_t number) {
    const auto& [contig, interval] = intervals_[number];
    const std::uint64_t global = reference_.contigs()[contig].begin;
    const auto codes = reference_.codes(contig);
    offer({seen_, number, interval.begin, Rank::Border});
    std::uint32_t run = 0;  // of N, up to here
    for (std::uint32_t at = interval.begin; at < interval.end; ++at) {
      if (codes[at] >= kCodeN) {
        ++run;
        continue;
      }
      if (seen_ > last_) choose();
      if (run >= kLeastRun) offer({seen_, number, at - run / 2, Rank::Unknown});
      run = 0;
      if ((global + at) % (1ULL << kBucketBits) == 0) offer({seen_, number, at, Rank::Bucket});
      if (seen_ == target_) offer({seen_, number, at, Rank::Anywhere});
      ++seen_;
    }
  }

  /// Remembers a place if it is better for the cut under way.
  void offer(const Cut& cut) {
    if (seen_ > last_) choose();
    if (cut.before < first_) return;
    const auto distance = [&](const Cut& c) {
      return c.before > target_ ? c.before - target_ : target_ - c.before;
    };
    if (!best_ || cut.rank < best_->rank ||
        (cut.rank == best_->rank && distance(cut) < distance(*best_)))
      best_ = cut;
  }

  /// Decides about the cut under way: the place it aims at was offered at least.
  void choose() {
    chosen_.push_back(*best_);
    aim();
  }

  /// Begins with the next cut, if there is one left.
  void aim() {
    best_.reset();
    const bool done = chosen_.size() + 1 == count_;
    // (No overflow: there are less than 2^32 bases.)
    target_ = done ? kNever : all_ * (chosen_.size() + 1) / count_;
    const std::uint64_t room = all_ / count_ / kRoomShare;
    first_ = done ? kNever : target_ - room;
    last_ = done ? kNever : target_ + room;
  }

  [[nodiscard]] std::vector<ScatterPiece> between_cuts() const {
    std::vector<ScatterPiece> out(count_);
    std::size_t piece = 0;
    for (std::size_t i = 0; i < intervals_.size(); ++i) {
      const auto& [contig, interval] = intervals_[i];
      std::uint32_t from = interval.begin;
      for (; piece < chosen_.size() && chosen_[piece].interval == i; ++piece) {
        const std::uint32_t to = chosen_[piece].position;
        if (from < to) out[piece].intervals.push_back({contig, {from, to}});
        from = to;
      }
      if (from < interval.end) out[piece].intervals.push_back({contig, {from, interval.end}});
    }
    std::uint64_t before = 0;
    for (std::size_t p = 0; p < count_; ++p) {
      const std::uint64_t end = p < chosen_.size() ? chosen_[p].before : all_;
      out[p].bases = end - before;
      before = end;
    }
    return out;
  }

  const Reference& reference_;
  std::size_t count_;
  std::vector<ScatterPiece::Interval> intervals_;
  std::uint64_t all_ = 0, seen_ = 0;
  std::uint64_t target_ = 0, first_ = 0, last_ = 0;  ///< where the cut under way may be
  std::optional<Cut> best_;                          ///< for the cut under way
  std::vector<Cut> chosen_;
};

}  // namespace

std::vector<ScatterPiece> scatter(const Reference& reference, const BedRegions& regions,
                                  std::size_t count) {
  return Cutter(reference, regions, count).pieces();
}

}  // namespace aceso::genomics
