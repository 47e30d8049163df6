#include "pdb_receptor.hpp"

#include "aceso/core/error.hpp"
#include "pdb_columns.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

namespace aceso::molecules {
namespace {

constexpr std::array<std::string_view, 5> kWaters{"HOH", "WAT", "DOD", "H2O", "SOL"};
constexpr std::array<std::string_view, 34> kResidues{
    "ALA", "ARG", "ASH", "ASN", "ASP", "CYM", "CYS", "CYX", "GLH", "GLN", "GLU", "GLY",
    "HID", "HIE", "HIP", "HIS", "HSD", "HSE", "HSP", "ILE", "LEU", "LYN", "LYS", "MET",
    "MSE", "PHE", "PRO", "PTR", "SEP", "SER", "THR", "TPO", "TRP", "TYR"};
constexpr std::array<std::string_view, 11> kMore{"VAL", "A",  "C",  "G",  "U", "T",
                                                 "DA",  "DC", "DG", "DT", "DU"};

bool is_polymer(std::string_view residue) {
  return std::ranges::find(kResidues, residue) != kResidues.end() ||
         std::ranges::find(kMore, residue) != kMore.end();
}

struct PdbAtom {
  DockAtom atom;
  std::string residue;  ///< its kind
};

/// Columns 77 and 78, else what the name begins with.
std::string element_symbol(std::string_view line) {
  const std::string_view field = columns(line, 77, 78);
  if (!field.empty() && dock_element(field)) return std::string(field);
  std::string_view name = line.size() > 15 ? line.substr(12, 4) : columns(line, 13, 16);
  // Symbols of one letter stand in column 14; but names of hydrogens may be four letters long.
  if (!name.empty() && name[0] != ' ' && !(name[0] >= '0' && name[0] <= '9') && name[0] != 'H' &&
      name.size() > 1 && dock_element(name.substr(0, 2)) && !is_polymer(columns(line, 18, 20)))
    return std::string(name.substr(0, 2));
  for (const char c : name)
    if (c != ' ' && !(c >= '0' && c <= '9')) return {c};
  return "";
}

std::string canonical_symbol(std::string symbol) {
  symbol = to_lower(symbol);
  if (!symbol.empty() && symbol[0] >= 'a' && symbol[0] <= 'z')
    symbol[0] = static_cast<char>(symbol[0] - 'a' + 'A');
  return symbol;
}

/// Names of nitrogens and oxygens that have a hydrogen.
bool donates(const std::string& residue, const std::string& name) {
  static const std::map<std::string, std::set<std::string>> kDonors{{"ARG", {"NE", "NH1", "NH2"}},
                                                                    {"ASH", {"OD2"}},
                                                                    {"ASN", {"ND2"}},
                                                                    {"GLH", {"OE2"}},
                                                                    {"GLN", {"NE2"}},
                                                                    {"HID", {"ND1"}},
                                                                    {"HIE", {"NE2"}},
                                                                    {"HIP", {"ND1", "NE2"}},
                                                                    {"HIS", {"NE2"}},
                                                                    {"HSD", {"ND1"}},
                                                                    {"HSE", {"NE2"}},
                                                                    {"HSP", {"ND1", "NE2"}},
                                                                    {"LYN", {"NZ"}},
                                                                    {"LYS", {"NZ"}},
                                                                    {"SER", {"OG"}},
                                                                    {"THR", {"OG1"}},
                                                                    {"TRP", {"NE1"}},
                                                                    {"TYR", {"OH"}},
                                                                    {"A", {"N6", "O2'"}},
                                                                    {"C", {"N4", "O2'"}},
                                                                    {"G", {"N1", "N2", "O2'"}},
                                                                    {"U", {"N3", "O2'"}},
                                                                    {"DA", {"N6"}},
                                                                    {"DC", {"N4"}},
                                                                    {"DG", {"N1", "N2"}},
                                                                    {"DT", {"N3"}},
                                                                    {"T", {"N3"}},
                                                                    {"DU", {"N3"}}};
  if (name == "N") return residue != "PRO";
  const auto found = kDonors.find(residue);
  return found != kDonors.end() && found->second.contains(name);
}

bool is_histidine(const std::string& residue) {
  return residue.starts_with("HI") || residue.starts_with("HS");
}

bool is_nucleotide(const std::string& residue) { return residue.size() <= 2; }

/// Nitrogens with a free pair; all oxygens accept.
bool accepts(const PdbAtom& pdb, bool donor) {
  const std::string& name = pdb.atom.name;
  if (pdb.atom.element == DockElement::O) return true;
  if (pdb.atom.element != DockElement::N || donor) return false;
  if (is_histidine(pdb.residue)) return name == "ND1" || name == "NE2";
  if (pdb.residue == "LYN") return name == "NZ";
  // The one that is bonded to the sugar has none.
  const bool is_purine = pdb.residue.ends_with('A') || pdb.residue.ends_with('G');
  return is_nucleotide(pdb.residue) && name != (is_purine ? "N9" : "N1");
}

class PdbReader {
 public:
  PdbReader(std::string_view source, Warnings& warnings) : source_(source), warnings_(warnings) {}

