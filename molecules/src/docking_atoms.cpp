#include "docking_atoms.hpp"

#include "aceso/core/text.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

namespace aceso::molecules {
namespace {

struct AutodockType {
  std::string_view name, symbol;
  DockElement element;
  bool accepts = false, polar_hydrogen = false;
};

// G0 to G3 and CG0 to CG3 (glue of opened rings) are left out: they need ring closure.
constexpr std::array kTypes{
    AutodockType{"H", "H", DockElement::H},
    AutodockType{"HD", "H", DockElement::H, false, true},
    AutodockType{"HS", "H", DockElement::H, false, true},
    AutodockType{"C", "C", DockElement::C},
    AutodockType{"A", "C", DockElement::C},
    AutodockType{"N", "N", DockElement::N},
    AutodockType{"NA", "N", DockElement::N, true},
    AutodockType{"NS", "N", DockElement::N, true},
    AutodockType{"O", "O", DockElement::O},
    AutodockType{"OA", "O", DockElement::O, true},
    AutodockType{"OS", "O", DockElement::O, true},
    AutodockType{"S", "S", DockElement::S},
    AutodockType{"SA", "S", DockElement::S, true},
    AutodockType{"P", "P", DockElement::P},
    AutodockType{"F", "F", DockElement::F},
    AutodockType{"Cl", "Cl", DockElement::Cl},
    AutodockType{"CL", "Cl", DockElement::Cl},
    AutodockType{"Br", "Br", DockElement::Br},
    AutodockType{"BR", "Br", DockElement::Br},
    AutodockType{"I", "I", DockElement::I},
    AutodockType{"Si", "Si", DockElement::Si},
    AutodockType{"At", "At", DockElement::At},
    AutodockType{"Se", "Se", DockElement::S},
};
constexpr std::array<std::string_view, 16> kMetals{"Mg", "Mn", "Zn", "Ca", "Fe", "Cu", "Na", "K",
                                                   "Hg", "Co", "U",  "Cd", "Ni", "MG", "ZN", "MN"};

/// Å; of metals that of zinc, near enough for who is bonded to whom.
constexpr double covalent_radius(DockElement element) noexcept {
  switch (element) {
    case DockElement::H:
      return 0.37;
    case DockElement::C:
      return 0.77;
    case DockElement::N:
      return 0.75;
    case DockElement::O:
      return 0.73;
    case DockElement::S:
      return 1.02;
    case DockElement::P:
      return 1.06;
    case DockElement::F:
      return 0.71;
    case DockElement::Cl:
      return 0.99;
    case DockElement::Br:
      return 1.14;
    case DockElement::I:
    case DockElement::At:
      return 1.33;
    case DockElement::Si:
      return 1.11;
    case DockElement::Metal:
      return 1.31;
  }
  return 0.77;
}

/// Atoms in cubes of 3.2 Å, wider than any bond.
class Cubes {
 public:
  explicit Cubes(std::span<const DockAtom> atoms) : atoms_(atoms) {
    for (std::uint32_t i = 0; i < atoms.size(); ++i) cubes_[key(atoms[i].place)].push_back(i);
  }
  /// Calls `with` for each atom in the cubes around `place`.
  template <typename With>
  void near(Vec3 place, With with) const {
    for (int dx = -1; dx <= 1; ++dx)
      for (int dy = -1; dy <= 1; ++dy)
        for (int dz = -1; dz <= 1; ++dz) {
          const auto found = cubes_.find(key(place + Vec3{dx * kSide, dy * kSide, dz * kSide}));
          if (found == cubes_.end()) continue;
          for (const std::uint32_t i : found->second) with(i);
        }
  }

