#include "docking_score.hpp"

#include <algorithm>
#include <cmath>

namespace aceso::molecules {
namespace {

bool is_hydrophobic(VinaType type) {
  return type == VinaType::CarbonHydrophobic ||
         (type >= VinaType::Fluorine && type <= VinaType::Iodine);
}

bool donates(VinaType type) {
  return type == VinaType::NitrogenDonor || type == VinaType::NitrogenBoth ||
         type == VinaType::OxygenDonor || type == VinaType::OxygenBoth || type == VinaType::Metal;
}

bool accepts(VinaType type) {
  return type == VinaType::NitrogenAcceptor || type == VinaType::NitrogenBoth ||
         type == VinaType::OxygenAcceptor || type == VinaType::OxygenBoth;
}

/// 1 at `good` and below, 0 at `bad` and above, straight between.
double ramp(double bad, double good, double x) {
  return std::clamp((bad - x) / (bad - good), 0.0, 1.0);
}

double gaussian(double x, double middle, double width) {
  const double z = (x - middle) / width;
  return std::exp(-z * z);
}

}  // namespace

double pair_energy(VinaType a, VinaType b, double distance) noexcept {
  if (distance >= kPairCutoff || a == VinaType::Hydrogen || b == VinaType::Hydrogen) return 0;
  const double d = distance - vina_radius(a) - vina_radius(b);
  double energy = -0.035579 * gaussian(d, 0, 0.5) - 0.005156 * gaussian(d, 3, 2);
  if (d < 0) energy += 0.840245 * d * d;
  if (is_hydrophobic(a) && is_hydrophobic(b)) energy -= 0.035069 * ramp(1.5, 0.5, d);
  if ((donates(a) && accepts(b)) || (donates(b) && accepts(a)))
    energy -= 0.587439 * ramp(0, -0.7, d);
  return energy;
}

PairTables::PairTables() {
  const auto at = [](VinaType a, VinaType b, std::size_t i) {
    return pair_energy(a, b, std::sqrt(static_cast<double>(i) / kPointsPerSquare));
  };
  for (std::size_t a = 0; a < kVinaTypes; ++a)
    for (std::size_t b = 0; b < kVinaTypes; ++b) {
      const auto one = static_cast<VinaType>(a), other = static_cast<VinaType>(b);
      auto& lines = tables_[place(one, other)];
      lines.resize(kLines);
      double energy = at(one, other, 0);
      for (std::size_t i = 0; i < kLines; ++i) {
        const double next = at(one, other, i + 1);
        lines[i] = {static_cast<float>(energy),
                    static_cast<float>((next - energy) * kPointsPerSquare)};
        energy = next;
      }
    }
}

const PairTables& PairTables::get() {
  static const PairTables tables;
  return tables;
}

}  // namespace aceso::molecules
