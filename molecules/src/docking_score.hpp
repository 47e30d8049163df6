/// \file
/// Vina's score of two atoms (Trott & Olson 2010, doi 10.1002/jcc.21334), kcal/mol.
#pragma once

#include "docking_atoms.hpp"

#include <array>
#include <vector>

namespace aceso::molecules {

inline constexpr double kPairCutoff = 8;  ///< Å

/// The weighted sum of two Gaussians of the distance of surfaces, repulsion, hydrophobic contact
/// and hydrogen bond; 0 from the cutoff on and for hydrogens.
[[nodiscard]] double pair_energy(VinaType a, VinaType b, double distance) noexcept;

/// What a bond that turns costs: energies are divided by this.
[[nodiscard]] inline double torsion_divisor(double torsions) noexcept {
  return 1 + 0.05846 * torsions;
}

/// Energies below 0 as they are, others bent below `cap`, so that a search gets out of clashes.
/// `slope` is a derivative of `energy` and bent with it.
template <typename Real>
void bend(Real& energy, Real& slope, Real cap) noexcept {
  if (energy <= 0) return;
  const Real factor = cap / (cap + energy);
  energy *= factor;
  slope *= factor * factor;
}

/// pair_energy by the square of the distance: straight lines between points 1/32 Å² apart, so that
/// energy and slope belong together. Immutable; one for the program, made at first use (2.5 MB).
class PairTables {
 public:
  struct Line {
    float energy = 0, slope = 0;  ///< at the beginning; kcal/mol, and per Å² (of squared distance)
  };
  static constexpr double kPointsPerSquare = 32;
  static constexpr std::size_t kLines = 2048;

  [[nodiscard]] static const PairTables& get();
  /// kLines lines; then energies are 0.
  [[nodiscard]] const Line* lines(VinaType a, VinaType b) const noexcept {
    return tables_[place(a, b)].data();
  }

 private:
  PairTables();
  static std::size_t place(VinaType a, VinaType b) noexcept {
    return static_cast<std::size_t>(a) * kVinaTypes + static_cast<std::size_t>(b);
  }
  std::array<std::vector<Line>, kVinaTypes * kVinaTypes> tables_;
};

}  // namespace aceso::molecules
