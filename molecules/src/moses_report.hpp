/// \file
/// MOSES' metrics as apps tell them.
#pragma once

#include "aceso/app/app.hpp"
#include "aceso/molecules/molecule_file.hpp"
#include "aceso/molecules/moses.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace aceso::molecules {

/// The SMILES of a file, as written.
[[nodiscard]] std::vector<std::string> smiles_of(const std::vector<MoleculeRecord>& records);

/// Traits of a file's molecules, with a stage of progress; what cannot be read is warned of.
[[nodiscard]] std::vector<MosesTraits> reference_traits(const std::filesystem::path& path,
                                                        TraitLevel level,
                                                        const MosesFilters* filters,
                                                        app::RunContext& context);

/// Canonical SMILES of valid molecules.
[[nodiscard]] std::unordered_set<std::string> canonical_set(const std::vector<MosesTraits>& traits);

/// As metrics, as a table in the report, and as `name,value` lines into `output`, if given.
void tell_moses(const std::vector<MosesMetric>& metrics, const MosesFilters& filters,
                const std::optional<std::filesystem::path>& output, app::RunContext& context);

}  // namespace aceso::molecules
