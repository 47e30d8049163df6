/// \file
/// Molecules as graphs of heavy atoms: reading, writing and describing them. A narrow face of
/// RDKit, whose aromaticity and canonical SMILES these are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace RDKit {
class ROMol;
}

namespace aceso::molecules {

/// A sanitised molecule; cheap to copy. Descriptors cache in it: one thread at a time.
class Molecule {
 public:
  explicit Molecule(std::shared_ptr<const RDKit::ROMol> mol) noexcept : mol_(std::move(mol)) {}
  [[nodiscard]] const RDKit::ROMol& rdkit() const noexcept { return *mol_; }
  [[nodiscard]] std::size_t atoms() const noexcept;  ///< heavy ones

 private:
  std::shared_ptr<const RDKit::ROMol> mol_;
};

/// The longest SMILES that is read, in characters.
inline constexpr std::size_t kLongestSmiles = 20'000;

/// \throws Error CorruptData saying what is wrong with `smiles`, without naming a file.
[[nodiscard]] Molecule parse_smiles(std::string_view smiles);

/// RDKit's canonical SMILES; the same for every way to write a molecule.
[[nodiscard]] std::string canonical_smiles(const Molecule& molecule);

/// A pattern of atoms and bonds. Immutable.
class Pattern {
 public:
  /// \throws Error InvalidArgument naming the SMARTS.
  explicit Pattern(std::string_view smarts);
  [[nodiscard]] bool in(const Molecule& molecule) const;
  /// Matches that differ in an atom.
  [[nodiscard]] std::size_t count(const Molecule& molecule) const;
  [[nodiscard]] const RDKit::ROMol& rdkit() const noexcept { return *query_; }

 private:
  std::shared_ptr<const RDKit::ROMol> query_;
};

/// A number that describes a molecule.
struct Descriptor {
  std::string_view name;     ///< e.g. "tpsa"
  std::string_view summary;  ///< e.g. "topological polar surface area, Å²"
  double (*compute)(const Molecule&);
};

/// All descriptors, sorted by name: aliphatic_rings, aromatic_rings, bertz, fraction_csp3,
/// hb_acceptors, hb_donors, heavy_atoms, logp, molecular_weight, qed, rings, rotatable_bonds,
/// sa_score, tpsa.
[[nodiscard]] const std::vector<Descriptor>& descriptors();
/// Null if there is none of that name.
[[nodiscard]] const Descriptor* find_descriptor(std::string_view name);

/// Quantitative estimate of drug-likeness, 0 to 1 (Bickerton et al. 2012, mean weights).
[[nodiscard]] double qed(const Molecule& molecule);

/// Synthetic accessibility, 1 (easy) to 10 (Ertl and Schuffenhauer 2009, as RDKit's contribution
/// computes it).
[[nodiscard]] double sa_score(const Molecule& molecule);

/// Topological complexity (Bertz 1981), with aromatic bonds of order 1.5.
[[nodiscard]] double bertz_complexity(const Molecule& molecule);

/// Atoms of each element, hydrogens among them: {"C": 6, "H": 6}.
using Formula = std::map<std::string, int>;

[[nodiscard]] Formula formula_of(const Molecule& molecule);
/// Reads "C9H10N2O2PF2Cl". \throws Error InvalidArgument.
[[nodiscard]] Formula parse_formula(std::string_view text);

/// Counts of features: sorted by feature, each once.
using FeatureCounts = std::vector<std::pair<std::uint64_t, std::int32_t>>;

/// Which features a fingerprint counts.
enum class Fingerprint {
  Ecfp4,          ///< circular environments of radius 2 (Rogers and Hahn 2010)
  Ecfp6,          ///< of radius 3
  Fcfp4,          ///< of radius 2, atoms told apart by their role only
  AtomPairs,      ///< pairs of atoms up to 10 bonds apart (Carhart et al. 1985)
  Pharmacophore,  ///< pairs and triangles of pharmacophoric points (Gobbi and Poppinger 1998), 0/1
};

[[nodiscard]] FeatureCounts fingerprint(const Molecule& molecule, Fingerprint kind);
/// \throws Error InvalidArgument naming the kinds that there are.
[[nodiscard]] Fingerprint fingerprint_by_name(std::string_view name);

/// Sum of minima over sum of maxima; 0 for two empty ones.
[[nodiscard]] double tanimoto(const FeatureCounts& a, const FeatureCounts& b);

/// A drawing of up to `columns` times rows molecules, with a line of text below each.
[[nodiscard]] std::string grid_svg(const std::vector<Molecule>& molecules,
                                   const std::vector<std::string>& legends, int columns);

}  // namespace aceso::molecules
