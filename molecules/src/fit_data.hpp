/// \file
/// Molecules with measured values, to fit nets to: tables read, checked, parted and made graphs.
#pragma once

#include "aceso/app/app.hpp"
#include "aceso/lm/labelled.hpp"
#include "fit_split.hpp"
#include "graph_store.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace aceso::molecules {

/// Where the table has what.
struct FitColumns {
  std::string smiles = "smiles";  ///< "smiles" finds the column in any case
  std::string targets;            ///< names with commas between them
  std::string split;              ///< empty: no column of sets
};

/// One molecule of the table.
struct FitMolecule {
  std::string smiles, place;
  std::string problem;  ///< of SDF: why it is no molecule
  std::string canonical, scaffold;
  lm::Split split = lm::Split::Train;
  std::vector<double> values;  ///< one for each target, as written; NaN: none
};

struct FitTable {
  std::vector<std::string> targets;
  std::vector<FitMolecule> molecules;
  std::size_t without_value = 0;  ///< rows that were left out for this
};

/// \throws Error CorruptData naming file, row and column: a column that lacks, a target that is no
/// number, another word for a set.
[[nodiscard]] FitTable read_fit_table(const std::filesystem::path& path, const FitColumns& columns);

/// Whether every value is 0 or 1.
[[nodiscard]] bool has_classes(const FitTable& table);

/// Reads every SMILES: fills canonical forms and scaffolds, gives the graphs in the molecules'
/// order, and takes molecules that cannot be read out of the table, with a warning for each.
/// \throws Error CorruptData if none is left.
[[nodiscard]] GraphStore read_graphs(FitTable& table, const nn::MessagePassingSpec& spec,
                                     app::RunContext& context);

/// How rows of one molecule are spread.
struct Duplicates {
  std::size_t rows = 0;   ///< that have the molecule of an earlier one
  std::size_t mixed = 0;  ///< molecules that are in more than one set
};
[[nodiscard]] Duplicates count_duplicates(const FitTable& table);

}  // namespace aceso::molecules
