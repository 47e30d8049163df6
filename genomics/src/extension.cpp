#include "extension.hpp"

#include <algorithm>
#include <bit>

namespace aceso::genomics {
namespace {

using S = AlignScores;

/// The best stretch of a read that lies without gaps: a maximum subarray, in which ends that are
/// reached earn the bonus.
class BestStretch {
 public:
  explicit BestStretch(std::uint32_t length) : length_(length) {}

  void difference(std::uint32_t at, int gain) {
    advance(at);
    running_ += gain;
    if (running_ < 0) {
      running_ = 0;
      begin_ = at + 1;
    }
    from_ = at + 1;
  }

  void finish() {
    advance(length_);
    if (begin_ < length_) offer(running_ + S::kEndBonus, length_);
  }

  int score = 0;  ///< with bonuses
  std::uint32_t begin = 0, end = 0;

 private:
  void advance(std::uint32_t at) {
    running_ += static_cast<int>(at - from_) * S::kMatch;
    if (at > from_) offer(running_, at);
  }
  void offer(int value, std::uint32_t at) {
    if (value <= score) return;
    score = value;
    begin = begin_;
    end = at;
  }

  std::uint32_t length_, from_ = 0, begin_ = 0;
  int running_ = S::kEndBonus;
};

int plain_score(int score, bool reaches_begin, bool reaches_end) {
  return score - (reaches_begin ? S::kEndBonus : 0) - (reaches_end ? S::kEndBonus : 0);
}

void push(std::vector<std::uint32_t>& cigars, CigarOp op, std::uint32_t length) {
  if (length == 0) return;
  if (!cigars.empty() && cigar_op(cigars.back()) == op)
    cigars.back() += length << 4;
  else
    cigars.push_back(cigar(op, length));
}

/// The path that ends at `end`, from its end to its beginning.
struct Path {
  std::vector<std::uint32_t> cigars;
  std::uint32_t row = 0, lane = 0;  ///< of its first base
};

Path trace(const BandEnd& end, const std::uint8_t* moves) {
  Path out;
  out.row = end.row;
  out.lane = end.lane;
  const auto move = [&] { return moves[std::size_t{out.row} * kBandLanes + out.lane]; };
  while (true) {
    const std::uint8_t here = move();
    switch (here & kMoveMask) {
      case kFromDeletion: {
        bool longer = true;
        while (longer && out.lane > 0) {
          longer = (move() & kDeletionExtends) != 0;
          push(out.cigars, CigarOp::Deletion, 1);
          --out.lane;
        }
        // A deletion opens behind a cell that no other one ends in: that one would be cheaper.
        break;
      }
      case kFromInsertion: {
        bool longer = true;
        while (longer && out.row > 0 && out.lane + 1 < kBandLanes) {
          longer = (move() & kInsertionExtends) != 0;
          push(out.cigars, CigarOp::Insertion, 1);
          --out.row;
          ++out.lane;
        }
        break;
      }
      default:
        push(out.cigars, CigarOp::Match, 1);
        if ((here & kMoveMask) == kFromStart || out.row == 0) return out;
        --out.row;
    }
  }
}

}  // namespace

bool Extender::inside(const Strand& read, std::int64_t diagonal) const noexcept {
  const auto size = static_cast<std::int64_t>(reference_.codes().size());
  constexpr std::int64_t kRoom = kBandLanes + static_cast<std::int64_t>(kCodeMargin);
  return diagonal >= 0 && diagonal + read.length + kRoom <= size;
}

Alignment Extender::compare(const Strand& read, std::int64_t diagonal) {
  Alignment out;
  differences_ = read.length;
  if (!inside(read, diagonal)) return out;
  const std::uint8_t* reference = reference_.codes().data() + diagonal;
  mask_.resize(read.length / 64 + 1);
  differences_ = kernels_.mismatches(read.codes, reference, read.length, mask_.data());
  BestStretch best(read.length);
  for (std::uint32_t word = 0; word * 64 < read.length; ++word) {
    for (std::uint64_t bits = mask_[word]; bits != 0; bits &= bits - 1) {
      const auto at = word * 64 + static_cast<std::uint32_t>(std::countr_zero(bits));
      best.difference(at, base_gain(read.codes[at], reference[at]));
    }
  }
  best.finish();
  const bool from_begin = best.begin == 0, to_end = best.end == read.length;
  out.score = plain_score(best.score, from_begin, to_end);
  if (out.score < kLeastScore) return out;
  out.mapped = true;
  out.reversed = read.reversed;
  out.position = static_cast<std::uint32_t>(diagonal + best.begin);
  out.end = static_cast<std::uint32_t>(diagonal + best.end);
  push(out.cigar, CigarOp::SoftClip, best.begin);
  push(out.cigar, CigarOp::Match, best.end - best.begin);
  push(out.cigar, CigarOp::SoftClip, read.length - best.end);
  return out;
}

bool Extender::settled(std::uint32_t length) const {
  // A gap costs at least 7 and an end 5: with one difference nothing can be better. (With a
  // difference at an end clipping may be; compare() has found that.)
  return differences_ <= 1 && length >= 50;
}

Alignment Extender::banded(const Strand& read, std::int64_t first_diagonal) {
  Alignment out;
  if (!inside(read, first_diagonal)) return out;
  moves_.resize(std::size_t{read.length} * kBandLanes);
  const std::uint8_t* window = reference_.codes().data() + first_diagonal;
  const BandEnd end = kernels_.align_band(read.codes, read.length, window, moves_.data());
  Path path = trace(end, moves_.data());
  const bool to_end = end.row + 1 == read.length;
  out.score = plain_score(end.score, path.row == 0, to_end);
  if (out.score < kLeastScore) return out;
  out.mapped = true;
  out.reversed = read.reversed;
  out.position = static_cast<std::uint32_t>(first_diagonal + path.row + path.lane);
  out.end = static_cast<std::uint32_t>(first_diagonal + end.row + end.lane + 1);
  push(out.cigar, CigarOp::SoftClip, path.row);
  for (auto op = path.cigars.rbegin(); op != path.cigars.rend(); ++op)
    push(out.cigar, cigar_op(*op), cigar_length(*op));
  push(out.cigar, CigarOp::SoftClip, read.length - end.row - 1);
  return out;
}

Alignment Extender::extend(const Strand& read, std::int64_t diagonal, std::int64_t least,
                           std::int64_t most) {
  Alignment plain = compare(read, diagonal);
  if (least == most && settled(read.length)) return plain;
  // Centre the band on the seeds' diagonals; the one with most of them must stay inside.
  std::int64_t centre = (least + most) / 2;
  centre = std::clamp(centre, diagonal - kBandLanes / 2 + 4, diagonal + kBandLanes / 2 - 4);
  // The band holds the plain alignment as well, and finds nothing worse.
  Alignment gapped = banded(read, centre - kBandLanes / 2);
  return gapped.mapped ? gapped : plain;
}

}  // namespace aceso::genomics
