// Alleles: a stretch of the reference and what stands there instead.
#pragma once

#include "aceso/genomics/reference.hpp"

#include <compare>
#include <cstdint>
#include <string>

namespace aceso::genomics {

/// Replaces `removed` bases from global `position` on by `added` (codes). Trimmed: neither the
/// first nor the last bases of both are equal; indels stand as far left as they can.
struct Allele {
  std::uint32_t position = 0;
  std::uint32_t removed = 0;
  std::string added;  ///< codes 0 to 3, not letters

  auto operator<=>(const Allele&) const = default;

  [[nodiscard]] std::uint32_t end() const noexcept { return position + removed; }
  [[nodiscard]] bool is_snv() const noexcept { return removed == 1 && added.size() == 1; }
  [[nodiscard]] bool is_indel() const noexcept { return removed != added.size(); }
  /// Bases the haplotype grows by.
  [[nodiscard]] std::int64_t growth() const noexcept {
    return static_cast<std::int64_t>(added.size()) - removed;
  }
};

/// Trims an allele and moves an indel left (Tan et al. 2015, doi:10.1093/bioinformatics/btv112),
/// not beyond `least_position`.
void normalise(Allele& allele, const Reference& reference, std::uint64_t least_position);

/// How far right an indel may be moved without changing the sequence it makes.
[[nodiscard]] std::uint32_t room_right(const Allele& allele, const Reference& reference);

/// A repeat of the reference whose length an indel changes by whole units.
struct RepeatChange {
  std::uint32_t unit = 0;    ///< bases of one copy; 0: the allele is no such change
  std::uint32_t copies = 0;  ///< whole ones, in the reference
  std::uint32_t units = 0;   ///< by which it changes
};
/// Units have `most_unit` bases at most.
[[nodiscard]] RepeatChange repeat_change(const Allele& allele, const Reference& reference,
                                         std::uint32_t most_unit);

/// Whether both cannot stand on one haplotype.
[[nodiscard]] bool conflict(const Allele& a, const Allele& b) noexcept;

}  // namespace aceso::genomics
