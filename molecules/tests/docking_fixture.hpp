/// \file
/// A small pocket, as atoms and as text.
#pragma once

#include "../src/docking_atoms.hpp"
#include "../src/pdbqt_file.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

namespace aceso::molecules {

inline std::string pdbqt_line(int serial, double x, double y, double z, const std::string& type) {
  return fmt::format(
      "ATOM  {:5d}  X   RES A   1    {:8.3f}{:8.3f}{:8.3f}  1.00  0.00    +0.000 {:<2}\n", serial,
      x, y, z, type);
}

/// A ball's shell of mixed atoms, 8 Å from the origin and about 3 Å apart.
inline std::string pocket_text() {
  const std::vector<std::string> types{"C", "OA", "A", "N", "C", "SA", "NA"};
  std::string text;
  constexpr int kAtoms = 90;
  for (int i = 0; i < kAtoms; ++i) {
    // Points of a spiral lie evenly.
    const double z = 1 - (2.0 * i + 1) / kAtoms, r = std::sqrt(1 - z * z);
    const double angle = i * std::numbers::pi * (3 - std::sqrt(5.0));
    text += pdbqt_line(i + 1, 8 * r * std::cos(angle), 8 * r * std::sin(angle), 8 * z,
                       types[static_cast<std::size_t>(i) % types.size()]);
  }
  return text;
}

inline std::vector<DockAtom> pocket_atoms() {
  return parse_pdbqt_receptor(pocket_text(), "pocket");
}

}  // namespace aceso::molecules
