#include "rdkit_2d.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "data.hpp"
#include "distributions.hpp"
#include "pattern_set.hpp"

#include <DataStructs/SparseIntVect.h>
#include <GraphMol/Descriptors/ConnectivityDescriptors.h>
#include <GraphMol/Descriptors/Crippen.h>
#include <GraphMol/Descriptors/Lipinski.h>
#include <GraphMol/Descriptors/MolDescriptors.h>
#include <GraphMol/Descriptors/MolSurf.h>
#include <GraphMol/Fingerprints/MorganFingerprints.h>
#include <GraphMol/MolOps.h>
#include <GraphMol/PartialCharges/GasteigerCharges.h>
#include <GraphMol/PeriodicTable.h>
#include <GraphMol/ROMol.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>

namespace aceso::molecules {
namespace {

namespace rd = RDKit::Descriptors;

/// One line of data/rdkit_2d_normalised.txt.
struct Fitted {
  std::string name;
  const Family* family = nullptr;
  double lowest = 0, highest = 0, location = 0, scale = 1;
  std::vector<double> shapes;

  [[nodiscard]] double operator()(double value) const {
    if (std::isnan(value)) return 0;
    const double z = (std::clamp(value, lowest, highest) - location) / scale;
    const double below = family->below(z, shapes);
    return std::isnan(below) ? 0 : std::clamp(below, 0.0, 1.0);
  }
};

double number_of(const std::string& text) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size())
    fail(Errc::Internal, "rdkit_2d_normalised.txt: expected a number, found {}", text);
  return value;
}

Fitted fitted_of(const std::string& line) {
  const std::vector<std::string> words = split(line, ' ');
  Fitted fitted{.name = words.at(0), .family = find_family(words.at(1))};
  std::vector<double> numbers;
  for (std::size_t i = 2; i < words.size(); ++i) numbers.push_back(number_of(words[i]));
  if (fitted.family == nullptr || numbers.size() != fitted.family->shapes + 4)
    fail(Errc::Internal, "rdkit_2d_normalised.txt: {}", line);
  fitted.lowest = numbers[0];
  fitted.highest = numbers[1];
  fitted.scale = numbers.back();
  fitted.location = numbers[numbers.size() - 2];
  fitted.shapes.assign(numbers.begin() + 2, numbers.end() - 2);
  return fitted;
}

/// Sorted by name as bytes are, which is the order of the nets' inputs.
const std::vector<Fitted>& distributions() {
  static const std::vector<Fitted> all = [] {
    std::vector<Fitted> made;
    for (const std::string& line : split(std::string(data_file("rdkit_2d_normalised.txt")), '\n'))
      if (!line.empty() && line.front() != '#') made.push_back(fitted_of(line));
    std::ranges::sort(made, {}, &Fitted::name);
    return made;
  }();
  return all;
}

/// Bonds between each two atoms; infinite between pieces.
std::vector<double> bond_distances(const RDKit::ROMol& mol) {
  const std::size_t atoms = mol.getNumAtoms();
  std::vector<double> distances(atoms * atoms, std::numeric_limits<double>::infinity());
  std::vector<unsigned> queue;
  for (unsigned start = 0; start < atoms; ++start) {
    double* row = distances.data() + start * atoms;
    row[start] = 0;
    queue.assign(1, start);
    for (std::size_t next = 0; next < queue.size(); ++next)
      for (const RDKit::Atom* neighbour : mol.atomNeighbors(mol.getAtomWithIdx(queue[next])))
        if (std::isinf(row[neighbour->getIdx()])) {
          row[neighbour->getIdx()] = row[queue[next]] + 1;
          queue.push_back(neighbour->getIdx());
        }
  }
  return distances;
}

/// Number of the outermost shell.
int shell_of(int element) {
  constexpr std::array<int, 6> kLast{2, 10, 18, 36, 54, 86};
  return static_cast<int>(std::ranges::lower_bound(kLast, element) - kLast.begin()) + 1;
}

