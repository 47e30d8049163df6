/// \file
/// Molecules as the graphs that message passing nets read.
#pragma once

#include "aceso/molecules/chemistry.hpp"
#include "aceso/nn/message_passing.hpp"

#include <string>

namespace aceso::molecules {

/// The features that chemprop gives atoms and bonds by default.
enum class Featuriser {
  ChempropV1,  ///< 133 an atom, 14 a bond
  ChempropV2   ///< 72 an atom, 14 a bond
};

/// \throws Error Unsupported.
[[nodiscard]] Featuriser featuriser_by_name(const std::string& name);

/// Puts `molecule` behind those that are in `graphs`.
void add_graph(const Molecule& molecule, Featuriser featuriser, nn::BondGraphs& graphs);

}  // namespace aceso::molecules