  /// False behind the first model.
  bool take(std::string_view line) {
    ++number_;
    if (line.starts_with("ENDMDL") && !atoms_.empty()) return false;
    if (!is_atom_line(line)) return true;
    const std::string place = fmt::format("{}: line {}", source_, number_);
    const std::string residue(columns(line, 18, 20));
    if (std::ranges::find(kWaters, residue) != kWaters.end()) return true;
    const std::string symbol = element_symbol(line);
    const auto element = dock_element(symbol);
    const bool is_ion = element == DockElement::Metal;
    if (!is_polymer(residue) && !is_ion) {
      left_out_.insert(fmt::format("{} {}", residue, columns(line, 22, 27)));
      return true;
    }
    if (!element)
      fail(Errc::CorruptData, "{}: expected an element that docking knows, found \"{}\"", place,
           printable(symbol.empty() ? columns(line, 13, 16) : std::string_view(symbol), 10));
    if (!is_first_place(line)) return true;
    PdbAtom pdb{.atom = {}, .residue = residue};
    pdb.atom.place = coordinates(line, place);
    pdb.atom.element = *element;
    pdb.atom.symbol = canonical_symbol(symbol);
    pdb.atom.name = columns(line, 13, 16);
    atoms_.push_back(std::move(pdb));
    return true;
  }

  std::vector<DockAtom> finish() {
    if (!left_out_.empty())
      warnings_.add("receptor.left_out",
                    fmt::format("{}: left out what is no polymer, water or metal ion: {}", source_,
                                join({left_out_.begin(), left_out_.end()}, ", ")));
    std::vector<DockAtom> atoms;
    for (const PdbAtom& pdb : atoms_) atoms.push_back(pdb.atom);
    const auto bonds = bonds_by_distance(atoms);
    mark_polar_hydrogens(atoms, bonds);
    const bool has_hydrogens = std::ranges::any_of(atoms, &DockAtom::polar_hydrogen);
    std::vector<bool> donors(atoms.size(), false);
    for (std::size_t i = 0; i < atoms.size(); ++i) {
      donors[i] = has_hydrogens ? std::ranges::any_of(
                                      bonds[i], [&](auto j) { return atoms[j].polar_hydrogen; })
                                : donates(atoms_[i].residue, atoms[i].name);
      atoms[i].accepts = accepts(atoms_[i], donors[i]);
    }
    set_vina_types(atoms, bonds, donors);
    std::erase_if(atoms, [](const DockAtom& atom) { return atom.element == DockElement::H; });
    if (atoms.empty())
      fail(Errc::CorruptData, "{}: expected a receptor's ATOM lines, found none", source_);
    return atoms;
  }

 private:
  /// Of alternative places the first one of each atom counts.
  bool is_first_place(std::string_view line) {
    const std::string_view alternative = columns(line, 17, 17);
    if (alternative.empty()) return true;
    const std::string residue(columns(line, 18, 27));
    const auto [found, fresh] = alternatives_.try_emplace(residue, alternative);
    return fresh || found->second == alternative;
  }

  static void mark_polar_hydrogens(std::vector<DockAtom>& atoms,
                                   const std::vector<std::vector<std::uint32_t>>& bonds) {
    for (std::size_t i = 0; i < atoms.size(); ++i)
      if (atoms[i].element == DockElement::H)
        atoms[i].polar_hydrogen = std::ranges::any_of(bonds[i], [&](std::uint32_t j) {
          return atoms[j].element == DockElement::N || atoms[j].element == DockElement::O;
        });
  }

  std::string source_;
  Warnings& warnings_;
  std::size_t number_ = 0;
  std::vector<PdbAtom> atoms_;
  std::map<std::string, std::string> alternatives_;
  std::set<std::string> left_out_;
};

}  // namespace

std::vector<DockAtom> parse_pdb_receptor(std::string_view text, std::string_view source,
                                         Warnings& warnings) {
  PdbReader reader(source, warnings);
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (!reader.take(text.substr(0, end))) break;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reader.finish();
}

}  // namespace aceso::molecules
