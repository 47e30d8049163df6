#include "docking_chemistry.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "rdkit_log.hpp"

#include <ForceField/ForceField.h>
#include <GraphMol/DistGeomHelpers/Embedder.h>
#include <GraphMol/FileParsers/FileParsers.h>
#include <GraphMol/ForceFieldHelpers/MMFF/MMFF.h>
#include <GraphMol/MolOps.h>
#include <GraphMol/RWMol.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace aceso::molecules {
namespace {

using RDKit::Atom;
using RDKit::Bond;
using RDKit::ROMol;

void check_elements(const ROMol& mol) {
  for (const Atom* atom : mol.atoms()) {
    const auto element = dock_element(atom->getSymbol());
    if (!element || element == DockElement::Metal)
      fail(Errc::CorruptData, "expected elements of organic ligands, found {}{}",
           printable(atom->getSymbol(), 5), element ? " (metal complexes cannot be docked)" : "");
  }
}

void check_pieces(const ROMol& mol) {
  std::vector<int> pieces;
  const unsigned count = RDKit::MolOps::getMolFrags(mol, pieces);
  if (count != 1)
    fail(Errc::CorruptData,
         "expected one molecule, found {} pieces (molecules prepare keeps the largest)", count);
}

/// \throws Error CorruptData.
void find_places(RDKit::RWMol& mol, std::uint64_t seed) {
  RDKit::DGeomHelpers::EmbedParameters settings = RDKit::DGeomHelpers::ETKDGv3;
  settings.randomSeed = static_cast<int>(seed % 2'000'000'000U) + 1;
  settings.maxIterations = 20;
  int made = RDKit::DGeomHelpers::EmbedMolecule(mol, settings);
  if (made < 0) {
    settings.useRandomCoords = true;
    made = RDKit::DGeomHelpers::EmbedMolecule(mol, settings);
  }
  if (made < 0) fail(Errc::CorruptData, "no places in space could be found for its atoms");
  // Without parameters for an atom the places stay as they are.
  RDKit::MMFF::MMFFOptimizeMolecule(mol, 500, "MMFF94s");
}

ROMol* with_hydrogens(const Molecule& molecule, std::uint64_t seed) {
  const bool in_space = has_places(molecule);
  auto mol = std::make_unique<RDKit::RWMol>(molecule.rdkit());
  RDKit::MolOps::addHs(*mol, false, in_space);
  if (mol->getNumAtoms() > kMostLigandAtoms)
    fail(Errc::CorruptData, "expected a ligand of at most {} atoms, found {}", kMostLigandAtoms,
         mol->getNumAtoms());
  if (!in_space) find_places(*mol, seed);
  return mol.release();
}

bool is_near(const ROMol& mol, const Atom* atom, auto&& wanted) {
  // RDKit's ranges are none to the standard library.
  for (const Atom* other : mol.atomNeighbors(atom))
    if (wanted(other)) return true;
  return false;
}

/// As AutoDock's preparations say: nitrogens whose pair is not shared with aromatic or
/// double-bonded neighbours; all oxygens.
bool accepts(const ROMol& mol, const Atom* atom) {
  if (atom->getAtomicNum() == 8) return true;
  if (atom->getAtomicNum() != 7 || atom->getFormalCharge() > 0) return false;
  if (atom->getTotalDegree() != 3) return true;
  return !is_near(mol, atom, [](const Atom* other) {
    return other->getIsAromatic() || (other->getAtomicNum() == 6 && other->getTotalDegree() == 3);
  });
}

bool holds_polar_hydrogen(const ROMol& mol, const Atom* hydrogen) {
  return is_near(mol, hydrogen, [](const Atom* other) {
    const int number = other->getAtomicNum();
    return number == 7 || number == 8 || number == 16;
  });
}

std::vector<DockAtom> atoms_of(const ROMol& mol) {
  std::vector<DockAtom> atoms;
  for (const Atom* atom : mol.atoms()) {
    const auto& place = mol.getConformer().getAtomPos(atom->getIdx());
    DockAtom made{.place = {place.x, place.y, place.z}};
    made.element = *dock_element(atom->getSymbol());
    made.symbol = atom->getSymbol();
    made.accepts = accepts(mol, atom);
    made.polar_hydrogen = made.element == DockElement::H && holds_polar_hydrogen(mol, atom);
    atoms.push_back(std::move(made));
  }
  return atoms;
}

/// A carbon with a double bond to O, S or N.
bool is_unsaturated(const ROMol& mol, const Atom* atom) {
  if (atom->getAtomicNum() != 6) return false;
  for (const Bond* bond : mol.atomBonds(atom)) {
    const int other = bond->getOtherAtom(atom)->getAtomicNum();
    if (bond->getBondType() == Bond::DOUBLE && (other == 7 || other == 8 || other == 16))
      return true;
  }
  return false;
}

bool is_amide(const ROMol& mol, const Bond* bond) {
  const Atom *a = bond->getBeginAtom(), *b = bond->getEndAtom();
  return (is_unsaturated(mol, a) && b->getAtomicNum() == 7 && b->getTotalDegree() == 3) ||
         (is_unsaturated(mol, b) && a->getAtomicNum() == 7 && a->getTotalDegree() == 3);
}

/// Whether turning about a bond moves something beyond this end of it: a heavy atom or a polar
/// hydrogen.
bool moves(const ROMol& mol, const Atom* end, const Atom* other_end) {
  return is_near(mol, end, [&](const Atom* atom) {
    return atom != other_end && (atom->getAtomicNum() != 1 || holds_polar_hydrogen(mol, atom));
  });
}

std::vector<Rotor> rotors_of(const ROMol& mol) {
  std::vector<Rotor> rotors;
  for (const Bond* bond : mol.bonds()) {
    const Atom *a = bond->getBeginAtom(), *b = bond->getEndAtom();
    if (bond->getBondType() != Bond::SINGLE || is_amide(mol, bond)) continue;
    if (mol.getRingInfo()->numBondRings(bond->getIdx()) > 0) continue;
    if (moves(mol, a, b) && moves(mol, b, a)) rotors.push_back({a->getIdx(), b->getIdx()});
  }
  return rotors;
}

std::vector<std::vector<std::uint32_t>> bonds_of(const ROMol& mol) {
  std::vector<std::vector<std::uint32_t>> bonds(mol.getNumAtoms());
  for (const Bond* bond : mol.bonds()) {
    bonds[bond->getBeginAtomIdx()].push_back(bond->getEndAtomIdx());
    bonds[bond->getEndAtomIdx()].push_back(bond->getBeginAtomIdx());
  }
  return bonds;
}

/// A molecule of single bonds.
std::unique_ptr<RDKit::RWMol> plain_molecule(const DockLigand& ligand) {
  auto mol = std::make_unique<RDKit::RWMol>();
  for (const DockAtom& atom : ligand.atoms) {
    auto* made = new Atom(atom.symbol);
    made->setNoImplicit(true);
    mol->addAtom(made, false, true);
  }
  for (std::uint32_t a = 0; a < ligand.bonds.size(); ++a)
    for (const std::uint32_t b : ligand.bonds[a])
      if (a < b) mol->addBond(a, b, Bond::SINGLE);
  mol->updatePropertyCache(false);
  return mol;
}

}  // namespace

bool has_places(const Molecule& molecule) {
  const ROMol& mol = molecule.rdkit();
  if (mol.getNumConformers() == 0) return false;
  const auto& places = mol.getConformer().getPositions();
  if (places.size() == 1) return true;
  return std::ranges::any_of(places, [](const auto& p) { return std::abs(p.z) > 1e-3; });
}

DockLigand ligand_of(const Molecule& molecule, std::string name, std::uint64_t seed) {
  silence_rdkit();
  check_elements(molecule.rdkit());
  check_pieces(molecule.rdkit());
  try {
    const std::shared_ptr<const ROMol> mol(with_hydrogens(molecule, seed));
    const auto bonds = bonds_of(*mol);
    BodyTree tree = tree_of(bonds, rotors_of(*mol));
    DockLigand ligand = assemble_ligand(std::move(name), atoms_of(*mol), bonds,
                                        std::move(tree.bodies), std::move(tree.body_of));
    ligand.molecule = mol;
    return ligand;
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    fail(Errc::CorruptData, "no places in space could be found for its atoms ({})",
         printable(error.what(), 100));
  }
}

std::string sdf_record(const DockLigand& ligand, const std::vector<Vec3>& places,
                       const std::vector<std::pair<std::string, std::string>>& properties) {
  auto mol =
      ligand.molecule ? std::make_unique<RDKit::RWMol>(*ligand.molecule) : plain_molecule(ligand);
  mol->clearConformers();
  auto* conformer = new RDKit::Conformer(mol->getNumAtoms());
  conformer->set3D(true);
  for (unsigned i = 0; i < mol->getNumAtoms(); ++i)
    conformer->setAtomPos(i, {places[i].x, places[i].y, places[i].z});
  mol->addConformer(conformer, true);
  mol->setProp(RDKit::common_properties::_Name, ligand.name);
  std::string text = RDKit::MolToMolBlock(*mol, true, -1, ligand.molecule != nullptr);
  for (const auto& [name, value] : properties) text += fmt::format(">  <{}>\n{}\n\n", name, value);
  return text + "$$$$\n";
}

}  // namespace aceso::molecules
