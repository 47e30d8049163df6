/// \file
/// A molecule as a plain graph with whole bond orders, made to be cut, joined and changed quickly.
#pragma once

#include "aceso/molecules/chemistry.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace aceso::molecules {

struct GraphAtom {
  std::uint8_t element = 6;  ///< atomic number
  std::int8_t charge = 0;
};

struct GraphBond {
  int a = 0, b = 0;
  int order = 1;  ///< 1, 2 or 3
};

/// Heavy atoms and the bonds between them. Hydrogens follow from valences; stereochemistry and
/// isotopes are left out.
struct Graph {
  std::vector<GraphAtom> atoms;
  std::vector<GraphBond> bonds;

  [[nodiscard]] int size() const noexcept { return static_cast<int>(atoms.size()); }
  [[nodiscard]] int order_sum(int atom) const noexcept;
  [[nodiscard]] int degree(int atom) const noexcept;
  /// The number of the bond between two atoms, or -1.
  [[nodiscard]] int bond_between(int a, int b) const noexcept;
  [[nodiscard]] std::vector<std::vector<int>> neighbours() const;
  /// For each bond, whether it lies in a ring.
  [[nodiscard]] std::vector<bool> ring_bonds() const;
  /// Bonds on the way from `from`, as counted with bond `without` left out (-1: none); -1 where
  /// there is no way.
  [[nodiscard]] std::vector<int> distances(int from, int without = -1) const;
  /// The part with the atoms where `keep`. `renumbered` gets each atom's new number, or -1.
  [[nodiscard]] Graph part(const std::vector<bool>& keep, std::vector<int>& renumbered) const;
  /// Puts `other` beside; its atoms are numbered on from size().
  void append(const Graph& other);
};

/// How many bonds an atom can have more, by the usual valences; 0 for unusual atoms.
[[nodiscard]] int free_valence(const Graph& graph, int atom);
/// Whether all atoms have usual valences.
[[nodiscard]] bool plausible(const Graph& graph);

/// Whether all elements have valences that are known here, and those are usual.
[[nodiscard]] bool breedable(const Graph& graph);

/// Nothing for molecules of several pieces, with radicals, dummy atoms or dative bonds.
[[nodiscard]] std::optional<Graph> graph_of(const Molecule& molecule);
/// Nothing if RDKit finds it impossible.
[[nodiscard]] std::optional<Molecule> molecule_of(const Graph& graph);

}  // namespace aceso::molecules
