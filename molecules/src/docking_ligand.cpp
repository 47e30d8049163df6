#include "docking_ligand.hpp"

#include "aceso/core/error.hpp"

#include <algorithm>
#include <set>

namespace aceso::molecules {
namespace {

bool is_heavy(const DockAtom& atom) { return atom.element != DockElement::H; }

std::size_t heavy_neighbours(const DockLigand& ligand, std::uint32_t atom) {
  return static_cast<std::size_t>(std::ranges::count_if(
      ligand.bonds[atom], [&](std::uint32_t j) { return is_heavy(ligand.atoms[j]); }));
}

/// As Vina counts: a bond half for each of its ends whose other end has further heavy neighbours.
double count_torsions(const DockLigand& ligand) {
  double count = 0;
  for (std::size_t b = 1; b < ligand.bodies.size(); ++b) {
    const Rotor rotor = ligand.bodies[b].rotor;
    if (!is_heavy(ligand.atoms[rotor.from]) || !is_heavy(ligand.atoms[rotor.to])) continue;
    for (const std::uint32_t end : {rotor.from, rotor.to})
      count += heavy_neighbours(ligand, end) > 1 ? 0.5 : 0;
  }
  return count;
}

/// Puts the atoms of body `from` into body `into` and takes the joint away.
void join(DockLigand& ligand, std::uint32_t child) {
  const std::uint32_t parent = ligand.bodies[child].parent;
  for (std::uint32_t& body : ligand.body_of) {
    if (body == child) body = parent;
    if (body > child) --body;
  }
  ligand.bodies.erase(ligand.bodies.begin() + child);
  for (DockBody& body : ligand.bodies) {
    if (body.parent == child) body.parent = parent;
    if (body.parent > child) --body.parent;
  }
}

std::size_t heavy_atoms_but(const DockLigand& ligand, std::uint32_t body, std::uint32_t atom) {
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < ligand.atoms.size(); ++i)
    count += ligand.body_of[i] == body && i != atom && is_heavy(ligand.atoms[i]) ? 1 : 0;
  return count;
}

std::size_t children_of(const DockLigand& ligand, std::uint32_t body) {
  return static_cast<std::size_t>(
      std::count_if(ligand.bodies.begin() + 1, ligand.bodies.end(),
                    [&](const DockBody& other) { return other.parent == body; }));
}

/// Turning a body that is one heavy atom on the axis changes no score.
void join_idle_bodies(DockLigand& ligand) {
  for (auto b = static_cast<std::uint32_t>(ligand.bodies.size()); b-- > 1;)
    if (children_of(ligand, b) == 0 && heavy_atoms_but(ligand, b, ligand.bodies[b].rotor.to) == 0)
      join(ligand, b);
  while (ligand.bodies.size() > 1 && children_of(ligand, 0) == 1) {
    const auto child = std::find_if(ligand.bodies.begin() + 1, ligand.bodies.end(),
                                    [](const DockBody& body) { return body.parent == 0; });
    if (heavy_atoms_but(ligand, 0, child->rotor.from) > 0) break;
    join(ligand, static_cast<std::uint32_t>(child - ligand.bodies.begin()));
  }
}

using PairSet = std::set<std::array<std::uint32_t, 2>>;

void add_all_pairs(const std::vector<std::uint32_t>& atoms, PairSet& pairs) {
  for (const std::uint32_t a : atoms)
    for (const std::uint32_t b : atoms)
      if (a < b) pairs.insert({a, b});
}

/// Pairs whose distance never changes: a body, the atom it hangs on and those that hang on it.
PairSet rigid_pairs(const DockLigand& ligand) {
  std::vector<std::vector<std::uint32_t>> groups(ligand.bodies.size());
  for (std::uint32_t i = 0; i < ligand.atoms.size(); ++i) groups[ligand.body_of[i]].push_back(i);
  for (std::size_t b = 1; b < ligand.bodies.size(); ++b) {
    groups[b].push_back(ligand.bodies[b].rotor.from);
    groups[ligand.bodies[b].parent].push_back(ligand.bodies[b].rotor.to);
  }
  PairSet pairs;
  for (const auto& group : groups) add_all_pairs(group, pairs);
  return pairs;
}

/// Pairs that are up to three bonds apart.
PairSet near_pairs(const DockLigand& ligand) {
  PairSet pairs;
  for (std::uint32_t start = 0; start < ligand.atoms.size(); ++start) {
    std::vector<std::uint32_t> front{start};
    for (int bonds = 0; bonds < 3; ++bonds) {
      std::vector<std::uint32_t> next;
      for (const std::uint32_t i : front)
        next.insert(next.end(), ligand.bonds[i].begin(), ligand.bonds[i].end());
      for (const std::uint32_t i : next)
        if (start < i) pairs.insert({start, i});
      front = std::move(next);
    }
  }
  return pairs;
}

void find_pairs(DockLigand& ligand) {
  const PairSet rigid = rigid_pairs(ligand), near = near_pairs(ligand);
  for (std::uint32_t a = 0; a < ligand.atoms.size(); ++a)
    for (std::uint32_t b = a + 1; b < ligand.atoms.size(); ++b)
      if (is_heavy(ligand.atoms[a]) && is_heavy(ligand.atoms[b]) && !rigid.contains({a, b}) &&
          !near.contains({a, b}))
        ligand.pairs.push_back({a, b});
}

/// How many atoms are behind each directed bond of the tree, and what it takes to choose a root.
class Trees {
 public:
  Trees(std::size_t parts, const std::vector<std::uint32_t>& part_of,
        const std::vector<Rotor>& rotors)
      : joints_(parts), sizes_(parts, 0), part_of_(part_of) {
    for (const std::uint32_t part : part_of) ++sizes_[part];
    for (const Rotor rotor : rotors) {
      joints_[part_of[rotor.from]].push_back(rotor);
      joints_[part_of[rotor.to]].push_back({rotor.to, rotor.from});
    }
  }

