#include "aceso/molecules/chemistry.hpp"

#include "pattern_set.hpp"

#include <GraphMol/Descriptors/Crippen.h>
#include <GraphMol/Descriptors/Lipinski.h>
#include <GraphMol/Descriptors/MolDescriptors.h>
#include <GraphMol/Descriptors/MolSurf.h>
#include <GraphMol/MolOps.h>
#include <GraphMol/ROMol.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace aceso::molecules {
namespace {

namespace rd = RDKit::Descriptors;

/// Wildman and Crippen's atom types, by RDKit's table: the first that fits an atom is its type.
struct CrippenTypes {
  PatternSet patterns;
  std::vector<double> logp, refractivity;

  explicit CrippenTypes(const rd::CrippenParamCollection& table)
      : patterns(patterns_of(table), PatternSet::Hydrogens::Added) {
    for (const rd::CrippenParams& type : table) {
      logp.push_back(type.logp);
      refractivity.push_back(type.mr);
    }
  }

 private:
  static std::vector<std::shared_ptr<const RDKit::ROMol>> patterns_of(
      const rd::CrippenParamCollection& table) {
    std::vector<std::shared_ptr<const RDKit::ROMol>> patterns;
    for (const rd::CrippenParams& type : table)
      patterns.push_back(std::make_shared<const RDKit::ROMol>(*type.dp_pattern));
    return patterns;
  }
};

double log_p(const Molecule& molecule) {
  namespace names = RDKit::common_properties;
  static const CrippenTypes types(*rd::CrippenParamCollection::getParams());
  thread_local PatternScan scan(types.patterns);
  const RDKit::ROMol& mol = molecule.rdkit();
  double logp = 0, refractivity = 0;
  if (mol.getPropIfPresent(names::_crippenLogP, logp)) return logp;
  scan.read(mol);
  for (std::size_t atom = 0; atom < scan.atoms(); ++atom) {
    const std::size_t type = scan.first_at(atom);
    if (type == types.logp.size()) continue;
    logp += types.logp[type];
    refractivity += types.refractivity[type];
  }
  // Where RDKit's own functions look for them, and QED.
  constexpr bool kComputed = true;
  mol.setProp(names::_crippenLogP, logp, kComputed);
  mol.setProp(names::_crippenMR, refractivity, kComputed);
  return logp;
}

double order_of(const RDKit::Bond& bond) {
  return bond.getIsAromatic() ? 1.5 : bond.getBondTypeAsDouble();
}

/// Atoms with the same sorted distances to all others, weighted by bond order, are of one class.
std::vector<int> symmetry_classes(const RDKit::ROMol& mol) {
  constexpr std::size_t kDistances = 100;
  const std::size_t atoms = mol.getNumAtoms();
  const double* distances = RDKit::MolOps::getDistanceMat(mol, true, false, true, "Balaban");
  std::vector<std::vector<std::int64_t>> seen;
  std::vector<int> classes;
  for (std::size_t i = 0; i < atoms; ++i) {
    std::vector<double> row(distances + i * atoms, distances + (i + 1) * atoms);
    std::ranges::sort(row);
    row.resize(std::min(atoms, kDistances));
    std::vector<std::int64_t> key;
    for (const double distance : row) key.push_back(std::llround(distance * 1e4));
    const auto found = std::ranges::find(seen, key);
    classes.push_back(static_cast<int>(found - seen.begin()));
    if (found == seen.end()) seen.push_back(std::move(key));
  }
  return classes;
}

/// Information of a distribution, in bits, by its total.
template <typename Key, typename Count>
double entropy(const std::map<Key, Count>& counts, double& total) {
  total = 0;
  for (const auto& [key, count] : counts) total += static_cast<double>(count);
  double bits = 0;
  for (const auto& [key, count] : counts) {
    const double share = static_cast<double>(count) / total;
    if (share > 0) bits -= share * std::log2(share);
  }
  return bits;
}

}  // namespace

