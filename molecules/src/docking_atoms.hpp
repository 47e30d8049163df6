/// \file
/// Atoms as docking sees them: AutoDock's types in files, Vina's types in scores.
#pragma once

#include "docking_vector.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::molecules {

/// What Vina's score tells apart (Trott & Olson 2010). Hydrogens have no type.
enum class VinaType : std::uint8_t {
  CarbonHydrophobic,
  CarbonPolar,  ///< bonded to a heteroatom
  Nitrogen,
  NitrogenDonor,
  NitrogenAcceptor,
  NitrogenBoth,
  Oxygen,
  OxygenDonor,
  OxygenAcceptor,
  OxygenBoth,
  Sulfur,
  Phosphorus,
  Fluorine,
  Chlorine,
  Bromine,
  Iodine,
  Silicon,
  Astatine,
  Metal,
  Hydrogen,  ///< not scored
};
inline constexpr std::size_t kVinaTypes = 19;  ///< those that are scored

/// Elements that docking knows.
enum class DockElement : std::uint8_t { H, C, N, O, S, P, F, Cl, Br, I, Si, At, Metal };

struct DockAtom {
  Vec3 place;
  DockElement element = DockElement::C;
  bool accepts = false;         ///< of hydrogen bonds (AutoDock's OA and NA)
  bool polar_hydrogen = false;  ///< AutoDock's HD
  VinaType type = VinaType::Hydrogen;
  std::string name = {};    ///< in the file
  std::string symbol = {};  ///< of the element, for files that are written
};

/// Sets element, accepts and polar_hydrogen by AutoDock's type, e.g. "OA"; false if there is none
/// of that name. Case counts: "CA" is no type, "Ca" is calcium.
[[nodiscard]] bool set_autodock_type(std::string_view type, DockAtom& atom);
/// The element of a symbol in any case; nothing if docking does not know it.
[[nodiscard]] std::optional<DockElement> dock_element(std::string_view symbol);

/// Bonds by distance: for each atom its neighbours, rising. Two atoms are bonded if they are nearer
/// than 1.1 of the sum of their covalent radii and no third one stands between. Costs about the
/// number of atoms.
[[nodiscard]] std::vector<std::vector<std::uint32_t>> bonds_by_distance(
    std::span<const DockAtom> atoms);

/// Sets the types by element and neighbours. Donors are nitrogens and oxygens with a polar hydrogen
/// or those in `donors` (one flag an atom, or empty), and metals.
void set_vina_types(std::span<DockAtom> atoms,
                    std::span<const std::vector<std::uint32_t>> neighbours,
                    const std::vector<bool>& donors = {});

[[nodiscard]] double vina_radius(VinaType type) noexcept;  ///< Å

}  // namespace aceso::molecules
