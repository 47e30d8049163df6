/// \file
/// Cells of tables.
#pragma once

#include <string>

namespace aceso::molecules {

/// A cell without the blanks around it, which SMILES in published tables have.
[[nodiscard]] inline std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

}  // namespace aceso::molecules
