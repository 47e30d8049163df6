#include "operators.hpp"

#include <GraphMol/ROMol.h>
#include <GraphMol/RingInfo.h>

#include <algorithm>
#include <array>
#include <functional>

namespace aceso::molecules {
namespace {

using Result = std::optional<Graph>;

struct ElementChoice {
  std::uint8_t element;
  double weight;
  int valence;
};

/// What is common in drug-like molecules is tried more often.
constexpr std::array<ElementChoice, 9> kElements{{{6, 0.5, 4},
                                                  {7, 0.16, 3},
                                                  {8, 0.16, 2},
                                                  {9, 0.05, 1},
                                                  {16, 0.05, 2},
                                                  {17, 0.04, 1},
                                                  {35, 0.015, 1},
                                                  {15, 0.015, 5},
                                                  {53, 0.01, 1}}};

const ElementChoice& random_element(Random& random, int least_valence) {
  std::array<double, kElements.size()> weights{};
  for (std::size_t i = 0; i < weights.size(); ++i)
    weights[i] = kElements[i].valence >= least_valence ? kElements[i].weight : 0;
  return kElements[random.weighted(weights)];
}

int random_atom(const Graph& graph, Random& random) {
  return static_cast<int>(random.below(graph.atoms.size()));
}

std::size_t index(int number) { return static_cast<std::size_t>(number); }

Graph without_bond(Graph graph, std::size_t bond) {
  graph.bonds.erase(graph.bonds.begin() + static_cast<std::ptrdiff_t>(bond));
  return graph;
}

std::vector<std::size_t> bonds_where(const Graph& graph,
                                     const std::function<bool(std::size_t)>& wanted) {
  std::vector<std::size_t> bonds;
  for (std::size_t i = 0; i < graph.bonds.size(); ++i)
    if (wanted(i)) bonds.push_back(i);
  return bonds;
}

/// Which atoms are reached from `from`.
std::vector<bool> side_of(const Graph& graph, int from) {
  const std::vector<int> distances = graph.distances(from);
  std::vector<bool> side(distances.size());
  for (std::size_t i = 0; i < side.size(); ++i) side[i] = distances[i] >= 0;
  return side;
}

Result append_atom(const Graph& graph, Random& random) {
  const int atom = random_atom(graph, random);
  const int free = free_valence(graph, atom);
  if (free == 0) return std::nullopt;
  const std::array<double, 3> weights{0.72, free >= 2 ? 0.23 : 0.0, free >= 3 ? 0.05 : 0.0};
  const int order = 1 + static_cast<int>(random.weighted(weights));
  Graph result = graph;
  result.atoms.push_back({random_element(random, order).element, 0});
  result.bonds.push_back({atom, graph.size(), order});
  return result;
}

Result insert_atom(const Graph& graph, Random& random) {
  if (graph.bonds.empty()) return std::nullopt;
  Graph result = graph;
  const std::size_t place = random.below(result.bonds.size());
  GraphBond& bond = result.bonds[place];
  const ElementChoice& element = random_element(random, 2);
  const int far = bond.b;
  bond.b = graph.size();
  bond.order = bond.order > 1 && element.valence >= 3 && random.chance(0.5) ? 2 : 1;
  result.atoms.push_back({element.element, 0});
  result.bonds.push_back({graph.size(), far, 1});
  return result;
}

Result delete_atom(const Graph& graph, Random& random) {
  if (graph.size() < 3) return std::nullopt;
  const int atom = random_atom(graph, random);
  const std::vector<int> around = graph.neighbours()[index(atom)];
  if (around.size() > 2) return std::nullopt;
  std::vector<bool> keep(graph.atoms.size(), true);
  keep[index(atom)] = false;
  std::vector<int> numbers;
  Graph result = graph.part(keep, numbers);
  if (around.size() == 2 && graph.bond_between(around[0], around[1]) < 0)
    result.bonds.push_back({numbers[index(around[0])], numbers[index(around[1])], 1});
  return result;
}

Result change_order(const Graph& graph, Random& random) {
  if (graph.bonds.empty()) return std::nullopt;
  Graph result = graph;
  GraphBond& bond = result.bonds[random.below(result.bonds.size())];
  std::array<double, 3> weights{0.45, 0.45, 0.1};
  weights[index(bond.order - 1)] = 0;
  bond.order = 1 + static_cast<int>(random.weighted(weights));
  return result;
}

Result change_element(const Graph& graph, Random& random) {
  Graph result = graph;
  const int atom = random_atom(graph, random);
  const ElementChoice& element = random_element(random, std::min(graph.order_sum(atom), 4));
  if (element.element == result.atoms[index(atom)].element) return std::nullopt;
  result.atoms[index(atom)] = {element.element, 0};
  return result;
}

Result close_ring(const Graph& graph, Random& random) {
  const int atom = random_atom(graph, random);
  if (free_valence(graph, atom) == 0) return std::nullopt;
  // By distance: rings of 3, 4, 5, 6 and 7 atoms.
  constexpr std::array<double, 7> kWeights{0, 0, 0.05, 0.05, 0.4, 0.45, 0.05};
  const std::vector<int> distances = graph.distances(atom);
  std::vector<double> weights(distances.size(), 0.0);
  bool possible = false;
  for (int other = 0; other < graph.size(); ++other) {
    const int distance = distances[index(other)];
    if (distance < 2 || distance > 6 || free_valence(graph, other) == 0) continue;
    weights[index(other)] = kWeights[index(distance)];
    possible = true;
  }
  if (!possible) return std::nullopt;
  Graph result = graph;
  result.bonds.push_back({atom, static_cast<int>(random.weighted(weights)), 1});
  return result;
}

Result open_ring(const Graph& graph, Random& random) {
  const std::vector<bool> in_ring = graph.ring_bonds();
  const auto bonds = bonds_where(graph, [&](std::size_t i) { return in_ring[i]; });
  if (bonds.empty()) return std::nullopt;
  return without_bond(graph, random.pick(bonds));
}

/// A bond outside rings, and the atoms behind it: the smaller side.
struct Branch {
  Graph rest_with_branch;  ///< the graph without the bond
  std::vector<bool> atoms;
  int root = 0, stem = 0;  ///< the bond's ends, in the branch and in the rest
};

std::optional<Branch> random_branch(const Graph& graph, Random& random) {
  const std::vector<bool> in_ring = graph.ring_bonds();
  const auto bonds =
      bonds_where(graph, [&](std::size_t i) { return !in_ring[i] && graph.bonds[i].order == 1; });
  if (bonds.empty()) return std::nullopt;
  const std::size_t bond = random.pick(bonds);
  Branch branch{without_bond(graph, bond), {}, graph.bonds[bond].a, graph.bonds[bond].b};
  branch.atoms = side_of(branch.rest_with_branch, branch.root);
  if (2 * std::ranges::count(branch.atoms, true) > graph.size()) {
    branch.atoms.flip();
    std::swap(branch.root, branch.stem);
  }
  return branch;
}

Result drop_branch(const Graph& graph, Random& random) {
  std::optional<Branch> branch = random_branch(graph, random);
  if (!branch) return std::nullopt;
  branch->atoms.flip();
  std::vector<int> numbers;
  return branch->rest_with_branch.part(branch->atoms, numbers);
}

Result move_branch(const Graph& graph, Random& random) {
  std::optional<Branch> branch = random_branch(graph, random);
  if (!branch) return std::nullopt;
  Graph& result = branch->rest_with_branch;
  std::vector<int> places;
  for (int i = 0; i < result.size(); ++i)
    if (!branch->atoms[index(i)] && i != branch->stem && free_valence(result, i) > 0)
      places.push_back(i);
  if (places.empty()) return std::nullopt;
  result.bonds.push_back({random.pick(places), branch->root, 1});
  return result;
}

/// Rings that are attached as a whole, written as graphs of alternating bonds.
Graph small_ring(Random& random) {
  constexpr std::array<std::uint8_t, 6> kCarbons{6, 6, 6, 6, 6, 6};
  const bool six = random.chance(0.65), aromatic = random.chance(0.7);
  Graph ring;
  const int size = six ? 6 : 5;
  for (int i = 0; i < size; ++i) ring.atoms.push_back({kCarbons[index(i)], 0});
  for (int i = 0; i < size; ++i) {
    const bool twofold = aromatic && (six ? i % 2 == 0 : i == 1 || i == 3);
    ring.bonds.push_back({i, (i + 1) % size, twofold ? 2 : 1});
  }
  if (!six && aromatic)
    ring.atoms[0].element = random.chance(0.5) ? 7 : random.chance(0.5) ? 8 : 16;
  for (int i = six ? 0 : 1; i < size; ++i)
    if (random.chance(0.15)) ring.atoms[index(i)].element = 7;
  return ring;
}

Result attach_ring(const Graph& graph, Random& random) {
  const int atom = random_atom(graph, random);
  if (free_valence(graph, atom) == 0) return std::nullopt;
  Graph result = graph;
  const Graph ring = small_ring(random);
  result.append(ring);
  result.bonds.push_back(
      {atom, graph.size() + static_cast<int>(random.below(ring.atoms.size())), 1});
  return result;
}

struct Operator {
  double weight;
  Result (*apply)(const Graph&, Random&);
};

constexpr std::array<Operator, 10> kOperators{{{0.16, append_atom},
                                               {0.10, insert_atom},
                                               {0.13, delete_atom},
                                               {0.12, change_order},
                                               {0.17, change_element},
                                               {0.07, close_ring},
                                               {0.06, open_ring},
                                               {0.07, drop_branch},
                                               {0.08, move_branch},
                                               {0.04, attach_ring}}};

/// A piece of a molecule with the atoms that its cut bonds left open.
struct Piece {
  Graph graph;
  std::vector<int> ends;
};

std::optional<Piece> piece_with(const Graph& cut, int from, const std::vector<int>& ends) {
  const std::vector<bool> keep = side_of(cut, from);
  std::vector<int> numbers;
  Piece piece{cut.part(keep, numbers), {}};
  for (const int end : ends)
    if (numbers[index(end)] >= 0) piece.ends.push_back(numbers[index(end)]);
  return piece;
}

std::optional<Piece> chain_piece(const Graph& graph, Random& random) {
  const std::vector<bool> in_ring = graph.ring_bonds();
  const auto bonds =
      bonds_where(graph, [&](std::size_t i) { return !in_ring[i] && graph.bonds[i].order == 1; });
  if (bonds.empty()) return std::nullopt;
  const std::size_t bond = random.pick(bonds);
  const GraphBond& cut = graph.bonds[bond];
  const int from = random.chance(0.5) ? cut.a : cut.b;
  return piece_with(without_bond(graph, bond), from, {from});
}

/// Cuts two bonds of a ring so that the molecule falls into two.
std::optional<Piece> ring_piece(const Graph& graph, Random& random) {
  const std::vector<bool> in_ring = graph.ring_bonds();
  const auto bonds = bonds_where(graph, [&](std::size_t i) { return in_ring[i]; });
  if (bonds.empty()) return std::nullopt;
  const std::size_t first = random.pick(bonds);
  const Graph opened = without_bond(graph, first);
  const std::vector<bool> still = opened.ring_bonds();
  const int a = graph.bonds[first].a, b = graph.bonds[first].b;
  const std::vector<int> from_a = opened.distances(a), from_b = opened.distances(b);
  const int way = from_a[index(b)];
  const auto on_way = bonds_where(opened, [&](std::size_t i) {
    const GraphBond& bond = opened.bonds[i];
    const bool shortest = std::min(from_a[index(bond.a)] + from_b[index(bond.b)],
                                   from_a[index(bond.b)] + from_b[index(bond.a)]) +
                              1 ==
                          way;
    return shortest && !still[i];
  });
  if (on_way.empty()) return std::nullopt;
  const std::size_t second = random.pick(on_way);
  const int from = random.chance(0.5) ? a : b;
  return piece_with(without_bond(opened, second), from,
                    {a, b, opened.bonds[second].a, opened.bonds[second].b});
}

/// Nothing if two atoms would be joined twice.
Result joined(const Piece& a, const Piece& b, Random& random) {
  Graph result = a.graph;
  result.append(b.graph);
  std::vector<int> ends = b.ends;
  if (ends.size() == 2 && random.chance(0.5)) std::swap(ends[0], ends[1]);
  for (std::size_t i = 0; i < a.ends.size(); ++i) {
    const int far = a.graph.size() + ends[i];
    if (result.bond_between(a.ends[i], far) >= 0) return std::nullopt;
    const bool twofold = a.ends.size() == 2 && random.chance(0.3);
    result.bonds.push_back({a.ends[i], far, twofold ? 2 : 1});
  }
  return result;
}

}  // namespace

Result mutated(const Graph& graph, Random& random) {
  std::array<double, kOperators.size()> weights{};
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = kOperators[i].weight;
  Result result = kOperators[random.weighted(weights)].apply(graph, random);
  if (result && !plausible(*result)) return std::nullopt;
  return result;
}

Result crossed(const Graph& a, const Graph& b, Random& random) {
  const bool ring = random.chance(0.4);
  const auto left = ring ? ring_piece(a, random) : chain_piece(a, random);
  const auto right = ring ? ring_piece(b, random) : chain_piece(b, random);
  if (!left || !right || left->ends.size() != right->ends.size()) return std::nullopt;
  Result result = joined(*left, *right, random);
  if (result && !plausible(*result)) return std::nullopt;
  return result;
}

bool sound_rings(const Molecule& molecule, int largest) {
  const RDKit::ROMol& mol = molecule.rdkit();
  const RDKit::RingInfo& rings = *mol.getRingInfo();
  for (const auto& ring : rings.bondRings()) {
    if (ring.size() > index(largest)) return false;
    int twofold = 0;
    for (const int bond : ring) {
      const RDKit::Bond* b = mol.getBondWithIdx(static_cast<unsigned>(bond));
      if (b->getBondType() == RDKit::Bond::TRIPLE) return false;
      twofold += b->getBondType() == RDKit::Bond::DOUBLE ? 1 : 0;
    }
    if (ring.size() <= 4 && twofold > 0) return false;
  }
  for (const RDKit::Atom* atom : mol.atoms()) {
    if (atom->getAtomicNum() != 6 || rings.numAtomRings(atom->getIdx()) == 0) continue;
    int twofold = 0;
    for (const RDKit::Bond* bond : mol.atomBonds(atom))
      twofold += bond->getBondType() == RDKit::Bond::DOUBLE ? 1 : 0;
    if (twofold > 1) return false;
  }
  return true;
}

}  // namespace aceso::molecules
