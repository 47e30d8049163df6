#include "ensemble.hpp"

#include "rdkit_2d.hpp"

#include <cmath>
#include <limits>

namespace aceso::molecules {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

}  // namespace

EnsemblePredictions::EnsemblePredictions(std::size_t records, std::size_t count)
    : outputs(count), means(records * count, kNone), deviations(means) {}

void EnsemblePredictions::put(const Tensor& predicted, std::size_t molecule, std::size_t record) {
  const auto members = static_cast<std::size_t>(predicted.shape()[0]);
  const auto molecules = static_cast<std::size_t>(predicted.shape()[1]);
  const auto values = predicted.values<const float>();
  for (std::size_t o = 0; o < outputs; ++o) {
    const auto of_member = [&](std::size_t m) {
      return static_cast<double>(values[(m * molecules + molecule) * outputs + o]);
    };
    double sum = 0, squares = 0;
    for (std::size_t m = 0; m < members; ++m) sum += of_member(m);
    const double mean = sum / static_cast<double>(members);
    for (std::size_t m = 0; m < members; ++m)
      squares += (of_member(m) - mean) * (of_member(m) - mean);
    means[record * outputs + o] = mean;
    deviations[record * outputs + o] =
        members > 1 ? std::sqrt(squares / static_cast<double>(members)) : kNone;
  }
}

double EnsemblePredictions::spread(std::size_t record, std::size_t output) const {
  const double deviation = this->deviation(record, output);
  return std::isnan(deviation) ? 0.0 : deviation;
}

void add_molecule_features(const Molecule& molecule, nn::BondGraphs& graphs) {
  const std::vector<float> row = rdkit_2d_normalised(molecule);
  graphs.features.insert(graphs.features.end(), row.begin(), row.end());
}

}  // namespace aceso::molecules
