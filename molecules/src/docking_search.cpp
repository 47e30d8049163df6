#include "docking_search.hpp"

#include "aceso/core/cancel.hpp"
#include "aceso/core/random.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace aceso::molecules {
namespace {

constexpr std::size_t kMostPoses = 20;
constexpr double kApart = 1;          // Å
constexpr double kTemperature = 1.2;  // kcal/mol
constexpr double kAmplitude = 2;      // Å
constexpr float kSoft = 10, kHard = 1'000;

bool is_near(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += d * d;
  }
  return sum < kApart * kApart * static_cast<double>(a.size()) / 3;
}

double between(Random& random, double low, double high) {
  return low + (high - low) * random.uniform();
}

Vec3 in_unit_ball(Random& random) {
  for (;;) {
    const double x = between(random, -1, 1), y = between(random, -1, 1), z = between(random, -1, 1);
    if (const Vec3 p{x, y, z}; dot(p, p) <= 1) return p;
  }
}

/// Evenly among all turns (Marsaglia 1972).
Turn any_turn(Random& random) {
  for (;;) {
    const double a = between(random, -1, 1), b = between(random, -1, 1);
    const double c = between(random, -1, 1), d = between(random, -1, 1);
    const double s = a * a + b * b, t = c * c + d * d;
    if (s >= 1 || t >= 1 || t == 0) continue;
    const double root = std::sqrt((1 - s) / t);
    return Turn{a, b, c * root, d * root}.normalised();
  }
}

double any_angle(Random& random) { return between(random, -std::numbers::pi, std::numbers::pi); }

DockPose any_pose(const DockBox& box, std::size_t angles, Random& random) {
  DockPose pose;
  const double x = between(random, -0.5, 0.5), y = between(random, -0.5, 0.5);
  const double z = between(random, -0.5, 0.5);
  pose.position = {x * box.size.x, y * box.size.y, z * box.size.z};
  pose.turn = any_turn(random);
  for (std::size_t i = 0; i < angles; ++i) pose.angles.push_back(any_angle(random));
  return pose;
}

/// Shifts, turns, or sets one angle anew.
void mutate(DockPose& pose, DockMover& mover, Random& random) {
  const std::size_t which = random.below(2 + pose.angles.size());
  if (which == 0) {
    pose.position += kAmplitude * in_unit_ball(random);
  } else if (which == 1) {
    const double radius = std::max(mover.gyration(pose), 1e-3);
    pose.turn = (Turn::by((kAmplitude / radius) * in_unit_ball(random)) * pose.turn).normalised();
  } else {
    pose.angles[which - 2] = any_angle(random);
  }
}

/// Those that PDBQT files have: no hydrogens on carbon.
std::size_t moved_atoms(const DockLigand& ligand) {
  return static_cast<std::size_t>(std::ranges::count_if(ligand.atoms, [](const DockAtom& atom) {
    return atom.element != DockElement::H || atom.polar_hydrogen;
  }));
}

int descent_steps(const DockLigand& ligand) {
  return static_cast<int>((25 + moved_atoms(ligand)) / 3);
}

}  // namespace

DockEnergy energy_of(const DockLigand& ligand, const DockReceptor& receptor,
                     const std::vector<Vec3>& places) {
  constexpr double kCap = kHard;
  DockEnergy sum;
  const auto bent = [](double energy) {
    double slope = 0;
    bend(energy, slope, kCap);
    return energy;
  };
  for (std::size_t i = 0; i < ligand.atoms.size(); ++i)
    if (ligand.atoms[i].type != VinaType::Hydrogen)
      sum.inter += bent(receptor.energy(ligand.atoms[i].type, places[i]));
  for (const auto& [a, b] : ligand.pairs)
    sum.intra += bent(pair_energy(ligand.atoms[a].type, ligand.atoms[b].type,
                                  std::sqrt(distance2(places[a], places[b]))));
  return sum;
}

void PoseSet::add(const DockPose& pose, std::vector<float> places) {
  for (std::size_t i = 0; i < poses_.size(); ++i) {
    if (!is_near(places_[i], places)) continue;
    if (poses_[i].energy <= pose.energy) return;
    poses_.erase(poses_.begin() + static_cast<std::ptrdiff_t>(i));
    places_.erase(places_.begin() + static_cast<std::ptrdiff_t>(i));
    break;
  }
  const auto at = std::ranges::upper_bound(poses_, pose.energy, {}, &DockPose::energy);
  const auto place = at - poses_.begin();
  poses_.insert(at, pose);
  places_.insert(places_.begin() + place, std::move(places));
  if (poses_.size() <= most_) return;
  poses_.pop_back();
  places_.pop_back();
}

std::int64_t search_steps(const DockLigand& ligand) {
  const std::size_t freedom = 6 + ligand.turning();
  return static_cast<std::int64_t>(105 * (50 + moved_atoms(ligand) + 10 * freedom));
}

PoseSet search(const DockLigand& ligand, const DockMaps& maps, std::uint64_t seed,
               std::uint64_t start, const std::stop_token& stop) {
  constexpr double kSoftEnough = 0.01, kHardEnough = 0.001;
  Random random(seed, start);
  DockMover mover(ligand, maps.box().center);
  const int steps = descent_steps(ligand);
  PoseSet found(kMostPoses);
  DockPose current = any_pose(maps.box(), ligand.turning(), random);
  double best = 0;
  for (std::int64_t i = 0, count = search_steps(ligand); i < count; ++i) {
    throw_if_stopped(stop);
    DockPose next = current;
    mutate(next, mover, random);
    mover.minimise(next, maps, kSoft, steps, kSoftEnough);
    const double rise = next.energy - current.energy;
    if (i > 0 && rise > 0 && random.uniform() >= std::exp(-rise / kTemperature)) continue;
    current = next;
    if (current.energy >= best && !found.wants(current.energy)) continue;
    mover.minimise(current, maps, kHard, steps, kHardEnough);
    found.add(current, mover.heavy_places(current));
    best = std::min(best, current.energy);
  }
  return found;
}

}  // namespace aceso::molecules
