#include "aceso/molecules/chemistry.hpp"

#include "aceso/core/error.hpp"

#include <DataStructs/SparseIntVect.h>
#include <GraphMol/Fingerprints/AtomPairs.h>
#include <GraphMol/Fingerprints/MorganFingerprints.h>
#include <GraphMol/ROMol.h>

#include "pharmacophore.hpp"

#include <algorithm>

namespace aceso::molecules {
namespace {

template <typename Vector>
FeatureCounts counts_of(const Vector& vector) {
  FeatureCounts counts;
  const auto& elements = vector.getNonzeroElements();
  counts.reserve(elements.size());
  for (const auto& [feature, count] : elements)
    counts.emplace_back(static_cast<std::uint64_t>(feature), count);
  return counts;  // elements is an ordered map
}

FeatureCounts circular(const RDKit::ROMol& mol, unsigned radius, bool roles) {
  std::vector<std::uint32_t> invariants;
  if (roles) {
    invariants.resize(mol.getNumAtoms());
    RDKit::MorganFingerprints::getFeatureInvariants(mol, invariants);
  }
  const std::unique_ptr<RDKit::SparseIntVect<std::uint32_t>> vector(
      RDKit::MorganFingerprints::getFingerprint(mol, radius, roles ? &invariants : nullptr));
  return counts_of(*vector);
}

FeatureCounts atom_pairs(const RDKit::ROMol& mol) {
  const std::unique_ptr<RDKit::SparseIntVect<std::int32_t>> vector(
      RDKit::AtomPairs::getAtomPairFingerprint(mol, 1, 10));
  return counts_of(*vector);
}

struct Named {
  std::string_view name;
  Fingerprint kind;
};
constexpr Named kNames[] = {{"ecfp4", Fingerprint::Ecfp4},
                            {"ecfp6", Fingerprint::Ecfp6},
                            {"fcfp4", Fingerprint::Fcfp4},
                            {"atom_pairs", Fingerprint::AtomPairs},
                            {"pharmacophore", Fingerprint::Pharmacophore}};

}  // namespace

FeatureCounts fingerprint(const Molecule& molecule, Fingerprint kind) {
  const RDKit::ROMol& mol = molecule.rdkit();
  switch (kind) {
    case Fingerprint::Ecfp4:
      return circular(mol, 2, false);
    case Fingerprint::Ecfp6:
      return circular(mol, 3, false);
    case Fingerprint::Fcfp4:
      return circular(mol, 2, true);
    case Fingerprint::AtomPairs:
      return atom_pairs(mol);
    case Fingerprint::Pharmacophore:
      return pharmacophore_fingerprint(molecule);
  }
  fail(Errc::Internal, "unknown fingerprint");
}

Fingerprint fingerprint_by_name(std::string_view name) {
  std::string known;
  for (const Named& named : kNames) {
    if (named.name == name) return named.kind;
    known += (known.empty() ? "" : ", ") + std::string(named.name);
  }
  fail(Errc::InvalidArgument, "expected one of the fingerprints {}, found \"{}\"", known, name);
}

double tanimoto(const FeatureCounts& a, const FeatureCounts& b) {
  std::int64_t lower = 0, total = 0;
  for (const auto& [feature, count] : a) total += count;
  for (const auto& [feature, count] : b) total += count;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    if (a[i].first == b[j].first)
      lower += std::min(a[i++].second, b[j++].second);
    else if (a[i].first < b[j].first)
      ++i;
    else
      ++j;
  }
  return total > lower ? static_cast<double>(lower) / static_cast<double>(total - lower)
         : total > 0   ? 1.0
                       : 0.0;
}

}  // namespace aceso::molecules