  [[nodiscard]] std::uint32_t best_root() const {
    std::uint32_t best = 0;
    std::size_t best_size = std::numeric_limits<std::size_t>::max();
    for (std::uint32_t root = 0; root < joints_.size(); ++root) {
      std::size_t largest = 0;
      for (const Rotor rotor : joints_[root])
        largest = std::max(largest, size_behind(part_of_[rotor.to], root));
      if (largest < best_size) best = root, best_size = largest;
    }
    return best;
  }

  /// Parts from `root` on, parents first; `number` gets each part's place.
  [[nodiscard]] std::vector<DockBody> from(std::uint32_t root,
                                           std::vector<std::uint32_t>& number) const {
    number.assign(joints_.size(), 0);
    std::vector<DockBody> bodies{DockBody{}};
    std::vector<std::uint32_t> parts{root};
    std::vector<bool> seen(joints_.size(), false);
    seen[root] = true;
    for (std::uint32_t b = 0; b < parts.size(); ++b)
      for (const Rotor rotor : joints_[parts[b]]) {
        const std::uint32_t part = part_of_[rotor.to];
        if (seen[part]) continue;
        seen[part] = true;
        number[part] = static_cast<std::uint32_t>(bodies.size());
        bodies.push_back({b, rotor});
        parts.push_back(part);
      }
    return bodies;
  }

 private:
  [[nodiscard]] std::size_t size_behind(std::uint32_t part, std::uint32_t from) const {
    std::size_t size = sizes_[part];
    for (const Rotor rotor : joints_[part])
      if (part_of_[rotor.to] != from) size += size_behind(part_of_[rotor.to], part);
    return size;
  }

  std::vector<std::vector<Rotor>> joints_;
  std::vector<std::size_t> sizes_;
  const std::vector<std::uint32_t>& part_of_;
};

/// Numbers the parts that are left when rotors are cut. Returns how many.
std::size_t cut_into_parts(const std::vector<std::vector<std::uint32_t>>& bonds,
                           const std::vector<Rotor>& rotors, std::vector<std::uint32_t>& part_of) {
  constexpr auto kNone = std::numeric_limits<std::uint32_t>::max();
  PairSet cut;
  for (const Rotor r : rotors) cut.insert({std::min(r.from, r.to), std::max(r.from, r.to)});
  part_of.assign(bonds.size(), kNone);
  std::uint32_t parts = 0;
  for (std::uint32_t start = 0; start < bonds.size(); ++start) {
    if (part_of[start] != kNone) continue;
    part_of[start] = parts;
    for (std::vector<std::uint32_t> stack{start}; !stack.empty();) {
      const std::uint32_t i = stack.back();
      stack.pop_back();
      for (const std::uint32_t j : bonds[i]) {
        if (part_of[j] != kNone || cut.contains({std::min(i, j), std::max(i, j)})) continue;
        part_of[j] = parts;
        stack.push_back(j);
      }
    }
    ++parts;
  }
  return parts;
}

}  // namespace

BodyTree tree_of(const std::vector<std::vector<std::uint32_t>>& bonds,
                 const std::vector<Rotor>& rotors) {
  std::vector<std::uint32_t> part_of, number;
  const std::size_t parts = cut_into_parts(bonds, rotors, part_of);
  const Trees trees(parts, part_of, rotors);
  BodyTree tree{trees.from(trees.best_root(), number), {}};
  for (const std::uint32_t part : part_of) tree.body_of.push_back(number[part]);
  return tree;
}

DockLigand assemble_ligand(std::string name, std::vector<DockAtom> atoms,
                           std::vector<std::vector<std::uint32_t>> bonds,
                           std::vector<DockBody> bodies, std::vector<std::uint32_t> body_of) {
  if (atoms.size() > kMostLigandAtoms)
    fail(Errc::CorruptData, "expected a ligand of at most {} atoms, found {}", kMostLigandAtoms,
         atoms.size());
  if (std::ranges::none_of(atoms, is_heavy))
    fail(Errc::CorruptData, "expected a ligand with heavy atoms, found none");
  DockLigand ligand{.name = std::move(name),
                    .atoms = std::move(atoms),
                    .bonds = std::move(bonds),
                    .bodies = std::move(bodies),
                    .body_of = std::move(body_of)};
  if (ligand.bonds.empty()) ligand.bonds = bonds_by_distance(ligand.atoms);
  set_vina_types(ligand.atoms, ligand.bonds);
  ligand.torsions = count_torsions(ligand);
  join_idle_bodies(ligand);
  find_pairs(ligand);
  return ligand;
}

double rmsd(const DockLigand& ligand, const std::vector<Vec3>& a, const std::vector<Vec3>& b) {
  double sum = 0;
  std::size_t heavy = 0;
  for (std::size_t i = 0; i < ligand.atoms.size(); ++i) {
    if (!is_heavy(ligand.atoms[i])) continue;
    sum += distance2(a[i], b[i]);
    ++heavy;
  }
  return std::sqrt(sum / static_cast<double>(heavy));
}

}  // namespace aceso::molecules
