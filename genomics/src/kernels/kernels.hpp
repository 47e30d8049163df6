// The inner loops, one set per instruction set. Each is compared with the portable one in
// kernels_test.cpp. All of them may read, but never use, kTextMargin bytes around their input.
#pragma once

#include "aceso/genomics/fastq.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace aceso::genomics {

/// A run of bases of one read, with the cycle (0-based place in the read) of its first.
struct Slice {
  const char* bases = nullptr;
  const char* qualities = nullptr;
  std::uint32_t cycle = 0;
  std::uint32_t length = 0;
  bool only_acgt = true;
};

inline constexpr std::uint32_t kStripCycles = 32;
inline constexpr std::size_t kStripSlices = 255;  ///< 8-bit counters and 16-bit sums hold no more

/// Where add_strip() adds: for each of A C G T the count and the sum of phred qualities of
/// kStripCycles cycles.
struct StripPlanes {
  std::uint64_t* count[4];
  std::uint64_t* quality[4];
};

/// When two mates count as overlapping.
struct OverlapRules {
  std::uint32_t least_length = 30;
  std::uint32_t most_mismatches = 5;
  double most_mismatch_fraction = 0.2;
};

/// How a read and its reverse-complemented mate lie on each other.
struct Overlap {
  bool found = false;
  std::int32_t offset = 0;  ///< of the mate's first base in the read; negative: both read through
  std::uint32_t length = 0;
  std::uint32_t mismatches = 0;
};

/// Mismatches behind this many compared bases do not speak against an overlap.
inline constexpr std::uint32_t kOverlapDecides = 50;

struct Kernels {
  const char* name;
  bool (*runs_here)();

  /// Writes the places of all '\n' in `text` to `places`, which has room for them; returns how
  /// many.
  std::size_t (*find_newlines)(const char* text, std::size_t size, std::uint32_t* places);
  /// Returns the place behind the `lines`-th '\n', or `size`; takes the lines passed off `lines`.
  std::size_t (*skip_lines)(const char* text, std::size_t size, std::size_t& lines);
  ReadFacts (*read_facts)(const char* bases, const char* qualities, std::uint32_t length,
                          std::uint8_t qualified);
  /// Adds the parts of at most kStripSlices slices that lie in kStripCycles cycles from `cycle`.
  void (*add_strip)(std::span<const Slice> slices, std::uint32_t cycle, const StripPlanes& planes);
  /// Letters other than A C G T become N.
  void (*reverse_complement)(const char* bases, std::uint32_t length, char* out);
  Overlap (*find_overlap)(const char* read, std::uint32_t read_length, const char* mate,
                          std::uint32_t mate_length, const OverlapRules& rules);
};

/// Best first; the last one runs everywhere.
[[nodiscard]] std::span<const Kernels* const> all_kernels() noexcept;
/// The best that runs on this CPU.
[[nodiscard]] const Kernels& kernels() noexcept;

extern const Kernels kPortableKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
#endif

/// The number of mismatches at which an overlap of `length` bases still counts.
[[nodiscard]] inline std::uint32_t mismatches_allowed(std::uint32_t length,
                                                      const OverlapRules& rules) {
  const auto by_fraction = static_cast<std::uint32_t>(length * rules.most_mismatch_fraction);
  return by_fraction < rules.most_mismatches ? by_fraction : rules.most_mismatches;
}

}  // namespace aceso::genomics
