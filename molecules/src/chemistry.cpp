#include "aceso/molecules/chemistry.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "rdkit_log.hpp"

#include <GraphMol/MolOps.h>
#include <GraphMol/ROMol.h>
#include <GraphMol/RWMol.h>
#include <GraphMol/SanitException.h>
#include <GraphMol/SmilesParse/SmilesParse.h>
#include <GraphMol/SmilesParse/SmilesWrite.h>
#include <GraphMol/Substruct/SubstructMatch.h>

#include <cctype>

namespace aceso::molecules {
namespace {

[[noreturn]] void bad_smiles(std::string_view smiles, std::string_view problem) {
  fail(Errc::CorruptData, "expected a molecule as SMILES, found \"{}\" ({})", printable(smiles, 60),
       problem);
}

void check_text(std::string_view smiles) {
  if (smiles.empty()) bad_smiles(smiles, "empty");
  if (smiles.size() > kLongestSmiles) bad_smiles(smiles, "too long");
  for (const char c : smiles) {
    const auto code = static_cast<unsigned char>(c);
    if (code >= 0x80) bad_smiles(smiles, "a character that is not ASCII");
    if (code <= 0x20 || code == 0x7f) bad_smiles(smiles, "a space or control character");
    if (c == '>') bad_smiles(smiles, "a reaction");
  }
}

bool has_written_hydrogens(const RDKit::ROMol& mol) {
  for (const RDKit::Atom* atom : mol.atoms())
    if (atom->getAtomicNum() == 1) return true;
  return false;
}

/// As RDKit's SmilesToMol, without the search for stereochemistry where none is written: it finds
/// nothing then, and costs as much as a third of all.
std::shared_ptr<const RDKit::ROMol> read_molecule(const std::string& smiles) {
  if (smiles.find_first_of("@/\\") != std::string::npos)
    return std::shared_ptr<const RDKit::ROMol>(RDKit::SmilesToMol(smiles));
  RDKit::SmilesParserParams as_written;
  as_written.sanitize = as_written.removeHs = false;
  std::shared_ptr<RDKit::RWMol> mol(RDKit::SmilesToMol(smiles, as_written));
  if (!mol) return nullptr;
  if (has_written_hydrogens(*mol))
    return std::shared_ptr<const RDKit::ROMol>(RDKit::SmilesToMol(smiles));
  RDKit::MolOps::sanitizeMol(*mol);
  constexpr bool kComputed = true;
  mol->setProp(RDKit::common_properties::_StereochemDone, 1, kComputed);
  return mol;
}

}  // namespace

std::size_t Molecule::atoms() const noexcept { return mol_->getNumAtoms(); }

Molecule parse_smiles(std::string_view smiles) {
  silence_rdkit();
  check_text(smiles);
  try {
    const std::shared_ptr<const RDKit::ROMol> mol = read_molecule(std::string(smiles));
    if (mol && mol->getNumAtoms() > 0) return Molecule(mol);
  } catch (const RDKit::KekulizeException&) {
    bad_smiles(smiles, "aromatic atoms to which no bonds can be given");
  } catch (const RDKit::AtomValenceException& error) {
    bad_smiles(smiles, fmt::format("atom {} has more bonds than it may", error.getAtomIdx() + 1));
  } catch (const RDKit::MolSanitizeException&) {
    bad_smiles(smiles, "not a possible molecule");
  } catch (const RDKit::SmilesParseException&) {
  }
  bad_smiles(smiles, "syntax: an unclosed ring, bracket or branch, or an unknown atom");
}

std::string canonical_smiles(const Molecule& molecule) {
  return RDKit::MolToSmiles(molecule.rdkit());
}

Pattern::Pattern(std::string_view smarts) {
  silence_rdkit();
  try {
    query_.reset(RDKit::SmartsToMol(std::string(smarts)));
  } catch (const RDKit::SmilesParseException&) {
  }
  if (!query_ || query_->getNumAtoms() == 0)
    fail(Errc::InvalidArgument, "expected a pattern as SMARTS, found \"{}\"",
         printable(smarts, 60));
}

bool Pattern::in(const Molecule& molecule) const {
  RDKit::MatchVectType match;
  return RDKit::SubstructMatch(molecule.rdkit(), *query_, match);
}

std::size_t Pattern::count(const Molecule& molecule) const {
  std::vector<RDKit::MatchVectType> matches;
  return RDKit::SubstructMatch(molecule.rdkit(), *query_, matches);
}

Formula formula_of(const Molecule& molecule) {
  Formula formula;
  for (const RDKit::Atom* atom : molecule.rdkit().atoms()) {
    ++formula[atom->getSymbol()];
    if (const unsigned hydrogens = atom->getTotalNumHs(); hydrogens > 0)
      formula["H"] += static_cast<int>(hydrogens);
  }
  return formula;
}

Formula parse_formula(std::string_view text) {
  Formula formula;
  std::size_t at = 0;
  const auto is = [&](auto test) {
    return at < text.size() && test(static_cast<unsigned char>(text[at])) != 0;
  };
  while (at < text.size()) {
    if (!is([](int c) { return std::isupper(c); }) || text.size() > 200)
      fail(Errc::InvalidArgument, "expected a formula such as C9H10N2O2, found \"{}\"",
           printable(text, 40));
    std::string element(1, text[at++]);
    while (is([](int c) { return std::islower(c); })) element += text[at++];
    int count = 0;
    const bool counted = is([](int c) { return std::isdigit(c); });
    while (is([](int c) { return std::isdigit(c); }) && count < 100'000)
      count = 10 * count + (text[at++] - '0');
    formula[element] += counted ? count : 1;
  }
  return formula;
}

}  // namespace aceso::molecules
