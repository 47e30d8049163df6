/// \file
/// A guess at scores from molecules that were scored already.
#pragma once

#include "aceso/molecules/chemistry.hpp"

#include <memory>
#include <vector>

namespace aceso::molecules {

struct Guess {
  double mean = 0;
  double deviation = 0;
};

/// A Gaussian process over counted fingerprints with the Tanimoto kernel (Ralaivola et al. 2005).
/// Memory and time grow with the square and the cube of the number of examples.
class Surrogate {
 public:
  struct Example {
    const FeatureCounts* features;  ///< outlives the surrogate
    double score;
  };
  /// `noise` is the share of the scores' variance that the kernel need not explain, > 0.
  Surrogate(std::vector<Example> examples, double noise);
  [[nodiscard]] Guess operator()(const FeatureCounts& features) const;

 private:
  std::vector<Example> examples_;
  std::vector<double> factor_;   ///< lower Cholesky factor of the kernel matrix, row by row
  std::vector<double> weights_;  ///< kernel matrix^-1 times centred scores
  double centre_ = 0, scale_ = 1;
};

}  // namespace aceso::molecules
