#include "gap_join.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {

using S = AlignScores;

/// A stretch of a read without gaps: bases [begin, end) lie on reference [begin + diagonal, ...).
struct Block {
  std::int64_t begin = 0, end = 0, diagonal = 0;
};

Block last_block(const Alignment& a, std::uint32_t read_length) {
  const std::size_t clipped = a.clipped_back() > 0 ? 1 : 0;
  const std::uint32_t op = a.cigar[a.cigar.size() - 1 - clipped];
  const std::int64_t end = read_length - a.clipped_back();
  return {end - cigar_length(op), end, a.end - end};
}

Block first_block(const Alignment& a) {
  const std::size_t clipped = a.clipped_front() > 0 ? 1 : 0;
  const std::int64_t begin = a.clipped_front();
  return {begin, begin + cigar_length(a.cigar[clipped]), a.position - begin};
}

/// Score with what unclipped ends earn.
int with_bonuses(const Alignment& a) {
  return a.score + (a.clipped_front() == 0 ? S::kEndBonus : 0) +
         (a.clipped_back() == 0 ? S::kEndBonus : 0);
}

class Join {
 public:
  Join(const Strand& read, const Alignment& front, const Alignment& back,
       const Reference& reference)
      : read_(read),
        front_(front),
        back_(back),
        codes_(reference.codes().data()),
        left_(last_block(front, read.length)),
        right_(first_block(back)),
        gap_(right_.diagonal - left_.diagonal) {}

  [[nodiscard]] std::optional<Alignment> best() {
    if (gap_ == 0 || std::abs(gap_) >= read_.length) return std::nullopt;
    if (front_.end >= back_.end || front_.position >= back_.position) return std::nullopt;
    if (!find_breakpoint() || crosses_contigs()) return std::nullopt;
    const int score = front_.score - sum(left_.begin, left_.end, left_.diagonal) + best_sum_ +
                      back_.score - sum(right_.begin, right_.end, right_.diagonal) - S::kGapOpen -
                      S::kGapExtend * static_cast<int>(std::abs(gap_));
    Alignment out = joined(score);
    if (with_bonuses(out) <= std::max(with_bonuses(front_), with_bonuses(back_)))
      return std::nullopt;
    return out;
  }

 private:
  [[nodiscard]] int gain(std::int64_t base, std::int64_t diagonal) const {
    return base_gain(read_.codes[base], codes_[base + diagonal]);
  }
  [[nodiscard]] int sum(std::int64_t begin, std::int64_t end, std::int64_t diagonal) const {
    int out = 0;
    for (std::int64_t base = begin; base < end; ++base) out += gain(base, diagonal);
    return out;
  }
  /// Bases of the read that the gap takes.
  [[nodiscard]] std::int64_t inserted() const noexcept { return gap_ < 0 ? -gap_ : 0; }

  /// Bases below breakpoint_ lie as in front_, those behind it and the insertion as in back_. At
  /// least one base of each block stays.
  bool find_breakpoint() {
    const std::int64_t least = left_.begin + 1, most = right_.end - inserted() - 1;
    if (least > most) return false;
    int here =
        gain(left_.begin, left_.diagonal) + sum(least + inserted(), right_.end, right_.diagonal);
    breakpoint_ = least;
    best_sum_ = here;
    for (std::int64_t at = least + 1; at <= most; ++at) {
      here += gain(at - 1, left_.diagonal) - gain(at - 1 + inserted(), right_.diagonal);
      if (here <= best_sum_) continue;
      best_sum_ = here;
      breakpoint_ = at;
    }
    return true;
  }

  [[nodiscard]] bool crosses_contigs() const {
    const std::int64_t begin = breakpoint_ + left_.diagonal;
    return gap_ > 0 && std::any_of(codes_ + begin, codes_ + begin + gap_,
                                   [](std::uint8_t code) { return code == kCodeGap; });
  }

  [[nodiscard]] Alignment joined(int score) const {
    Alignment out = front_;
    out.score = score;
    out.end = back_.end;
    if (front_.clipped_back() > 0) out.cigar.pop_back();
    out.cigar.back() = cigar(CigarOp::Match, length_of(breakpoint_ - left_.begin));
    out.cigar.push_back(
        cigar(gap_ > 0 ? CigarOp::Deletion : CigarOp::Insertion, length_of(std::abs(gap_))));
    out.cigar.push_back(cigar(CigarOp::Match, length_of(right_.end - breakpoint_ - inserted())));
    const std::size_t behind = back_.clipped_front() > 0 ? 2 : 1;
    out.cigar.insert(out.cigar.end(), back_.cigar.begin() + static_cast<std::ptrdiff_t>(behind),
                     back_.cigar.end());
    return out;
  }
  static std::uint32_t length_of(std::int64_t bases) { return static_cast<std::uint32_t>(bases); }

  const Strand& read_;
  const Alignment& front_;
  const Alignment& back_;
  const std::uint8_t* codes_;
  Block left_, right_;
  std::int64_t gap_;  ///< above 0: a deletion
  std::int64_t breakpoint_ = 0;
  int best_sum_ = 0;
};

}  // namespace

std::optional<Alignment> join_across_gap(const Strand& read, const Alignment& front,
                                         const Alignment& back, const Reference& reference) {
  if (front.reversed != back.reversed || front.clipped_back() == 0 || back.clipped_front() == 0)
    return std::nullopt;
  return Join(read, front, back, reference).best();
}

}  // namespace aceso::genomics
