#include "aceso/molecules/preparation.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <DataStructs/ExplicitBitVect.h>
#include <GraphMol/FilterCatalog/FilterCatalog.h>
#include <GraphMol/Fingerprints/MorganFingerprints.h>
#include <GraphMol/MolOps.h>
#include <GraphMol/MolStandardize/Charge.h>
#include <GraphMol/MolStandardize/Fragment.h>
#include <GraphMol/RWMol.h>
#include <GraphMol/RingInfo.h>
#include <GraphMol/SmilesParse/SmilesWrite.h>

#include <algorithm>

namespace aceso::molecules {
namespace {

using Catalogs = RDKit::FilterCatalogParams::FilterCatalogs;

struct NamedCatalog {
  std::string_view name;
  Catalogs catalog;
};
constexpr NamedCatalog kCatalogs[] = {
    {"pains", Catalogs::PAINS}, {"brenk", Catalogs::BRENK}, {"nih", Catalogs::NIH}};

Catalogs catalog_by_name(std::string_view name) {
  for (const NamedCatalog& known : kCatalogs)
    if (known.name == name) return known.catalog;
  fail(Errc::InvalidArgument, "expected filters among pains, brenk, nih, found \"{}\"",
       printable(name, 40));
}

/// Atoms that are left when atoms outside of rings with less than two neighbours are taken away,
/// again and again.
std::vector<bool> rings_and_linkers(const RDKit::ROMol& mol) {
  const RDKit::RingInfo& rings = *mol.getRingInfo();
  std::vector<bool> kept(mol.getNumAtoms(), true);
  std::vector<unsigned> neighbours(mol.getNumAtoms());
  for (const RDKit::Atom* atom : mol.atoms()) neighbours[atom->getIdx()] = atom->getDegree();
  for (const RDKit::Atom* start : mol.atoms()) {
    const RDKit::Atom* end = start;
    while (end != nullptr && kept[end->getIdx()] && neighbours[end->getIdx()] < 2 &&
           rings.numAtomRings(end->getIdx()) == 0) {
      kept[end->getIdx()] = false;
      const RDKit::Atom* next = nullptr;
      for (const RDKit::Atom* neighbour : mol.atomNeighbors(end)) {
        if (!kept[neighbour->getIdx()]) continue;
        --neighbours[neighbour->getIdx()];
        next = neighbour;
      }
      end = next;
    }
  }
  return kept;
}

/// Whether `atom`, which is not kept, hangs on a kept one by a double bond and so stays. If not,
/// the kept atoms that it was bonded to are made what they are without it, as RDKit does.
/// `copy_of` gives the atom to change.
template <typename CopyOf>
bool attached_by_double_bond(const RDKit::ROMol& mol, const RDKit::Atom& atom,
                             const std::vector<bool>& kept, const CopyOf& copy_of) {
  for (const RDKit::Bond* bond : mol.atomBonds(&atom)) {
    if (!kept[bond->getOtherAtomIdx(atom.getIdx())]) continue;
    RDKit::Atom& neighbour = copy_of(*bond->getOtherAtom(&atom));
    if (bond->getBondType() == RDKit::Bond::DOUBLE) return true;
    const bool carbon = neighbour.getAtomicNum() == 6;
    if (neighbour.getIsAromatic() && (!carbon || neighbour.getFormalCharge() == 1)) {
      neighbour.setNumExplicitHs(1);
    } else if (neighbour.getNoImplicit() ||
               neighbour.getChiralTag() != RDKit::Atom::CHI_UNSPECIFIED) {
      neighbour.setNoImplicit(false);
      neighbour.setNumExplicitHs(0);
      neighbour.setChiralTag(RDKit::Atom::CHI_UNSPECIFIED);
    }
  }
  return false;
}

/// Takes atoms away, with RDKit's care for the stereochemistry of those that stay.
void cut_away(RDKit::RWMol& mol, const std::vector<bool>& kept) {
  const auto itself = [](RDKit::Atom& atom) -> RDKit::Atom& { return atom; };
  mol.beginBatchEdit();
  for (RDKit::Atom* atom : mol.atoms())
    if (!kept[atom->getIdx()] && !attached_by_double_bond(mol, *atom, kept, itself))
      mol.removeAtom(atom);
  mol.commitBatchEdit();
}

/// A copy without what was computed about it: that is no longer so in a piece.
std::unique_ptr<RDKit::Atom> bare_copy(const RDKit::Atom& atom) {
  auto copy = std::make_unique<RDKit::Atom>(atom);
  copy->clear();
  if (const int number = atom.getAtomMapNum(); number != 0) copy->setAtomMapNum(number);
  return copy;
}

/// The same as cut_away(), put together from what stays: a fraction of the time.
/// \pre has_bond_stereo(mol) is false.
RDKit::RWMol piece_of(const RDKit::ROMol& mol, const std::vector<bool>& kept) {
  RDKit::RWMol piece;
  std::vector<bool> stays = kept;
  std::vector<std::unique_ptr<RDKit::Atom>> atoms;
  atoms.reserve(mol.getNumAtoms());
  for (const RDKit::Atom* atom : mol.atoms())
    atoms.push_back(kept[atom->getIdx()] ? bare_copy(*atom) : nullptr);
  const auto copy_of = [&](const RDKit::Atom& atom) -> RDKit::Atom& {
    return *atoms[atom.getIdx()];
  };
  for (const RDKit::Atom* atom : mol.atoms())
    if (!kept[atom->getIdx()] && attached_by_double_bond(mol, *atom, kept, copy_of)) {
      stays[atom->getIdx()] = true;
      atoms[atom->getIdx()] = bare_copy(*atom);
    }
  std::vector<unsigned> place(mol.getNumAtoms());
  for (std::size_t i = 0; i < stays.size(); ++i)
    if (stays[i]) place[i] = piece.addAtom(atoms[i].release(), false, true);
  for (const RDKit::Bond* bond : mol.bonds()) {
    if (!stays[bond->getBeginAtomIdx()] || !stays[bond->getEndAtomIdx()]) continue;
    auto copy = std::make_unique<RDKit::Bond>(*bond);
    copy->clear();
    copy->setOwningMol(piece);
    copy->setBeginAtomIdx(place[bond->getBeginAtomIdx()]);
    copy->setEndAtomIdx(place[bond->getEndAtomIdx()]);
    piece.addBond(copy.release(), true);
  }
  return piece;
}

/// Whether bonds say how what is around them lies, which RDKit keeps up to date when atoms go.
bool has_bond_stereo(const RDKit::ROMol& mol) {
  for (const RDKit::Bond* bond : mol.bonds())
    if (bond->getStereo() != RDKit::Bond::STEREONONE || bond->getBondDir() != RDKit::Bond::NONE)
      return true;
  return !mol.getStereoGroups().empty();
}

}  // namespace

Molecule standardised(const Molecule& molecule) {
  // One for each thread: they cache what they match.
  thread_local RDKit::MolStandardize::LargestFragmentChooser chooser;
  thread_local RDKit::MolStandardize::Uncharger uncharger;
  const std::unique_ptr<RDKit::ROMol> piece(chooser.choose(molecule.rdkit()));
  return Molecule(std::shared_ptr<const RDKit::ROMol>(uncharger.uncharge(*piece)));
}

std::string murcko_scaffold(const Molecule& molecule) {
  const RDKit::ROMol& mol = molecule.rdkit();
  const std::vector<bool> kept = rings_and_linkers(mol);
  if (std::ranges::find(kept, true) == kept.end()) return "";
  RDKit::RWMol scaffold;
  if (has_bond_stereo(mol)) {
    scaffold = RDKit::RWMol(mol);
    cut_away(scaffold, kept);
  } else {
    scaffold = piece_of(mol, kept);
  }
  scaffold.clearComputedProps();
  return RDKit::MolToSmiles(scaffold);
}

struct FilterSet::Impl {
  RDKit::FilterCatalog catalog;
  explicit Impl(const RDKit::FilterCatalogParams& parameters) : catalog(parameters) {}
};

FilterSet::FilterSet(const std::vector<std::string>& names) {
  RDKit::FilterCatalogParams parameters;
  for (const std::string& name : names) parameters.addCatalog(catalog_by_name(name));
  impl_ = std::make_unique<const Impl>(parameters);
}

FilterSet::~FilterSet() = default;

std::vector<std::string> FilterSet::matches(const Molecule& molecule) const {
  std::vector<std::string> names;
  for (const auto& entry : impl_->catalog.getMatches(molecule.rdkit()))
    names.push_back(entry->getDescription());
  return names;
}

bool FilterSet::any(const Molecule& molecule) const {
  return impl_->catalog.hasMatch(molecule.rdkit());
}

BitFingerprint bit_fingerprint(const Molecule& molecule, std::size_t size) {
  constexpr unsigned kRadius = 2;
  const std::unique_ptr<ExplicitBitVect> vector(RDKit::MorganFingerprints::getFingerprintAsBitVect(
      molecule.rdkit(), kRadius, static_cast<unsigned>(size)));
  BitFingerprint bits{};
  for (std::size_t bit = vector->dp_bits->find_first(); bit < size;
       bit = vector->dp_bits->find_next(bit))
    bits[bit / 64] |= std::uint64_t{1} << (bit % 64);
  return bits;
}

}  // namespace aceso::molecules