 private:
  static constexpr double kSide = 3.2;
  static std::uint64_t key(Vec3 p) {
    const auto part = [](double v) {
      return static_cast<std::uint64_t>(static_cast<std::int64_t>(std::floor(v / kSide)) +
                                        1'000'000);
    };
    return (part(p.x) << 42U) ^ (part(p.y) << 21U) ^ part(p.z);
  }
  std::span<const DockAtom> atoms_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> cubes_;
};

bool atom_between(std::span<const DockAtom> atoms, std::span<const std::uint32_t> candidates,
                  std::uint32_t a, std::uint32_t b) {
  const double limit = distance2(atoms[a].place, atoms[b].place);
  return std::ranges::any_of(candidates, [&](std::uint32_t c) {
    return c != a && c != b && distance2(atoms[a].place, atoms[c].place) < limit &&
           distance2(atoms[b].place, atoms[c].place) < limit;
  });
}

VinaType with_role(VinaType neither, bool donates, bool accepts) {
  const int step = (donates ? 1 : 0) + (accepts ? 2 : 0);
  return static_cast<VinaType>(static_cast<int>(neither) + step);
}

bool is_heteroatom(DockElement element) {
  return element != DockElement::H && element != DockElement::C;
}

VinaType type_of(const DockAtom& atom, bool near_heteroatom, bool donates) {
  switch (atom.element) {
    case DockElement::H:
      return VinaType::Hydrogen;
    case DockElement::C:
      return near_heteroatom ? VinaType::CarbonPolar : VinaType::CarbonHydrophobic;
    case DockElement::N:
      return with_role(VinaType::Nitrogen, donates, atom.accepts);
    case DockElement::O:
      return with_role(VinaType::Oxygen, donates, atom.accepts);
    case DockElement::S:
      return VinaType::Sulfur;
    case DockElement::P:
      return VinaType::Phosphorus;
    case DockElement::F:
      return VinaType::Fluorine;
    case DockElement::Cl:
      return VinaType::Chlorine;
    case DockElement::Br:
      return VinaType::Bromine;
    case DockElement::I:
      return VinaType::Iodine;
    case DockElement::Si:
      return VinaType::Silicon;
    case DockElement::At:
      return VinaType::Astatine;
    case DockElement::Metal:
      return VinaType::Metal;
  }
  return VinaType::Hydrogen;
}

}  // namespace

bool set_autodock_type(std::string_view type, DockAtom& atom) {
  const auto found = std::ranges::find(kTypes, type, &AutodockType::name);
  if (found != kTypes.end()) {
    atom.element = found->element;
    atom.accepts = found->accepts;
    atom.polar_hydrogen = found->polar_hydrogen;
    atom.symbol = found->symbol;
    return true;
  }
  const auto metal = std::ranges::find(kMetals, type);
  if (metal == kMetals.end()) return false;
  atom.element = DockElement::Metal;
  atom.symbol = *metal;
  if (atom.symbol.size() > 1) atom.symbol[1] = to_lower(atom.symbol)[1];
  return true;
}

std::optional<DockElement> dock_element(std::string_view symbol) {
  const std::string lower = to_lower(symbol);
  if (lower == "d") return DockElement::H;
  for (const AutodockType& type : kTypes)
    if (to_lower(type.symbol) == lower) return type.element;
  for (const std::string_view metal : kMetals)
    if (to_lower(metal) == lower) return DockElement::Metal;
  return std::nullopt;
}

std::vector<std::vector<std::uint32_t>> bonds_by_distance(std::span<const DockAtom> atoms) {
  const Cubes cubes(atoms);
  std::vector<std::vector<std::uint32_t>> bonds(atoms.size());
  std::vector<std::uint32_t> around;
  for (std::uint32_t a = 0; a < atoms.size(); ++a) {
    around.clear();
    cubes.near(atoms[a].place, [&](std::uint32_t b) { around.push_back(b); });
    std::ranges::sort(around);
    for (const std::uint32_t b : around) {
      const double reach =
          1.1 * (covalent_radius(atoms[a].element) + covalent_radius(atoms[b].element));
      if (a == b || distance2(atoms[a].place, atoms[b].place) >= reach * reach) continue;
      if (!atom_between(atoms, around, a, b)) bonds[a].push_back(b);
    }
  }
  return bonds;
}

void set_vina_types(std::span<DockAtom> atoms,
                    std::span<const std::vector<std::uint32_t>> neighbours,
                    const std::vector<bool>& donors) {
  for (std::size_t i = 0; i < atoms.size(); ++i) {
    const bool near_heteroatom = std::ranges::any_of(
        neighbours[i], [&](std::uint32_t j) { return is_heteroatom(atoms[j].element); });
    const bool has_hydrogen = std::ranges::any_of(
        neighbours[i], [&](std::uint32_t j) { return atoms[j].polar_hydrogen; });
    atoms[i].type =
        type_of(atoms[i], near_heteroatom, has_hydrogen || (!donors.empty() && donors[i]));
  }
}

double vina_radius(VinaType type) noexcept {
  constexpr std::array<double, kVinaTypes> kRadii{1.9, 1.9, 1.8, 1.8, 1.8, 1.8, 1.7, 1.7, 1.7, 1.7,
                                                  2.0, 2.1, 1.5, 1.8, 2.0, 2.2, 2.2, 2.3, 1.2};
  const auto place = static_cast<std::size_t>(type);
  return place < kVinaTypes ? kRadii[place] : 0;
}

}  // namespace aceso::molecules
