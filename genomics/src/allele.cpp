#include "allele.hpp"

#include <algorithm>

namespace aceso::genomics {

void normalise(Allele& allele, const Reference& reference, std::uint64_t least_position) {
  const std::span<const std::uint8_t> codes = reference.codes();
  const auto last_equal = [&] {
    return allele.removed > 0 && !allele.added.empty() &&
           codes[allele.end() - 1] == static_cast<std::uint8_t>(allele.added.back());
  };
  while (last_equal()) {
    --allele.removed;
    allele.added.pop_back();
  }
  while (allele.removed > 0 && !allele.added.empty() &&
         codes[allele.position] == static_cast<std::uint8_t>(allele.added.front())) {
    ++allele.position;
    --allele.removed;
    allele.added.erase(0, 1);
  }
  if ((allele.removed > 0) != allele.added.empty())
    return;  // both bases gone and new, or no change
  // A pure insertion or deletion: the base in front may go through it.
  while (allele.position > least_position) {
    const std::uint8_t front = codes[allele.position - 1];
    if (front >= kCodeN) break;
    const std::uint8_t back = allele.removed > 0 ? codes[allele.end() - 1]
                                                 : static_cast<std::uint8_t>(allele.added.back());
    if (front != back) break;
    --allele.position;
    if (allele.removed == 0)
      std::rotate(allele.added.begin(), allele.added.end() - 1, allele.added.end());
  }
}

std::uint32_t room_right(const Allele& allele, const Reference& reference) {
  constexpr std::uint32_t kMost = 200;
  const std::span<const std::uint8_t> codes = reference.codes();
  if (!allele.is_indel() || (allele.removed > 0 && !allele.added.empty())) return 0;
  std::uint32_t room = 0;
  if (allele.removed > 0) {
    while (room < kMost && allele.end() + room < codes.size() &&
           codes[allele.position + room] == codes[allele.end() + room])
      ++room;
    return room;
  }
  while (room < kMost && allele.position + room < codes.size() &&
         codes[allele.position + room] ==
             static_cast<std::uint8_t>(allele.added[room % allele.added.size()]))
    ++room;
  return room;
}

RepeatChange repeat_change(const Allele& allele, const Reference& reference,
                           std::uint32_t most_unit) {
  if (!allele.is_indel() || (allele.removed > 0 && !allele.added.empty())) return {};
  const std::uint32_t size =
      std::max(allele.removed, static_cast<std::uint32_t>(allele.added.size()));
  const auto base = [&](std::uint32_t i) {
    return allele.removed > 0 ? reference.codes()[allele.position + i]
                              : static_cast<std::uint8_t>(allele.added[i]);
  };
  const auto repeats = [&](std::uint32_t unit) {
    for (std::uint32_t i = unit; i < size; ++i) {
      if (base(i) != base(i - unit)) return false;
    }
    return size % unit == 0;
  };
  std::uint32_t unit = 1;
  while (unit <= most_unit && !repeats(unit)) ++unit;
  if (unit > most_unit) return {};
  return {unit, (allele.removed + room_right(allele, reference)) / unit, size / unit};
}

bool conflict(const Allele& a, const Allele& b) noexcept {
  if (a.removed == 0 && b.removed == 0) return a.position == b.position;
  // An insertion stands in front of its position: it may follow a change, not lie within one.
  if (a.removed == 0) return a.position > b.position && a.position < b.end();
  if (b.removed == 0) return b.position > a.position && b.position < a.end();
  return a.position < b.end() && b.position < a.end();
}

}  // namespace aceso::genomics