double bertz_complexity(const Molecule& molecule) {
  const RDKit::ROMol& mol = molecule.rdkit();
  if (mol.getNumAtoms() < 2) return 0;
  const std::vector<int> classes = symmetry_classes(mol);
  std::map<int, int> elements;
  std::map<std::array<int, 3>, double> connections;
  for (const RDKit::Atom* atom : mol.atoms()) {
    ++elements[atom->getAtomicNum()];
    const int hinge = classes[atom->getIdx()];
    std::vector<std::pair<unsigned, double>> neighbours;
    for (const RDKit::Bond* bond : mol.atomBonds(atom))
      neighbours.emplace_back(bond->getOtherAtomIdx(atom->getIdx()), order_of(*bond));
    for (std::size_t i = 0; i < neighbours.size(); ++i) {
      const auto [a, order] = neighbours[i];
      if (order > 1 && a > atom->getIdx()) {
        const auto [low, high] = std::minmax(hinge, classes[a]);
        connections[{-1, low, high}] += order * (order - 1) / 2;
      }
      for (std::size_t j = i + 1; j < neighbours.size(); ++j) {
        const auto [low, high] = std::minmax(classes[a], classes[neighbours[j].first]);
        connections[{hinge, low, high}] += order * neighbours[j].second;
      }
    }
  }
  if (connections.empty()) connections[{}] = 1;
  double total = 0, atoms = 0;
  const double connection_bits = entropy(connections, total);
  const double atom_bits = entropy(elements, atoms);
  return total * (connection_bits + std::log2(total)) + atoms * atom_bits;
}

const std::vector<Descriptor>& descriptors() {
  static const std::vector<Descriptor> all{
      {"aliphatic_rings", "rings with a bond that is not aromatic",
       [](const Molecule& m) -> double { return rd::calcNumAliphaticRings(m.rdkit()); }},
      {"aromatic_rings", "aromatic rings",
       [](const Molecule& m) -> double { return rd::calcNumAromaticRings(m.rdkit()); }},
      {"bertz", "topological complexity (Bertz 1981)", bertz_complexity},
      {"fraction_csp3", "share of carbons that are sp3",
       [](const Molecule& m) { return rd::calcFractionCSP3(m.rdkit()); }},
      {"hb_acceptors", "hydrogen bond acceptors",
       [](const Molecule& m) -> double { return rd::calcNumHBA(m.rdkit()); }},
      {"hb_donors", "hydrogen bond donors",
       [](const Molecule& m) -> double { return rd::calcNumHBD(m.rdkit()); }},
      {"heavy_atoms", "atoms other than hydrogen",
       [](const Molecule& m) { return static_cast<double>(m.atoms()); }},
      {"logp", "octanol-water partition (Wildman and Crippen 1999)", log_p},
      {"molecular_weight", "average weight, g/mol",
       [](const Molecule& m) { return rd::calcAMW(m.rdkit()); }},
      {"qed", "drug-likeness, 0 to 1 (Bickerton et al. 2012)", qed},
      {"rings", "rings", [](const Molecule& m) -> double { return rd::calcNumRings(m.rdkit()); }},
      {"rotatable_bonds", "rotatable bonds",
       [](const Molecule& m) -> double { return rd::calcNumRotatableBonds(m.rdkit()); }},
      {"sa_score", "synthetic accessibility, 1 (easy) to 10 (Ertl and Schuffenhauer 2009)",
       sa_score},
      {"tpsa", "topological polar surface area, square angstrom (Ertl et al. 2000)",
       [](const Molecule& m) { return rd::calcTPSA(m.rdkit()); }},
  };
  return all;
}

const Descriptor* find_descriptor(std::string_view name) {
  const auto found = std::ranges::find(descriptors(), name, &Descriptor::name);
  return found == descriptors().end() ? nullptr : &*found;
}

}  // namespace aceso::molecules
