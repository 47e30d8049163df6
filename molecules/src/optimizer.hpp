/// \file
/// Search for molecules with a high score within a budget of scorings.
#pragma once

#include "aceso/core/progress.hpp"
#include "aceso/molecules/objective.hpp"

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace aceso::molecules {

struct OptimizerSettings {
  std::int64_t budget = 10'000;  ///< distinct molecules that may be scored
  std::uint64_t seed = 1;
  unsigned threads = 1;
  int start_size = 100;  ///< molecules of the pool that are scored first
  int batch = 10;        ///< molecules scored between two looks at what was learnt
  int candidates = 20;   ///< new molecules made for each one that is scored
  int most_atoms = 50;   ///< heavy ones
  int largest_ring = 7;
  int examples = 500;  ///< what the guess at scores is learnt from
  double noise = 0.05;
};

struct ScoredMolecule {
  std::string smiles;  ///< canonical
  Score score;
};

/// Genetic algorithm on molecular graphs (Jensen 2019) with parents drawn by rank (Tripp and
/// Hernandez-Lobato 2023); of many children the ones are scored that a Gaussian process, learnt
/// from all scores so far, expects most of. Returns what was scored, in order: each molecule once,
/// at most `budget`, fewer only if no new molecules can be made. The same for any number of
/// threads. \throws Error Cancelled, CorruptData if no molecule of `pool` can be used;
/// those that cannot are left out.
[[nodiscard]] std::vector<ScoredMolecule> optimize(const std::vector<std::string>& pool,
                                                   const Objective& objective,
                                                   const OptimizerSettings& settings,
                                                   Progress& progress, const std::stop_token& stop);

/// Mean of the `k` highest of the first `calls` scores.
[[nodiscard]] double top_mean(const std::vector<double>& scores, std::size_t calls, std::size_t k);

/// Area under the curve of top_mean over calls, divided by the budget, as PMO has it (Gao et al.
/// 2022): looked at each 100 calls, joined by straight lines, flat behind the last call.
[[nodiscard]] double auc_top(const std::vector<double>& scores, std::size_t k, std::size_t budget);

}  // namespace aceso::molecules
