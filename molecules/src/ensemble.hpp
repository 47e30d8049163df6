/// \file
/// What the members of an ensemble say together.
#pragma once

#include "aceso/core/tensor.hpp"
#include "aceso/molecules/chemistry.hpp"
#include "aceso/nn/message_passing.hpp"

#include <cstddef>
#include <vector>

namespace aceso::molecules {

/// Molecules of one call: enough for matrix products, little enough for caches.
inline constexpr std::size_t kMoleculesAtOnce = 32;

/// Means and standard deviations over the members, [records, outputs]; NaN for records without a
/// prediction, and a deviation is NaN if there is only one member.
struct EnsemblePredictions {
  std::size_t outputs = 0;
  std::vector<double> means, deviations;

  EnsemblePredictions(std::size_t records, std::size_t count);

  /// Takes one molecule's row of `predicted`, [members, molecules, outputs]. Threads may put
  /// different records at once.
  void put(const Tensor& predicted, std::size_t molecule, std::size_t record);
  [[nodiscard]] double mean(std::size_t record, std::size_t output) const {
    return means[record * outputs + output];
  }
  [[nodiscard]] double deviation(std::size_t record, std::size_t output) const {
    return deviations[record * outputs + output];
  }
  /// The deviation, 0 for one member: what intervals are computed from.
  [[nodiscard]] double spread(std::size_t record, std::size_t output) const;
};

/// Puts the numbers of the whole molecule behind those in `graphs`.
void add_molecule_features(const Molecule& molecule, nn::BondGraphs& graphs);

}  // namespace aceso::molecules
