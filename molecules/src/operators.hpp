/// \file
/// Changes of molecules for a genetic algorithm on their graphs (Jensen 2019).
#pragma once

#include "aceso/core/random.hpp"
#include "graph.hpp"

#include <optional>

namespace aceso::molecules {

/// One random change: an atom added, inserted, taken away or made another element; a bond's order
/// changed; a ring closed or opened; a branch dropped, moved or a small ring attached. Nothing if
/// the drawn change is not possible there.
[[nodiscard]] std::optional<Graph> mutated(const Graph& graph, Random& random);

/// A piece of `a` joined to a piece of `b`, cut at a bond outside rings or across a ring.
[[nodiscard]] std::optional<Graph> crossed(const Graph& a, const Graph& b, Random& random);

/// Whether rings are of at most `largest` atoms and none is strained by cumulated or, in rings of
/// three and four, any double bonds.
[[nodiscard]] bool sound_rings(const Molecule& molecule, int largest);

}  // namespace aceso::molecules
