#include "kernels/kernels.hpp"

#define ACESO_KERNEL_TARGET
#include "kernels/overlap_search.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace aceso::genomics {
namespace {

constexpr std::uint8_t kNone = 4, kLetterN = 5;

// A C G T -> 0 1 2 3.
constexpr std::array<std::uint8_t, 256> kCodes = [] {
  std::array<std::uint8_t, 256> codes{};
  codes.fill(kNone);
  codes['A'] = 0;
  codes['C'] = 1;
  codes['G'] = 2;
  codes['T'] = 3;
  codes['N'] = kLetterN;
  return codes;
}();

std::uint8_t code(char base) { return kCodes[static_cast<std::uint8_t>(base)]; }

std::size_t find_newlines(const char* text, std::size_t size, std::uint32_t* places) {
  std::size_t count = 0;
  const char* const end = text + size;
  for (const char* p = text; p < end; ++p) {
    p = static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
    if (p == nullptr) break;
    places[count++] = static_cast<std::uint32_t>(p - text);
  }
  return count;
}

std::size_t skip_lines(const char* text, std::size_t size, std::size_t& lines) {
  const char* p = text;
  const char* const end = text + size;
  while (lines > 0) {
    const char* newline =
        static_cast<const char*>(std::memchr(p, '\n', static_cast<std::size_t>(end - p)));
    if (newline == nullptr) return size;
    p = newline + 1;
    --lines;
  }
  return static_cast<std::size_t>(p - text);
}

ReadFacts read_facts(const char* bases, const char* qualities, std::uint32_t length,
                     std::uint8_t qualified) {
  ReadFacts facts;
  for (std::uint32_t i = 0; i < length; ++i) {
    const std::uint8_t base = code(bases[i]);
    facts.gc += base == 1 || base == 2;
    facts.n += base == kLetterN;
    facts.other += base == kNone;
    const auto letter = static_cast<std::uint8_t>(qualities[i]);
    if (letter < 33 || letter > 126) facts.qualities_valid = false;
    facts.quality_sum += static_cast<std::uint32_t>(letter) - 33U;
    facts.qualified += letter >= qualified + 33;
    facts.q20 += letter >= 53;
    facts.q30 += letter >= 63;
  }
  return facts;
}

void add_strip(std::span<const Slice> slices, std::uint32_t cycle, const StripPlanes& planes) {
  for (const Slice& slice : slices) {
    const std::uint32_t begin = std::max(cycle, slice.cycle);
    const std::uint32_t end = std::min(cycle + kStripCycles, slice.cycle + slice.length);
    for (std::uint32_t c = begin; c < end; ++c) {
      const std::uint8_t base = code(slice.bases[c - slice.cycle]);
      if (base >= kNone) continue;
      planes.count[base][c - cycle] += 1;
      planes.quality[base][c - cycle] +=
          static_cast<std::uint8_t>(slice.qualities[c - slice.cycle]) - 33U;
    }
  }
}

void reverse_complement(const char* bases, std::uint32_t length, char* out) {
  for (std::uint32_t i = 0; i < length; ++i) out[i] = "TGCANN"[code(bases[length - 1 - i])];
}

/// Counts eight letters at a time.
struct EightAtATime {
  static std::uint32_t differing(std::uint64_t difference) {
    constexpr std::uint64_t kLow = 0x7F7F7F7F7F7F7F7FULL;
    // The top bit of each byte that is not zero.
    const std::uint64_t tops = (((difference & kLow) + kLow) | difference) & ~kLow;
    return static_cast<std::uint32_t>(std::popcount(tops));
  }
  static std::uint64_t load(const char* p) {
    std::uint64_t value;
    std::memcpy(&value, p, sizeof(value));
    return value;
  }
  static std::uint32_t all(const char* a, const char* b, std::uint32_t length) {
    std::uint32_t count = 0, i = 0;
    for (; i + 8 <= length; i += 8) count += differing(load(a + i) ^ load(b + i));
    for (; i < length; ++i) count += a[i] != b[i];
    return count;
  }
  static bool few(const char* a, const char* b, std::uint32_t length, std::uint32_t limit) {
    if (length >= 16 && all(a, b, 16) > limit) return false;
    return all(a, b, length) <= limit;
  }
};

Overlap find_overlap(const char* read, std::uint32_t read_length, const char* mate,
                     std::uint32_t mate_length, const OverlapRules& rules) {
  return search_overlap<EightAtATime>(read, read_length, mate, mate_length, rules);
}

}  // namespace

const Kernels kPortableKernels{
    .name = "portable",
    .runs_here = [] { return true; },
    .find_newlines = find_newlines,
    .skip_lines = skip_lines,
    .read_facts = read_facts,
    .add_strip = add_strip,
    .reverse_complement = reverse_complement,
    .find_overlap = find_overlap,
};

}  // namespace aceso::genomics
