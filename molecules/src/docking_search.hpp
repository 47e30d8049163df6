/// \file
/// The search for poses: Monte Carlo steps, each followed by a way down (Abagyan et al. 1994; Trott
/// & Olson 2010).
#pragma once

#include "docking_pose.hpp"

#include <cstdint>
#include <stop_token>
#include <vector>

namespace aceso::molecules {

/// kcal/mol. Without the torsions' share.
struct DockEnergy {
  double inter = 0, intra = 0;
};

/// By pair_energy itself, each atom's and pair's bent at 1,000 as Vina does.
[[nodiscard]] DockEnergy energy_of(const DockLigand& ligand, const DockReceptor& receptor,
                                   const std::vector<Vec3>& places);

/// Different poses, best first: of those nearer than 1 Å the best is kept.
class PoseSet {
 public:
  explicit PoseSet(std::size_t most) : most_(most) {}

  /// Whether a pose of that energy might find a place.
  [[nodiscard]] bool wants(double energy) const noexcept {
    return poses_.size() < most_ || energy < poses_.back().energy;
  }
  void add(const DockPose& pose, std::vector<float> places);
  [[nodiscard]] const std::vector<DockPose>& poses() const noexcept { return poses_; }
  [[nodiscard]] const std::vector<std::vector<float>>& places() const noexcept { return places_; }

 private:
  std::size_t most_;
  std::vector<DockPose> poses_;
  std::vector<std::vector<float>> places_;
};

/// Monte Carlo steps of one start, as Vina counts them: more for larger and more flexible ligands.
[[nodiscard]] std::int64_t search_steps(const DockLigand& ligand);

/// One start: up to 20 poses. Its random choices depend on `seed` and `start` alone.
/// \throws Error Cancelled.
[[nodiscard]] PoseSet search(const DockLigand& ligand, const DockMaps& maps, std::uint64_t seed,
                             std::uint64_t start, const std::stop_token& stop);

}  // namespace aceso::molecules