/// Electrotopological states (Hall, Mohney and Kier 1991).
std::vector<double> estates(const RDKit::ROMol& mol) {
  const std::size_t atoms = mol.getNumAtoms();
  std::vector<double> intrinsic(atoms), shift(atoms);
  for (const RDKit::Atom* atom : mol.atoms()) {
    const double degree = atom->getDegree();
    if (degree == 0) continue;
    const int shell = shell_of(atom->getAtomicNum());
    const int electrons = RDKit::PeriodicTable::getTable()->getNouterElecs(atom->getAtomicNum()) -
                          static_cast<int>(atom->getTotalNumHs());
    intrinsic[atom->getIdx()] = (4.0 / (shell * shell) * electrons + 1) / degree;
  }
  const std::vector<double> distances = bond_distances(mol);
  for (std::size_t i = 0; i < atoms; ++i)
    for (std::size_t j = i + 1; j < atoms; ++j) {
      const double distance = distances[i * atoms + j] + 1;
      const double push = (intrinsic[i] - intrinsic[j]) / (distance * distance);
      shift[i] += push;
      shift[j] -= push;
    }
  for (std::size_t i = 0; i < atoms; ++i) shift[i] += intrinsic[i];
  return shift;
}

/// Sums of `amounts` by the bin that each one's value is in: value < bounds[0], …
std::vector<double> binned(const std::vector<double>& values, const std::vector<double>& amounts,
                           std::span<const double> bounds) {
  std::vector<double> sums(bounds.size() + 1);
  for (std::size_t i = 0; i < values.size(); ++i)
    sums[static_cast<std::size_t>(std::ranges::upper_bound(bounds, values[i]) - bounds.begin())] +=
        amounts[i];
  return sums;
}

double balaban_j(const RDKit::ROMol& mol) {
  const std::size_t atoms = mol.getNumAtoms();
  const double* distances = RDKit::MolOps::getDistanceMat(mol, true, false, true, "Balaban");
  std::vector<double> sums(atoms);
  for (std::size_t i = 0; i < atoms; ++i)
    for (std::size_t j = 0; j < atoms; ++j) sums[i] += distances[i * atoms + j];
  double total = 0;
  for (const RDKit::Bond* bond : mol.bonds())
    total += 1 / std::sqrt(sums[bond->getBeginAtomIdx()] * sums[bond->getEndAtomIdx()]);
  const double bonds = mol.getNumBonds();
  const double cycles = bonds - static_cast<double>(atoms) + 1;
  return cycles + 1 != 0 ? bonds / (cycles + 1) * total : 0;
}

/// Connectivity indices of order 0 and 1 by degrees alone.
std::array<double, 2> chi_by_degree(const RDKit::ROMol& mol) {
  std::array<double, 2> chi{};
  for (const RDKit::Atom* atom : mol.atoms())
    if (atom->getDegree() > 0) chi[0] += std::sqrt(1.0 / atom->getDegree());
  for (const RDKit::Bond* bond : mol.bonds())
    chi[1] +=
        std::sqrt(1.0 / (bond->getBeginAtom()->getDegree() * bond->getEndAtom()->getDegree()));
  return chi;
}

/// RDKit's table of functional groups.
struct Fragments {
  std::vector<std::string> names;
  PatternSet patterns;

  Fragments() : Fragments(read()) {}

 private:
  struct Table {
    std::vector<std::string> names, smarts;
    std::vector<const char*> texts;
  };
  explicit Fragments(Table table) : names(table.names), patterns(table.texts) {}

  static Table read() {
    Table table;
    for (const std::string& line : split(std::string(data_file("FragmentDescriptors.csv")), '\n')) {
      std::vector<std::string> cells = split(line, '\t');
      if (line.starts_with('#') || cells.size() < 3) continue;
      std::string name = cells[0], smarts = cells[2];
      std::ranges::replace(name, '=', '_');
      std::ranges::replace(name, '-', '_');
      while (!smarts.empty() && (smarts.back() == '\r' || smarts.back() == ' ')) smarts.pop_back();
      table.names.push_back(std::move(name));
      table.smarts.push_back(std::move(smarts));
    }
    for (const std::string& smarts : table.smarts) table.texts.push_back(smarts.c_str());
    return table;
  }
};

/// All values by name.
class Values {
 public:
  explicit Values(const Molecule& molecule) : molecule_(molecule), mol_(molecule.rdkit()) {
    add_ours();
    add_counts();
    add_connectivity();
    add_charges();
    add_surfaces();
    add_estates();
    add_fragments();
  }

