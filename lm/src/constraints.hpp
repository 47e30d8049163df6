/// \file
/// Which places of a sequence are designed, and what may stand there.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::lm {

/// Marks an open place in a template.
inline constexpr char kOpenResidue = '_';

/// As users write them; places count from 1.
struct ConstraintTexts {
  std::string redesign;  ///< "24-36,50"
  std::string allow;     ///< "12:DE,30-35:AG"
  std::string exclude;   ///< "CM"
};

struct Constraints {
  std::string start;                 ///< the template with its open places marked
  std::vector<std::int32_t> open;    ///< rising, from 0
  std::vector<std::string> allowed;  ///< for each residue

  [[nodiscard]] const std::string& allowed_at(std::int32_t residue) const {
    return allowed[static_cast<std::size_t>(residue)];
  }
};

/// `alphabet`: what may stand anywhere.
/// \throws Error InvalidArgument naming the text that is wrong, places outside the sequence, or a
/// place where nothing may stand; CorruptData naming `place` for an empty sequence.
[[nodiscard]] Constraints read_constraints(const std::string& sequence,
                                           const ConstraintTexts& texts, std::string_view alphabet,
                                           std::string_view place);

}  // namespace aceso::lm
