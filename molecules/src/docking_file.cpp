#include "docking_file.hpp"

#include "aceso/core/error.hpp"
#include "aceso/molecules/molecule_file.hpp"
#include "aceso/molecules/sdf_file.hpp"
#include "docking_chemistry.hpp"
#include "pdbqt_file.hpp"

#include <utility>

namespace aceso::molecules {
namespace fs = std::filesystem;
namespace {

std::vector<LigandRecord> read_sdf(const fs::path& path) {
  SdfReader reader(path);
  std::vector<LigandRecord> records;
  for (SdfRecord record; reader.next(record);) {
    LigandRecord made{.id = record.title, .place = record.place};
    if (made.id.empty()) made.id = std::to_string(records.size() + 1);
    made.has_places = record.molecule && has_places(*record.molecule);
    made.is_flat = record.molecule && !made.has_places;
    made.make = [molecule = record.molecule, problem = record.problem,
                 id = made.id](std::uint64_t seed) {
      if (!molecule) fail(Errc::CorruptData, "{}", problem);
      return ligand_of(*molecule, id, seed);
    };
    records.push_back(std::move(made));
  }
  return records;
}

std::vector<LigandRecord> read_pdbqt(const fs::path& path) {
  std::vector<LigandRecord> records;
  const std::string stem = path.stem().string();
  for (DockLigand& ligand : parse_pdbqt_ligands(read_structure_text(path), path.string())) {
    LigandRecord made{.has_places = true};
    if (ligand.name.empty()) ligand.name = stem;
    made.id = ligand.name;
    made.place = fmt::format("{}: model {}", path.string(), records.size() + 1);
    made.make = [ligand = std::move(ligand)](std::uint64_t) { return ligand; };
    records.push_back(std::move(made));
  }
  return records;
}

std::vector<LigandRecord> read_smiles(const fs::path& path) {
  std::vector<LigandRecord> records;
  for (const MoleculeRecord& record : read_molecules(path)) {
    LigandRecord made{.id = record.id, .place = record.place};
    made.make = [record](std::uint64_t seed) {
      return ligand_of(molecule_of(record), record.id, seed);
    };
    records.push_back(std::move(made));
  }
  return records;
}

}  // namespace

std::vector<LigandRecord> read_ligands(const fs::path& path) {
  std::vector<LigandRecord> records = is_pdbqt(path) ? read_pdbqt(path)
                                      : is_sdf(path) ? read_sdf(path)
                                                     : read_smiles(path);
  if (records.empty())
    fail(Errc::CorruptData, "{}: expected at least one molecule, found none", path.string());
  return records;
}

}  // namespace aceso::molecules
