// Alleles in the one form that is the same however files write them: trimmed, and moved left.
#pragma once

#include "aceso/genomics/reference.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace aceso::genomics {

/// `removed` letters from `position` (0-based) on become `added`.
struct NormalAllele {
  std::uint32_t position = 0;
  std::string removed, added;

  friend bool operator==(const NormalAllele&, const NormalAllele&) = default;
};

/// Indels are moved left by at most so many bases.
inline constexpr std::uint32_t kAlleleReach = 1000;

/// Whether an allele is spelled in letters (not '.', '*', symbolic, or a breakend).
[[nodiscard]] bool is_spelled(std::string_view allele) noexcept;

/// Trims an alternative, and moves a gap left if the contig's codes are given (Tan, Abecasis and
/// Kang 2015, Bioinformatics 31:2202). Nothing if one of both is not spelled out, or they are
/// equal.
[[nodiscard]] std::optional<NormalAllele> normal_allele(std::uint32_t position,
                                                        std::string_view reference,
                                                        std::string_view alternative,
                                                        std::span<const std::uint8_t> contig = {});

/// Trims an alternative where the file puts it: what both begin with first, so that an insertion
/// stays behind its anchor. Nothing as above.
[[nodiscard]] std::optional<NormalAllele> trimmed_allele(std::uint32_t position,
                                                         std::string_view reference,
                                                         std::string_view alternative);

/// Whether the letters of REF are those of the contig at `position`; letters or bases that are not
/// known agree with all.
[[nodiscard]] bool agrees(std::uint32_t position, std::string_view letters,
                          std::span<const std::uint8_t> contig) noexcept;

}  // namespace aceso::genomics
