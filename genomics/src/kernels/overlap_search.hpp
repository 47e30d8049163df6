// The search for an overlap, written once; a kernel brings how it counts mismatches, and defines
// ACESO_KERNEL_TARGET (its gnu::target attribute, or nothing) before it includes this.
#pragma once

#include "kernels/kernels.hpp"

#include <algorithm>

namespace aceso::genomics {
namespace {  // one copy per instruction set, never shared

// Counter::few(a, b, length, limit) says whether a and b differ in at most `limit` of `length`
// places; Counter::all(a, b, length) counts.
template <typename Counter>
ACESO_KERNEL_TARGET inline bool try_offset(const char* a, const char* b, std::uint32_t length,
                                           const OverlapRules& rules, Overlap& out) {
  const std::uint32_t limit = mismatches_allowed(length, rules);
  if (!Counter::few(a, b, std::min(length, kOverlapDecides), limit)) return false;
  out.found = true;
  out.length = length;
  out.mismatches = Counter::all(a, b, length);
  return true;
}

template <typename Counter>
ACESO_KERNEL_TARGET inline Overlap search_overlap(const char* read, std::uint32_t read_length,
                                                  const char* mate, std::uint32_t mate_length,
                                                  const OverlapRules& rules) {
  Overlap out;
  // Long fragments first: the mate begins inside the read.
  for (std::uint32_t offset = 0; offset + rules.least_length < read_length; ++offset) {
    const std::uint32_t length = std::min(read_length - offset, mate_length);
    out.offset = static_cast<std::int32_t>(offset);
    if (try_offset<Counter>(read + offset, mate, length, rules, out)) return out;
  }
  // Then fragments shorter than the mate: the mate's end lies inside it, behind it is adapter.
  for (std::uint32_t offset = 0; offset + rules.least_length < mate_length; ++offset) {
    const std::uint32_t length = std::min(read_length, mate_length - offset);
    out.offset = -static_cast<std::int32_t>(offset);
    if (try_offset<Counter>(read, mate + offset, length, rules, out)) return out;
  }
  return Overlap{};
}

}  // namespace
}  // namespace aceso::genomics
