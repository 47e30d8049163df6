#include "variable_sites.hpp"

#include <algorithm>

namespace aceso::genomics {

void VariableSites::begin(std::uint32_t begin, std::uint32_t end) {
  begin_ = begin;
  end_ = end;
  const std::size_t size = end - begin;
  depth_.assign(size, 0);
  others_.assign(size, {});
  breaks_.assign(size + 2UL * kMargin, 0);
}

void VariableSites::add_break(std::int64_t position) {
  const std::int64_t at = position - begin_ + kMargin;
  if (at >= 0 && at < static_cast<std::int64_t>(breaks_.size()))
    ++breaks_[static_cast<std::size_t>(at)];
}

void VariableSites::add(const PackedRecord& record) {
  const RecordBases bases(record);
  for_each_aligned_base(record, [&](std::uint32_t in_read, std::uint32_t position) {
    if (position < begin_ || position >= end_ || !bases.has_estimate(in_read)) return;
    ++depth_[position - begin_];
    const std::uint8_t code = bases.code(in_read);
    if (code != reference_.codes()[position]) ++others_[position - begin_][code];
  });
  std::uint32_t place = record.position;
  for (const std::uint32_t op : record.cigar()) {
    if (cigar_op(op) == CigarOp::Match) {
      place += cigar_length(op);
      continue;
    }
    add_break(place);
    if (cigar_op(op) != CigarOp::Deletion) continue;
    place += cigar_length(op);
    add_break(place);
  }
}

void VariableSites::finish() {
  usable_.assign(depth_.size(), false);
  for (std::size_t i = 0; i < depth_.size(); ++i)
    usable_[i] = depth_[i] >= kLeastDepth && reference_.codes()[begin_ + i] < kCodeN &&
                 !enough(*std::ranges::max_element(others_[i]), depth_[i]);
  for (std::size_t b = 0; b < breaks_.size(); ++b) {
    // breaks_[b] stands at begin_ + b - kMargin.
    const std::size_t from = b < 2UL * kMargin ? 0 : b - 2UL * kMargin;
    const std::size_t to = std::min(b + 1, usable_.size());
    if (from >= to) continue;
    const std::size_t near = std::clamp<std::size_t>(b < kMargin ? 0 : b - kMargin, from, to - 1);
    if (!enough(breaks_[b], depth_[near])) continue;
    std::fill(usable_.begin() + static_cast<std::ptrdiff_t>(from),
              usable_.begin() + static_cast<std::ptrdiff_t>(to), false);
  }
}

}  // namespace aceso::genomics
