#include "pharmacophore.hpp"

#include <GraphMol/MolOps.h>
#include <GraphMol/ROMol.h>
#include <GraphMol/Substruct/SubstructMatch.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace aceso::molecules {
namespace {

/// The kinds of points, each an atom in an environment.
constexpr const char* kPoints[] = {
    R"([$([C;H2,H1](!=*)[C;H2,H1][C;H2,H1][$([C;H1,H2,H3]);!$(C=*)]),$(C([C;H2,H3])([C;H2,H3])[C;H2,H3])])",  // Hydrophobic
    R"([$([N;!H0;v3]),$([N;!H0;+1;v4]),$([O,S;H1;+0]),$([n;H1;+0])])",  // Donor
    R"([$([O,S;H1;v2]-[!$(*=[O,N,P,S])]),$([O,S;H0;v2]),$([O,S;-]),$([N&v3;H1,H2]-[!$(*=[O,N,P,S])]),$([N;v3;H0]),$([n,o,s;+0]),F])",  // Acceptor
    R"([$([a;D3](@*)(@*)*)])",                       // AromaticAttachment
    R"([$([A;D3](@*)(@*)*)])",                       // AliphaticAttachment
    R"([!#1;!#6;!#7;!#8;!#9;!#16;!#17;!#35;!#53])",  // UnusualAtom
    R"([$([N;H2&+0][$([C,a]);!$([C,a](=O))]),$([N;H1&+0]([$([C,a]);!$([C,a](=O))])[$([C,a]);!$([C,a](=O))]),$([N;H0&+0]([C;!$(C(=O))])([C;!$(C(=O))])[C;!$(C(=O))]),$([N,n;X2;+0])])",  // BasicGroup
    R"([$([C,S](=[O,S,P])-[O;H1])])",  // AcidicGroup
};

constexpr int kNearest = 2, kFarthest = 8;

struct Point {
  std::uint64_t kind;
  unsigned atom;
};

std::vector<Point> points_of(const RDKit::ROMol& mol) {
  static const std::vector<Pattern> patterns(std::begin(kPoints), std::end(kPoints));
  std::vector<Point> points;
  for (std::size_t kind = 0; kind < patterns.size(); ++kind) {
    std::vector<RDKit::MatchVectType> matches;
    RDKit::SubstructMatchParameters parameters;
    parameters.maxMatches = mol.getNumAtoms();
    for (const auto& match : RDKit::SubstructMatch(mol, patterns[kind].rdkit(), parameters))
      points.push_back({kind, static_cast<unsigned>(match.front().second)});
  }
  return points;
}

/// Distances in classes from 0, or -1 where points are too close to be told apart.
class Distances {
 public:
  explicit Distances(const RDKit::ROMol& mol)
      : atoms_(mol.getNumAtoms()), bonds_(RDKit::MolOps::getDistanceMat(mol)) {}
  [[nodiscard]] int between(const Point& a, const Point& b) const {
    const double bonds = bonds_[a.atom * atoms_ + b.atom];
    // Beyond a hundred bonds, or in another piece of the molecule.
    if (bonds < kNearest || bonds >= 100) return -1;
    return std::min(static_cast<int>(bonds), kFarthest) - kNearest;
  }

 private:
  std::size_t atoms_;
  const double* bonds_;
};

std::uint64_t pair_key(const Point& a, const Point& b, int distance) {
  const auto [low, high] = std::minmax(a.kind, b.kind);
  return (low << 8U) | (high << 4U) | static_cast<std::uint64_t>(distance);
}

/// The same for each order in which the corners are given.
std::uint64_t triangle_key(const std::array<Point, 3>& corners,
                           const std::array<int, 3>& opposite) {
  std::array<std::uint64_t, 3> order{0, 1, 2};
  std::uint64_t lowest = ~0ULL;
  do {
    std::uint64_t key = 1;
    for (const std::uint64_t corner : order) key = (key << 4U) | corners[corner].kind;
    for (const std::uint64_t corner : order)
      key = (key << 4U) | static_cast<std::uint64_t>(opposite[corner]);
    lowest = std::min(lowest, key);
  } while (std::ranges::next_permutation(order).found);
  return lowest << 16U;
}

}  // namespace

FeatureCounts pharmacophore_fingerprint(const Molecule& molecule) {
  const std::vector<Point> points = points_of(molecule.rdkit());
  const Distances distances(molecule.rdkit());
  std::vector<std::uint64_t> keys;
  for (std::size_t i = 0; i < points.size(); ++i)
    for (std::size_t j = i + 1; j < points.size(); ++j) {
      const int ij = distances.between(points[i], points[j]);
      if (ij < 0) continue;
      keys.push_back(pair_key(points[i], points[j], ij));
      for (std::size_t k = j + 1; k < points.size(); ++k) {
        const int ik = distances.between(points[i], points[k]);
        const int jk = distances.between(points[j], points[k]);
        if (ik < 0 || jk < 0) continue;
        keys.push_back(triangle_key({points[i], points[j], points[k]}, {jk, ik, ij}));
      }
    }
  std::ranges::sort(keys);
  const auto repeats = std::ranges::unique(keys);
  keys.erase(repeats.begin(), repeats.end());
  FeatureCounts counts;
  for (const std::uint64_t key : keys) counts.emplace_back(key, 1);
  return counts;
}

}  // namespace aceso::molecules