  [[nodiscard]] double operator[](const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) fail(Errc::Internal, "the descriptor {} is not known", name);
    return found->second;
  }

 private:
  void put(const std::string& name, double value) { values_.emplace(name, value); }
  void put_numbered(const std::string& name, const std::vector<double>& values) {
    for (std::size_t i = 0; i < values.size(); ++i)
      put(fmt::format("{}{}", name, i + 1), values[i]);
  }

  void add_ours() {
    for (const auto& [theirs, ours] : {std::pair{"BertzCT", "bertz"},
                                       {"FractionCSP3", "fraction_csp3"},
                                       {"MolLogP", "logp"},
                                       {"MolWt", "molecular_weight"},
                                       {"NumHAcceptors", "hb_acceptors"},
                                       {"NumHDonors", "hb_donors"},
                                       {"NumRotatableBonds", "rotatable_bonds"},
                                       {"RingCount", "rings"},
                                       {"TPSA", "tpsa"},
                                       {"qed", "qed"}})
      put(theirs, find_descriptor(ours)->compute(molecule_));
    double logp = 0, refractivity = 0;
    rd::calcCrippenDescriptors(mol_, logp, refractivity);  // known since MolLogP
    put("MolMR", refractivity);
    put("Ipc", 0);
  }

  void add_counts() {
    int heavy = 0, radicals = 0, valence = 0;
    for (const RDKit::Atom* atom : mol_.atoms()) {
      heavy += atom->getAtomicNum() > 1 ? 1 : 0;
      radicals += static_cast<int>(atom->getNumRadicalElectrons());
      valence += RDKit::PeriodicTable::getTable()->getNouterElecs(atom->getAtomicNum()) -
                 atom->getFormalCharge() + static_cast<int>(atom->getTotalNumHs());
    }
    put("HeavyAtomCount", heavy);
    put("NumRadicalElectrons", radicals);
    put("NumValenceElectrons", valence);
    put("ExactMolWt", rd::calcExactMW(mol_));
    put("HeavyAtomMolWt", rd::calcAMW(mol_, true));
    put("NHOHCount", rd::calcLipinskiHBD(mol_));
    put("NOCount", rd::calcLipinskiHBA(mol_));
    put("NumHeteroatoms", rd::calcNumHeteroatoms(mol_));
    put("NumAliphaticCarbocycles", rd::calcNumAliphaticCarbocycles(mol_));
    put("NumAliphaticHeterocycles", rd::calcNumAliphaticHeterocycles(mol_));
    put("NumAliphaticRings", rd::calcNumAliphaticRings(mol_));
    put("NumAromaticCarbocycles", rd::calcNumAromaticCarbocycles(mol_));
    put("NumAromaticHeterocycles", rd::calcNumAromaticHeterocycles(mol_));
    put("NumAromaticRings", rd::calcNumAromaticRings(mol_));
    put("NumSaturatedCarbocycles", rd::calcNumSaturatedCarbocycles(mol_));
    put("NumSaturatedHeterocycles", rd::calcNumSaturatedHeterocycles(mol_));
    put("NumSaturatedRings", rd::calcNumSaturatedRings(mol_));
    for (const unsigned radius : {1U, 2U, 3U}) {
      const std::unique_ptr<RDKit::SparseIntVect<std::uint32_t>> morgan(
          RDKit::MorganFingerprints::getFingerprint(mol_, radius));
      const auto features = static_cast<double>(morgan->getNonzeroElements().size());
      put(fmt::format("FpDensityMorgan{}", radius), heavy > 0 ? features / heavy : 0);
    }
  }

  void add_connectivity() {
    const std::array<double, 2> chi = chi_by_degree(mol_);
    put("Chi0", chi[0]);
    put("Chi1", chi[1]);
    put("Chi0n", rd::calcChi0n(mol_));
    put("Chi1n", rd::calcChi1n(mol_));
    put("Chi2n", rd::calcChi2n(mol_));
    put("Chi3n", rd::calcChi3n(mol_));
    put("Chi4n", rd::calcChi4n(mol_));
    put("Chi0v", rd::calcChi0v(mol_));
    put("Chi1v", rd::calcChi1v(mol_));
    put("Chi2v", rd::calcChi2v(mol_));
    put("Chi3v", rd::calcChi3v(mol_));
    put("Chi4v", rd::calcChi4v(mol_));
    put("HallKierAlpha", rd::calcHallKierAlpha(mol_));
    put("Kappa1", rd::calcKappa1(mol_));
    put("Kappa2", rd::calcKappa2(mol_));
    put("Kappa3", rd::calcKappa3(mol_));
    put("BalabanJ", balaban_j(mol_));
  }

  /// Gasteiger charges; NaN where an element has no parameters.
  void add_charges() {
    std::vector<double> charges(mol_.getNumAtoms());
    RDKit::computeGasteigerCharges(mol_, charges);
    double lowest = 500, highest = -500;
    for (const double charge : charges) {
      // A NaN is dropped at the next atom, as in RDKit's Python.
      lowest = lowest < charge ? lowest : charge;
      highest = highest > charge ? highest : charge;
    }
    put("MinPartialCharge", lowest);
    put("MaxPartialCharge", highest);
    put("MinAbsPartialCharge", std::min(std::abs(lowest), std::abs(highest)));
    put("MaxAbsPartialCharge", std::max(std::abs(lowest), std::abs(highest)));
  }

  void add_surfaces() {
    put("LabuteASA", rd::calcLabuteASA(mol_));
    put_numbered("PEOE_VSA", rd::calcPEOE_VSA(mol_));
    put_numbered("SMR_VSA", rd::calcSMR_VSA(mol_));
    put_numbered("SlogP_VSA", rd::calcSlogP_VSA(mol_));
  }

  void add_estates() {
    constexpr std::array kStates{-0.390, 0.290, 0.717, 1.165, 1.540, 1.807, 2.05, 4.69, 9.17, 15.0};
    constexpr std::array kSurfaces{4.78, 5.00, 5.410, 5.740, 6.00, 6.07, 6.45, 7.00, 11.0};
    const std::vector<double> states = estates(mol_);
    std::vector<double> surfaces(mol_.getNumAtoms()), sizes;
    double hydrogens = 0;
    rd::getLabuteAtomContribs(mol_, surfaces, hydrogens);
    put_numbered("EState_VSA", binned(states, surfaces, kStates));
    put_numbered("VSA_EState", binned(surfaces, states, kSurfaces));
    for (const double state : states) sizes.push_back(std::abs(state));
    put("MaxEStateIndex", std::ranges::max(states));
    put("MinEStateIndex", std::ranges::min(states));
    put("MaxAbsEStateIndex", std::ranges::max(sizes));
    put("MinAbsEStateIndex", std::ranges::min(sizes));
  }

  void add_fragments() {
    static const Fragments fragments;
    thread_local PatternScan scan(fragments.patterns);
    scan.read(mol_);
    for (std::size_t i = 0; i < fragments.names.size(); ++i)
      put(fragments.names[i], static_cast<double>(scan.count(i)));
  }

  const Molecule& molecule_;
  const RDKit::ROMol& mol_;
  std::map<std::string, double> values_;
};

bool has_heavy_atom(const RDKit::ROMol& mol) {
  for (const RDKit::Atom* atom : mol.atoms())
    if (atom->getAtomicNum() > 1) return true;
  return false;
}

}  // namespace

const std::vector<std::string>& rdkit_2d_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> made;
    for (const Fitted& one : distributions()) made.push_back(one.name);
    return made;
  }();
  return names;
}

std::vector<double> rdkit_2d(const Molecule& molecule) {
  const Values values(molecule);
  std::vector<double> row;
  for (const std::string& name : rdkit_2d_names()) row.push_back(values[name]);
  return row;
}

std::vector<float> rdkit_2d_normalised(const Molecule& molecule) {
  std::vector<float> row(rdkit_2d_names().size());
  if (!has_heavy_atom(molecule.rdkit())) return row;
  const std::vector<double> values = rdkit_2d(molecule);
  for (std::size_t i = 0; i < row.size(); ++i)
    row[i] = static_cast<float>(distributions()[i](values[i]));
  return row;
}

}  // namespace aceso::molecules
