/// \file
/// How good a set of generated molecules is: the metrics of MOSES (Polykovskiy et al. 2020,
/// "Molecular Sets (MOSES): a benchmarking platform for molecular generation models"). The Fréchet
/// ChemNet distance is left out: it needs the weights of ChemNet.
#pragma once

#include "aceso/core/progress.hpp"
#include "aceso/molecules/chemistry.hpp"
#include "aceso/molecules/preparation.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace aceso::molecules {

/// The medicinal chemistry filters: a molecule passes with no charged atom, no ring of 8 or more,
/// no element beside C, N, S, O, F, Cl, Br and H, no PAINS alert (Baell and Holloway 2010, RDKit's
/// catalogue) and no alert of a second list. Immutable; thread-safe.
class MosesFilters {
 public:
  /// `alerts`: a table with the columns "names" and "smarts", as MOSES' mcf.csv; its patterns are
  /// looked for in molecules with their hydrogens. Not given: RDKit's NIH alerts (Jadhav et al.
  /// 2010), which are other ones.
  /// \throws Error NotFound, Io, CorruptData naming the row whose SMARTS cannot be read.
  explicit MosesFilters(const std::optional<std::filesystem::path>& alerts);
  ~MosesFilters();
  MosesFilters(MosesFilters&&) noexcept;
  [[nodiscard]] bool passes(const Molecule& molecule) const;
  /// Which lists were used, for reports.
  [[nodiscard]] const std::string& lists() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

/// How much is found out about molecules; each includes those before.
enum class TraitLevel {
  Canonical,    ///< validity and canonical SMILES
  Fingerprint,  ///< ECFP4 of 1,024 bits
  Filters,      ///< whether it passes
  All,          ///< fragments, scaffold, properties
};

struct MosesTraits {
  bool valid = false;
  std::string smiles;                  ///< canonical
  BitFingerprint bits{};               ///< the first 1,024 are used
  bool readable = false;               ///< the canonical SMILES can be read again
  bool passes = false;                 ///< the filters, and is readable
  std::vector<std::string> fragments;  ///< by BRICS (Degen et al. 2008)
  std::string scaffold;                ///< Bemis and Murcko's; empty with less than two rings
  double logp = 0, sa = 0, qed = 0, weight = 0;
};

/// What each text is as a molecule. The same for any number of threads. `filters` may be null
/// below TraitLevel::Filters. Progress counts molecules.
[[nodiscard]] std::vector<MosesTraits> moses_traits(std::span<const std::string> smiles,
                                                    TraitLevel level, const MosesFilters* filters,
                                                    unsigned threads, Progress& progress,
                                                    const std::stop_token& stop);

struct MosesMetric {
  std::string key;      ///< of metrics, e.g. "int_div2"
  std::string name;     ///< as MOSES writes it, e.g. "IntDiv2"
  std::string meaning;  ///< one line
  double value = 0;
};

/// What generated molecules are compared with.
struct MosesReference {
  std::span<const MosesTraits> molecules;  ///< of TraitLevel Fingerprint or All; may be empty
  TraitLevel level = TraitLevel::Canonical;
  const std::unordered_set<std::string>* train = nullptr;  ///< canonical SMILES; may be null
};

/// Over `generated` molecules (traits of at least TraitLevel::Filters): valid, unique@1000,
/// unique@10000, IntDiv, IntDiv2, Filters; with a training set Novelty; with a reference SNN; with
/// one of level All, to which `generated` must belong too, Frag, Scaf and the 1-Wasserstein
/// distances of logP, SA, QED and weight. All but valid look at valid molecules only, duplicates
/// included. Metrics of nothing are NaN. Costs generated * (generated + reference) comparisons of
/// fingerprints. The same for any number of threads.
[[nodiscard]] std::vector<MosesMetric> moses_metrics(std::span<const MosesTraits> generated,
                                                     const MosesReference& reference,
                                                     unsigned threads, const std::stop_token& stop);

/// The mean distance between two distributions, each given by a sample: the area between their
/// cumulative distributions. NaN if one is empty.
[[nodiscard]] double wasserstein(std::vector<double> a, std::vector<double> b);

}  // namespace aceso::molecules
