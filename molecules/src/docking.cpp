#include "docking.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "pdb_receptor.hpp"
#include "pdbqt_file.hpp"

#include <algorithm>

namespace aceso::molecules {
namespace fs = std::filesystem;
namespace {

constexpr float kCap = 1'000;

std::vector<Vec3> places_of(const DockLigand& ligand) {
  std::vector<Vec3> places;
  for (const DockAtom& atom : ligand.atoms) places.push_back(atom.place);
  return places;
}

/// \param unbound the energy within the ligand on its own.
double binding(const DockLigand& ligand, const DockEnergy& parts, double unbound) {
  return (parts.inter + parts.intra - unbound) / torsion_divisor(ligand.torsions);
}

DockedPose go_down(const DockLigand& ligand, const DockReceptor& receptor, const DockBox& box,
                   DockMover& mover, DockPose pose) {
  constexpr int kMostSteps = 200;
  constexpr double kEnough = 1e-4;
  mover.minimise(pose, ReceptorField(receptor, box), kCap, kMostSteps, kEnough);
  DockedPose made{.places = mover.places(pose)};
  made.parts = energy_of(ligand, receptor, made.places);
  return made;
}

bool is_inside(const DockLigand& ligand, const DockBox& box, const std::vector<Vec3>& places) {
  constexpr double kTolerance = 0.01;
  for (std::size_t i = 0; i < places.size(); ++i)
    if (ligand.atoms[i].type != VinaType::Hydrogen && !box.holds(places[i], kTolerance))
      return false;
  return true;
}

double total(const DockedPose& pose) { return pose.parts.inter + pose.parts.intra; }

/// Going down may have brought poses together; the better stays.
std::vector<DockedPose> apart(const DockLigand& ligand, std::vector<DockedPose> poses) {
  constexpr double kApart = 1;
  std::ranges::stable_sort(poses, {}, total);
  std::vector<DockedPose> kept;
  for (DockedPose& pose : poses)
    if (std::ranges::none_of(kept, [&](const DockedPose& other) {
          return rmsd(ligand, pose.places, other.places) < kApart;
        }))
      kept.push_back(std::move(pose));
  return kept;
}

void finish(const DockLigand& ligand, std::vector<DockedPose>& poses,
            const DockSettings& settings) {
  for (DockedPose& pose : poses) {
    pose.energy = binding(ligand, pose.parts, poses.front().parts.intra);
    pose.rmsd = rmsd(ligand, pose.places, poses.front().places);
  }
  const double limit = poses.empty() ? 0 : poses.front().energy + settings.energy_range;
  std::erase_if(poses, [&](const DockedPose& pose) { return pose.energy > limit; });
  if (poses.size() > static_cast<std::size_t>(settings.poses))
    poses.resize(static_cast<std::size_t>(settings.poses));
}

}  // namespace

DockReceptor read_receptor(const fs::path& path, Warnings& warnings) {
  if (is_pdbqt(path))
    return DockReceptor(parse_pdbqt_receptor(read_structure_text(path), path.string()));
  const std::string name = to_lower(path.filename().string());
  if (!name.ends_with(".pdb") && !name.ends_with(".ent") && !name.ends_with(".pdb.gz") &&
      !name.ends_with(".ent.gz"))
    fail(Errc::InvalidArgument, "{}: expected a receptor as .pdbqt, .pdb or .ent (perhaps .gz)",
         path.string());
  return DockReceptor(parse_pdb_receptor(read_structure_text(path), path.string(), warnings));
}

void check_box(const DockBox& box, const DockReceptor& receptor) {
  constexpr double kLeast = 1, kMost = 126;
  for (const double size : {box.size.x, box.size.y, box.size.z})
    if (!(size >= kLeast && size <= kMost))
      fail(Errc::InvalidArgument, "expected sides of the box of {} to {} Å, found {:g}", kLeast,
           kMost, size);
  if (receptor.near(box).empty())
    fail(Errc::InvalidArgument,
         "expected a box near the receptor, found no atom within {} Å of one around {:g},{:g},{:g}",
         kPairCutoff, box.center.x, box.center.y, box.center.z);
}

DockBox box_around(std::span<const Vec3> places, double margin) {
  Vec3 low = places.front(), high = low;
  for (const Vec3 p : places) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
  }
  return {0.5 * (low + high), high - low + 2 * margin * Vec3{1, 1, 1}};
}

std::vector<VinaType> types_of(std::span<const DockLigand> ligands) {
  std::array<bool, kVinaTypes> there{};
  for (const DockLigand& ligand : ligands)
    for (const DockAtom& atom : ligand.atoms)
      if (atom.type != VinaType::Hydrogen) there[static_cast<std::size_t>(atom.type)] = true;
  std::vector<VinaType> types;
  for (std::size_t t = 0; t < kVinaTypes; ++t)
    if (there[t]) types.push_back(static_cast<VinaType>(t));
  return types;
}

std::vector<VinaType> organic_types() {
  std::vector<VinaType> types;
  for (std::size_t t = 0; t < static_cast<std::size_t>(VinaType::Metal); ++t)
    types.push_back(static_cast<VinaType>(t));
  return types;
}

DockedPose scored(const DockLigand& ligand, const DockReceptor& receptor) {
  DockedPose pose{.places = places_of(ligand)};
  pose.parts = energy_of(ligand, receptor, pose.places);
  pose.energy = binding(ligand, pose.parts, pose.parts.intra);
  return pose;
}

DockedPose refined(const DockLigand& ligand, const DockReceptor& receptor, const DockBox& box) {
  DockMover mover(ligand, box.center);
  DockedPose pose = go_down(ligand, receptor, box, mover, mover.input_pose());
  pose.energy = binding(ligand, pose.parts, pose.parts.intra);
  pose.rmsd = rmsd(ligand, pose.places, places_of(ligand));
  return pose;
}

std::vector<DockedPose> best_poses(const DockLigand& ligand, const DockReceptor& receptor,
                                   const DockBox& box, std::span<const PoseSet> starts,
                                   const DockSettings& settings) {
  PoseSet together(static_cast<std::size_t>(settings.poses) + 11);
  for (const PoseSet& start : starts)
    for (std::size_t i = 0; i < start.poses().size(); ++i)
      together.add(start.poses()[i], start.places()[i]);
  DockMover mover(ligand, box.center);
  std::vector<DockedPose> poses;
  for (const DockPose& pose : together.poses()) {
    DockedPose made = go_down(ligand, receptor, box, mover, pose);
    if (is_inside(ligand, box, made.places)) poses.push_back(std::move(made));
  }
  poses = apart(ligand, std::move(poses));
  finish(ligand, poses, settings);
  return poses;
}

std::vector<DockedPose> dock(const DockLigand& ligand, const DockReceptor& receptor,
                             const DockMaps& maps, const DockSettings& settings,
                             const std::stop_token& stop) {
  std::vector<PoseSet> starts;
  for (std::int64_t s = 0; s < settings.exhaustiveness; ++s)
    starts.push_back(search(ligand, maps, settings.seed, static_cast<std::uint64_t>(s), stop));
  return best_poses(ligand, receptor, maps.box(), starts, settings);
}

}  // namespace aceso::molecules
