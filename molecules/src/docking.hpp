/// \file
/// Docking: how ligands bind to a rigid receptor and how well, after AutoDock Vina (Trott & Olson
/// 2010, doi 10.1002/jcc.21334).
#pragma once

#include "aceso/core/warnings.hpp"
#include "aceso/molecules/chemistry.hpp"
#include "docking_search.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace aceso::molecules {

struct DockSettings {
  std::int64_t exhaustiveness = 8;  ///< starts of the search
  std::int64_t poses = 9;
  double energy_range = 3;  ///< kcal/mol: leaves out poses that much worse than the best
  std::uint64_t seed = 1;
};

struct DockedPose {
  std::vector<Vec3> places;  ///< of the ligand's atoms
  double energy = 0;         ///< of binding, kcal/mol
  DockEnergy parts;
  double rmsd = 0;  ///< from the first pose, heavy atoms each to itself, Å
};

/// PDB or PDBQT, by the name's ending; plain or gzip.
/// \throws Error NotFound, Io, CorruptData, InvalidArgument for another ending.
[[nodiscard]] DockReceptor read_receptor(const std::filesystem::path& path, Warnings& warnings);

/// \throws Error InvalidArgument if a side is not within 1 to 126 Å, or no atom of the receptor is
/// within reach.
void check_box(const DockBox& box, const DockReceptor& receptor);

/// Around atoms, with `margin` on each side.
[[nodiscard]] DockBox box_around(std::span<const Vec3> places, double margin);

/// Types of the ligands' atoms, sorted, each once.
[[nodiscard]] std::vector<VinaType> types_of(std::span<const DockLigand> ligands);
/// All types that organic molecules have.
[[nodiscard]] std::vector<VinaType> organic_types();

/// The pose of the ligand's file, as it is.
[[nodiscard]] DockedPose scored(const DockLigand& ligand, const DockReceptor& receptor);
/// The pose of the ligand's file, gone down to the next minimum.
[[nodiscard]] DockedPose refined(const DockLigand& ligand, const DockReceptor& receptor,
                                 const DockBox& box);
/// What the starts of a search found, put together: the best poses at least 1 Å apart, each gone
/// down to its minimum without maps, best first. Empty if none lies within the box.
[[nodiscard]] std::vector<DockedPose> best_poses(const DockLigand& ligand,
                                                 const DockReceptor& receptor, const DockBox& box,
                                                 std::span<const PoseSet> starts,
                                                 const DockSettings& settings);
/// All starts of one ligand on this thread. Cost: about 0.1 ms for each of search_steps() and
/// start.
[[nodiscard]] std::vector<DockedPose> dock(const DockLigand& ligand, const DockReceptor& receptor,
                                           const DockMaps& maps, const DockSettings& settings,
                                           const std::stop_token& stop = {});

}  // namespace aceso::molecules
