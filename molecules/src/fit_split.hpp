/// \file
/// Parting molecules into those to train on, to choose by and to test with.
#pragma once

#include "aceso/lm/labelled.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace aceso::molecules {

/// Shares of all molecules; the rest is for training.
struct SplitShares {
  double validation = 0.1, test = 0.1;
};

/// Parts molecules so that those with the same key stay together: whole groups are dealt to
/// training, validation and test as long as they fit.
///
/// With `balanced`, groups that are larger than half of the validation or the test set come first,
/// so that they land in training: with scaffolds as keys this is chemprop's scaffold_balanced
/// (Yang et al. 2019). Otherwise the order is random. Depends on nothing but the arguments.
[[nodiscard]] std::vector<lm::Split> split_by_group(std::span<const std::string> keys,
                                                    const SplitShares& shares, bool balanced,
                                                    std::uint64_t seed);

}  // namespace aceso::molecules
