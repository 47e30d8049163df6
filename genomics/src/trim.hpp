// The rules that shorten a read. Each leaves a window of the read's letters.
#pragma once

#include "rules.hpp"

#include "aceso/genomics/fastq.hpp"

#include <string_view>

namespace aceso::genomics {

/// What is left of a read.
struct Window {
  char* bases = nullptr;
  char* qualities = nullptr;
  std::int32_t length = 0;
  std::int32_t front = 0;  ///< letters cut at the front by trim_ends(), a UMI not counted
  bool gone = false;       ///< nothing is left; counts as too short

  [[nodiscard]] std::string_view view() const noexcept {
    return {bases, static_cast<std::size_t>(length)};
  }
  void drop_front(std::int32_t count) noexcept {
    bases += count;
    qualities += count;
    length -= count;
  }
};

/// Cuts fixed numbers of bases, then by quality windows.
void trim_ends(Window& read, const FixedTrim& fixed, const Rules& rules);

/// Cuts a tail of G with at most one other letter in eight and five in all.
void trim_poly_g(Window& read, std::int32_t least);

/// Cuts a tail of any one base, likewise. Returns the bases cut.
std::int32_t trim_poly_x(Window& read, std::int32_t least);

/// Cuts `adapter` and what follows if it begins in the read; at the end of the read
/// `least_match` + 1 bases of it suffice. One mismatch in eight is let pass. The adapter may
/// begin up to 4 bases before the read. Returns whether it was found.
[[nodiscard]] bool trim_adapter(Window& read, std::string_view adapter,
                                std::int32_t least_match = 4);

/// Cuts both mates where the overlap says that they read through their fragment.
[[nodiscard]] bool trim_read_through(Window& read, Window& mate, const Overlap& overlap);

/// Takes the better base where overlapping mates disagree: one of quality 30 or more against
/// one of 14 or less. Returns the bases changed in each mate.
struct Corrected {
  std::uint32_t in_read = 0;
  std::uint32_t in_mate = 0;
};
Corrected correct_by_overlap(Window& read, Window& mate, const Overlap& overlap);

/// Why a read was left out; of a pair, the greater of both counts.
enum class Verdict : std::uint8_t {
  Passed,
  TooManyN,
  TooShort,
  TooLong,
  LowQuality,
  LowComplexity
};
inline constexpr std::size_t kVerdicts = 6;

/// `facts` are those of the read as it is now, made with rules.filter.qualified.
[[nodiscard]] Verdict judge(const Window& read, const ReadFacts& facts, const FilterRules& rules);

}  // namespace aceso::genomics
