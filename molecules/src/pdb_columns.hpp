/// \file
/// Fields of the lines of PDB and PDBQT files, which stand in fixed columns.
#pragma once

#include "docking_vector.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <charconv>
#include <string>
#include <string_view>

namespace aceso::molecules {

/// Columns `first` to `last`, counted from 1 as the format does, without blanks around.
[[nodiscard]] inline std::string_view columns(std::string_view line, std::size_t first,
                                              std::size_t last) {
  if (line.size() < first) return {};
  std::string_view field = line.substr(first - 1, last - first + 1);
  while (!field.empty() && (field.front() == ' ' || field.front() == '\t')) field.remove_prefix(1);
  while (!field.empty() && static_cast<unsigned char>(field.back()) <= ' ') field.remove_suffix(1);
  return field;
}

[[nodiscard]] inline bool is_atom_line(std::string_view line) {
  return line.starts_with("ATOM  ") || line.starts_with("HETATM");
}

/// Columns 31 to 54. \throws Error CorruptData beginning with `place`.
[[nodiscard]] inline Vec3 coordinates(std::string_view line, std::string_view place) {
  Vec3 found;
  std::size_t column = 31;
  for (double* value : {&found.x, &found.y, &found.z}) {
    const std::string_view field = columns(line, column, column + 7);
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), *value);
    if (error != std::errc() || end != field.data() + field.size() || !(std::abs(*value) < 1e5))
      fail(Errc::CorruptData, "{}: expected a coordinate in columns {} to {}, found \"{}\"", place,
           column, column + 7, printable(field, 20));
    column += 8;
  }
  return found;
}

}  // namespace aceso::molecules
