#include "graph.hpp"

#include <GraphMol/MolOps.h>
#include <GraphMol/ROMol.h>
#include <GraphMol/RWMol.h>
#include <GraphMol/SanitException.h>

#include <algorithm>
#include <array>

namespace aceso::molecules {
namespace {

/// Sums of bond orders, hydrogens among them, that an atom may have, rising; empty: unusual.
std::vector<int> valences(GraphAtom atom) {
  switch (atom.element) {
    case 5:
      return {3 - atom.charge};
    case 6:
      return {4 - std::abs(atom.charge)};
    case 7:
      return {3 + atom.charge};
    case 8:
      return {2 + atom.charge};
    case 14:
      return {4};
    case 15:
      return atom.charge == 0 ? std::vector<int>{3, 5} : std::vector<int>{};
    case 16:
      return atom.charge == 0 ? std::vector<int>{2, 4, 6} : std::vector<int>{2 + atom.charge};
    case 9:
    case 17:
    case 35:
    case 53:
      return {atom.charge == 0 ? 1 : 0};
    default:
      return {};
  }
}

/// Sums that leave no odd hydrogens: a sulphur of valence 4 or 6 has none.
bool usual(GraphAtom atom, int sum) {
  const std::vector<int> allowed = valences(atom);
  if (allowed.empty()) return true;  // RDKit decides
  return sum <= allowed.front() || std::ranges::find(allowed, sum) != allowed.end();
}

}  // namespace

int Graph::order_sum(int atom) const noexcept {
  int sum = 0;
  for (const GraphBond& bond : bonds)
    if (bond.a == atom || bond.b == atom) sum += bond.order;
  return sum;
}

int Graph::degree(int atom) const noexcept {
  int count = 0;
  for (const GraphBond& bond : bonds) count += bond.a == atom || bond.b == atom ? 1 : 0;
  return count;
}

int Graph::bond_between(int a, int b) const noexcept {
  for (std::size_t i = 0; i < bonds.size(); ++i)
    if ((bonds[i].a == a && bonds[i].b == b) || (bonds[i].a == b && bonds[i].b == a))
      return static_cast<int>(i);
  return -1;
}

std::vector<std::vector<int>> Graph::neighbours() const {
  std::vector<std::vector<int>> lists(atoms.size());
  for (const GraphBond& bond : bonds) {
    lists[static_cast<std::size_t>(bond.a)].push_back(bond.b);
    lists[static_cast<std::size_t>(bond.b)].push_back(bond.a);
  }
  return lists;
}

std::vector<int> Graph::distances(int from, int without) const {
  std::vector<std::vector<std::pair<int, int>>> lists(atoms.size());
  for (std::size_t i = 0; i < bonds.size(); ++i) {
    if (static_cast<int>(i) == without) continue;
    lists[static_cast<std::size_t>(bonds[i].a)].emplace_back(bonds[i].b, i);
    lists[static_cast<std::size_t>(bonds[i].b)].emplace_back(bonds[i].a, i);
  }
  std::vector<int> result(atoms.size(), -1), queue{from};
  result[static_cast<std::size_t>(from)] = 0;
  for (std::size_t head = 0; head < queue.size(); ++head) {
    const int at = queue[head];
    for (const auto& [next, bond] : lists[static_cast<std::size_t>(at)]) {
      if (result[static_cast<std::size_t>(next)] >= 0) continue;
      result[static_cast<std::size_t>(next)] = result[static_cast<std::size_t>(at)] + 1;
      queue.push_back(next);
    }
  }
  return result;
}

std::vector<bool> Graph::ring_bonds() const {
  std::vector<bool> in_ring(bonds.size());
  for (std::size_t i = 0; i < bonds.size(); ++i)
    in_ring[i] =
        distances(bonds[i].a, static_cast<int>(i))[static_cast<std::size_t>(bonds[i].b)] >= 0;
  return in_ring;
}

Graph Graph::part(const std::vector<bool>& keep, std::vector<int>& renumbered) const {
  Graph result;
  renumbered.assign(atoms.size(), -1);
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    if (!keep[i]) continue;
    renumbered[i] = result.size();
    result.atoms.push_back(atoms[i]);
  }
  for (const GraphBond& bond : bonds) {
    const int a = renumbered[static_cast<std::size_t>(bond.a)];
    const int b = renumbered[static_cast<std::size_t>(bond.b)];
    if (a >= 0 && b >= 0) result.bonds.push_back({a, b, bond.order});
  }
  return result;
}

void Graph::append(const Graph& other) {
  const int shift = size();
  atoms.insert(atoms.end(), other.atoms.begin(), other.atoms.end());
  for (const GraphBond& bond : other.bonds)
    bonds.push_back({bond.a + shift, bond.b + shift, bond.order});
}

int free_valence(const Graph& graph, int atom) {
  const std::vector<int> allowed = valences(graph.atoms[static_cast<std::size_t>(atom)]);
  const int sum = graph.order_sum(atom);
  for (const int valence : allowed)
    if (valence > sum) return valence - sum;
  return 0;
}

bool plausible(const Graph& graph) {
  for (int i = 0; i < graph.size(); ++i)
    if (!usual(graph.atoms[static_cast<std::size_t>(i)], graph.order_sum(i))) return false;
  return true;
}

bool breedable(const Graph& graph) {
  return plausible(graph) &&
         std::ranges::none_of(graph.atoms, [](GraphAtom atom) { return valences(atom).empty(); });
}

std::optional<Graph> graph_of(const Molecule& molecule) {
  RDKit::RWMol mol(molecule.rdkit());
  try {
    RDKit::MolOps::Kekulize(mol, true);
  } catch (const RDKit::MolSanitizeException&) {
    return std::nullopt;
  }
  Graph graph;
  for (const RDKit::Atom* atom : mol.atoms()) {
    if (atom->getAtomicNum() == 0 || atom->getNumRadicalElectrons() > 0) return std::nullopt;
    graph.atoms.push_back({static_cast<std::uint8_t>(atom->getAtomicNum()),
                           static_cast<std::int8_t>(atom->getFormalCharge())});
  }
  for (const RDKit::Bond* bond : mol.bonds()) {
    const double order = bond->getBondTypeAsDouble();
    if (order != 1 && order != 2 && order != 3) return std::nullopt;
    if (bond->getBondType() > RDKit::Bond::TRIPLE) return std::nullopt;
    graph.bonds.push_back({static_cast<int>(bond->getBeginAtomIdx()),
                           static_cast<int>(bond->getEndAtomIdx()), static_cast<int>(order)});
  }
  const std::vector<int> reached = graph.distances(0);
  if (std::ranges::find(reached, -1) != reached.end()) return std::nullopt;
  return graph;
}

std::optional<Molecule> molecule_of(const Graph& graph) {
  constexpr std::array kTypes{RDKit::Bond::SINGLE, RDKit::Bond::DOUBLE, RDKit::Bond::TRIPLE};
  auto mol = std::make_shared<RDKit::RWMol>();
  for (const GraphAtom& atom : graph.atoms) {
    RDKit::Atom made(atom.element);
    made.setFormalCharge(atom.charge);
    mol->addAtom(&made);
  }
  for (const GraphBond& bond : graph.bonds)
    mol->addBond(static_cast<unsigned>(bond.a), static_cast<unsigned>(bond.b),
                 kTypes[static_cast<std::size_t>(bond.order - 1)]);
  try {
    RDKit::MolOps::sanitizeMol(*mol);
  } catch (const RDKit::MolSanitizeException&) {
    return std::nullopt;
  }
  return Molecule(std::move(mol));
}

}  // namespace aceso::molecules
