#include "aceso/molecules/chemistry.hpp"

#include "data.hpp"

#include <GraphMol/Descriptors/Lipinski.h>
#include <GraphMol/MolOps.h>
#include <GraphMol/ROMol.h>
#include <GraphMol/RingInfo.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace aceso::molecules {
namespace {

/// How common a fragment is among molecules that have been made, on a log scale; see
/// tools/fragment_scores.cpp for the layout.
class FragmentScores {
 public:
  FragmentScores() : bytes_(data_file("fragment_scores.bin")) {
    scores_ = number<std::uint32_t>(0);
    fragments_ = number<std::uint32_t>(4);
  }

  [[nodiscard]] double operator()(std::uint32_t fragment) const {
    constexpr double kUnknown = -4;
    std::size_t low = 0, high = fragments_;
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      const auto found = number<std::uint32_t>(ids() + 4 * middle);
      if (found == fragment)
        return number<double>(8 +
                              8ULL * number<std::uint16_t>(ids() + 4ULL * fragments_ + 2 * middle));
      (found < fragment ? low : high) = found < fragment ? middle + 1 : middle;
    }
    return kUnknown;
  }

 private:
  template <typename T>
  [[nodiscard]] T number(std::size_t at) const {
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof(T));
    return value;
  }
  [[nodiscard]] std::size_t ids() const { return 8 + 8ULL * scores_; }

  std::string_view bytes_;
  std::uint32_t scores_ = 0, fragments_ = 0;
};

/// Stereocentres, whether their configuration is given or not.
int stereocentres(const RDKit::ROMol& original) {
  RDKit::ROMol mol(original);
  RDKit::MolOps::assignStereochemistry(mol, false, true, true);
  int count = 0;
  for (const RDKit::Atom* atom : mol.atoms())
    count += atom->hasProp("_CIPCode") || atom->hasProp("_ChiralityPossible") ? 1 : 0;
  return count;
}

double complexity(const RDKit::ROMol& mol) {
  const double atoms = mol.getNumAtoms();
  const auto& rings = mol.getRingInfo()->atomRings();
  const bool macrocycle = std::ranges::any_of(rings, [](const auto& r) { return r.size() > 8; });
  return std::pow(atoms, 1.005) - atoms + std::log10(stereocentres(mol) + 1.0) +
         std::log10(RDKit::Descriptors::calcNumSpiroAtoms(mol) + 1.0) +
         std::log10(RDKit::Descriptors::calcNumBridgeheadAtoms(mol) + 1.0) +
         (macrocycle ? std::log10(2.0) : 0.0);
}

}  // namespace

double sa_score(const Molecule& molecule) {
  static const FragmentScores score_of;
  const FeatureCounts fragments = fingerprint(molecule, Fingerprint::Ecfp4);
  double sum = 0, count = 0;
  for (const auto& [fragment, times] : fragments) {
    sum += score_of(static_cast<std::uint32_t>(fragment)) * times;
    count += times;
  }
  const double atoms = static_cast<double>(molecule.atoms());
  const auto distinct = static_cast<double>(fragments.size());
  // Symmetric molecules have few distinct fragments and are easier than their size says.
  const double symmetry = atoms > distinct ? 0.5 * std::log(atoms / distinct) : 0;
  const double raw = sum / count - complexity(molecule.rdkit()) + symmetry;
  constexpr double kLowest = -4.0, kHighest = 2.5;
  const double scaled = 11 - (raw - kLowest + 1) / (kHighest - kLowest) * 9;
  return std::clamp(scaled > 8 ? 8 + std::log(scaled + 1 - 9) : scaled, 1.0, 10.0);
}

}  // namespace aceso::molecules
