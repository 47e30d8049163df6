#include "bond_features.hpp"

#include "aceso/core/error.hpp"

#include <GraphMol/ROMol.h>
#include <GraphMol/RingInfo.h>

#include <algorithm>
#include <span>
#include <vector>

namespace aceso::molecules {
namespace {

using Hybridization = RDKit::Atom::HybridizationType;

/// Writes one feature after the other.
class Features {
 public:
  explicit Features(std::vector<float>& to) : to_(to) {}

  /// A 1 at the place of `value` in `choices`, or behind them if it is none of them.
  template <typename T>
  void one_of(const T& value, std::span<const T> choices) {
    const auto place = std::ranges::find(choices, value) - choices.begin();
    for (std::ptrdiff_t i = 0; i <= std::ssize(choices); ++i) number(i == place ? 1.0F : 0.0F);
  }
  void flag(bool value) { number(value ? 1.0F : 0.0F); }
  void number(float value) { to_.push_back(value); }

 private:
  std::vector<float>& to_;
};

std::vector<int> up_to(int first, int last) {
  std::vector<int> list;
  for (int i = first; i <= last; ++i) list.push_back(i);
  return list;
}

/// Atomic numbers and hybridisations that have a place of their own.
struct AtomChoices {
  std::vector<int> elements;
  std::vector<Hybridization> hybridizations;
};

const AtomChoices& choices_of(Featuriser featuriser) {
  static const AtomChoices v1{up_to(1, 100),
                              {Hybridization::SP, Hybridization::SP2, Hybridization::SP3,
                               Hybridization::SP3D, Hybridization::SP3D2}};
  static const AtomChoices v2 = [] {
    AtomChoices choices{
        up_to(1, 36),
        {Hybridization::S, Hybridization::SP, Hybridization::SP2, Hybridization::SP2D,
         Hybridization::SP3, Hybridization::SP3D, Hybridization::SP3D2}};
    choices.elements.push_back(53);
    return choices;
  }();
  return featuriser == Featuriser::ChempropV1 ? v1 : v2;
}

void add_atom(const RDKit::Atom& atom, const AtomChoices& choices, Features features) {
  static const std::vector<int> kDegrees = up_to(0, 5), kChirality = up_to(0, 3),
                                kHydrogens = up_to(0, 4), kCharges{-1, -2, 1, 2, 0};
  const auto one_of = [&](int value, const std::vector<int>& list) {
    features.one_of<int>(value, list);
  };
  one_of(atom.getAtomicNum(), choices.elements);
  one_of(static_cast<int>(atom.getTotalDegree()), kDegrees);
  one_of(atom.getFormalCharge(), kCharges);
  one_of(static_cast<int>(atom.getChiralTag()), kChirality);
  one_of(static_cast<int>(atom.getTotalNumHs()), kHydrogens);
  features.one_of<Hybridization>(atom.getHybridization(), choices.hybridizations);
  features.flag(atom.getIsAromatic());
  features.number(static_cast<float>(0.01 * atom.getMass()));
}

void add_bond(const RDKit::Bond& bond, Features features) {
  static const std::vector<int> kStereo = up_to(0, 5);
  const auto type = bond.getBondType();
  features.flag(false);  // "no bond", of batches with padding
  for (const auto known :
       {RDKit::Bond::SINGLE, RDKit::Bond::DOUBLE, RDKit::Bond::TRIPLE, RDKit::Bond::AROMATIC})
    features.flag(type == known);
  features.flag(bond.getIsConjugated());
  features.flag(bond.getOwningMol().getRingInfo()->numBondRings(bond.getIdx()) > 0);
  features.one_of<int>(static_cast<int>(bond.getStereo()), kStereo);
}

}  // namespace

Featuriser featuriser_by_name(const std::string& name) {
  if (name == "chemprop-v1") return Featuriser::ChempropV1;
  if (name == "chemprop-v2") return Featuriser::ChempropV2;
  fail(Errc::Unsupported, "the features \"{}\" of atoms and bonds are not known", name);
}

void add_graph(const Molecule& molecule, Featuriser featuriser, nn::BondGraphs& graphs) {
  const RDKit::ROMol& mol = molecule.rdkit();
  const std::int32_t first = graphs.atom_offsets.back();
  for (const RDKit::Atom* atom : mol.atoms())
    add_atom(*atom, choices_of(featuriser), Features(graphs.atoms));
  for (const RDKit::Bond* bond : mol.bonds()) {
    const auto a = first + static_cast<std::int32_t>(bond->getBeginAtomIdx());
    const auto b = first + static_cast<std::int32_t>(bond->getEndAtomIdx());
    const auto number = static_cast<std::int32_t>(graphs.source.size());
    for (int direction = 0; direction < 2; ++direction) add_bond(*bond, Features(graphs.bonds));
    graphs.source.insert(graphs.source.end(), {a, b});
    graphs.target.insert(graphs.target.end(), {b, a});
    graphs.reverse.insert(graphs.reverse.end(), {number + 1, number});
  }
  graphs.atom_offsets.push_back(first + static_cast<std::int32_t>(mol.getNumAtoms()));
}

}  // namespace aceso::molecules
