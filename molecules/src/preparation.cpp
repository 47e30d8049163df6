#include "aceso/molecules/preparation.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <GraphMol/ChemTransforms/ChemTransforms.h>
#include <GraphMol/FilterCatalog/FilterCatalog.h>
#include <GraphMol/MolOps.h>
#include <GraphMol/MolStandardize/Charge.h>
#include <GraphMol/MolStandardize/Fragment.h>
#include <GraphMol/ROMol.h>
#include <GraphMol/SmilesParse/SmilesWrite.h>

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

}  // namespace

Molecule standardised(const Molecule& molecule) {
  // One for each thread: they cache what they match.
  thread_local RDKit::MolStandardize::LargestFragmentChooser chooser;
  thread_local RDKit::MolStandardize::Uncharger uncharger;
  const std::unique_ptr<RDKit::ROMol> piece(chooser.choose(molecule.rdkit()));
  return Molecule(std::shared_ptr<const RDKit::ROMol>(uncharger.uncharge(*piece)));
}

std::string murcko_scaffold(const Molecule& molecule) {
  const std::unique_ptr<RDKit::ROMol> scaffold(RDKit::MurckoDecompose(molecule.rdkit()));
  return scaffold->getNumAtoms() > 0 ? RDKit::MolToSmiles(*scaffold) : std::string();
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
  BitFingerprint bits{};
  for (const auto& [feature, count] : fingerprint(molecule, Fingerprint::Ecfp4)) {
    const std::uint64_t bit = feature % size;
    bits[bit / 64] |= std::uint64_t{1} << (bit % 64);
  }
  return bits;
}

}  // namespace aceso::molecules
