/// \file
/// A molecule that is docked: rigid bodies joined by bonds that turn.
#pragma once

#include "docking_atoms.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace RDKit {
class ROMol;
}

namespace aceso::molecules {

/// The largest ligand, in atoms with hydrogens.
inline constexpr std::size_t kMostLigandAtoms = 1'000;

/// A bond that turns: `to` belongs to the body that is turned, `from` to its parent.
struct Rotor {
  std::uint32_t from = 0, to = 0;
};

struct DockBody {
  std::uint32_t parent = 0;
  Rotor rotor = {};  ///< of the root nothing
};

/// Immutable once assembled.
struct DockLigand {
  std::string name;
  std::vector<DockAtom> atoms;  ///< in the file's order, in the file's pose, with types
  std::vector<std::vector<std::uint32_t>> bonds;
  std::vector<DockBody> bodies;                     ///< parents first; the first is the root
  std::vector<std::uint32_t> body_of;               ///< of each atom
  std::vector<std::array<std::uint32_t, 2>> pairs;  ///< whose distance may change and is scored
  double torsions = 0;  ///< as Vina counts them: those of hydrogens alone by half
  /// With bond orders and this order of atoms; null if the file told of none.
  std::shared_ptr<const RDKit::ROMol> molecule;

  [[nodiscard]] std::size_t turning() const noexcept { return bodies.size() - 1; }
};

/// Makes a ligand of atoms in bodies. Sets types (by bonds, which are found by distance if empty);
/// joins bodies whose turning would move hydrogens only; finds pairs.
/// \param bodies parents first; \param body_of the body of each atom.
/// \throws Error CorruptData if no heavy atom is there, or there are too many atoms.
[[nodiscard]] DockLigand assemble_ligand(std::string name, std::vector<DockAtom> atoms,
                                         std::vector<std::vector<std::uint32_t>> bonds,
                                         std::vector<DockBody> bodies,
                                         std::vector<std::uint32_t> body_of);

/// Bodies from the bonds that turn, the root being the one from which the largest branch is
/// smallest. \pre the atoms are connected, rotors are bonds outside rings.
struct BodyTree {
  std::vector<DockBody> bodies;
  std::vector<std::uint32_t> body_of;
};
[[nodiscard]] BodyTree tree_of(const std::vector<std::vector<std::uint32_t>>& bonds,
                               const std::vector<Rotor>& rotors);

/// Heavy atoms' root mean square distance, each to itself, Å.
[[nodiscard]] double rmsd(const DockLigand& ligand, const std::vector<Vec3>& a,
                          const std::vector<Vec3>& b);

}  // namespace aceso::molecules
