/// \file
/// Where a ligand is and how its bonds are turned; its energy there and the way down.
#pragma once

#include "docking_grid.hpp"
#include "docking_ligand.hpp"

#include <span>
#include <vector>

namespace aceso::molecules {

struct DockPose {
  Vec3 position;               ///< of the root's middle, relative to the box's centre, Å
  Turn turn;                   ///< of the root, from the file's pose
  std::vector<double> angles;  ///< of the other bodies, in order, radians, from the file's pose
  double energy = 0;           ///< as it was last computed
};

/// A ligand that can be moved: heavy atoms only, side by side. Scratch space of one thread.
class DockMover {
 public:
  /// \param center the box's, where places are counted from.
  DockMover(const DockLigand& ligand, Vec3 center);

  /// Positions and angles: 3 to shift, 3 to turn, then the bonds.
  [[nodiscard]] std::size_t freedom() const noexcept { return 5 + bodies_.size(); }
  /// The file's pose.
  [[nodiscard]] DockPose input_pose() const;
  /// Heavy atoms' root mean square distance from the root's middle, Å.
  [[nodiscard]] double gyration(const DockPose& pose);
  /// `pose` moved by `amount` of `step`, which has freedom() numbers.
  static void move(DockPose& pose, std::span<const double> step, double amount);

  /// Of the field and between the ligand's atoms, each bent by `cap`; fills `gradient` (freedom()
  /// numbers, for move()).
  template <typename Field>
  double energy(const DockPose& pose, const Field& field, float cap, std::span<double> gradient);

  /// BFGS with a line search that halves steps (Nocedal & Wright 2006, chapters 3 and 6); ends when
  /// a step gains less than `enough` kcal/mol.
  template <typename Field>
  void minimise(DockPose& pose, const Field& field, float cap, int most_steps, double enough);

  /// All atoms, in the file's frame and order.
  [[nodiscard]] std::vector<Vec3> places(const DockPose& pose);
  /// Heavy atoms, for comparisons.
  [[nodiscard]] std::vector<float> heavy_places(const DockPose& pose);

 private:
  struct Body {
    std::size_t parent = 0, begin = 0, end = 0;  ///< its heavy atoms
    Vec3 offset, axis;                           ///< in the parent's frame
    Vec3 origin, turned_axis, force, torque;     ///< of the pose
    Turn turn;
  };
  struct Pair {
    std::uint32_t a, b;
    const PairTables::Line* lines;
  };

  void place(const DockPose& pose);
  double add_pairs(float cap);
  void gather(std::span<double> gradient);
  template <typename Field>
  double line_search(DockPose& pose, const Field& field, float cap, double slope, double& amount);

  const DockLigand& ligand_;
  Vec3 center_;
  std::vector<Body> bodies_;
  std::vector<std::uint32_t> order_;  ///< heavy atoms, body by body
  std::vector<VinaType> types_;
  std::vector<float> local_, at_, slope_;  ///< x, y, z one behind the other, by order_
  std::vector<Pair> pairs_;
  std::vector<double> gradient_, next_gradient_, step_, change_, hessian_, product_;
};

extern template double DockMover::energy(const DockPose&, const DockMaps&, float,
                                         std::span<double>);
extern template double DockMover::energy(const DockPose&, const ReceptorField&, float,
                                         std::span<double>);
extern template void DockMover::minimise(DockPose&, const DockMaps&, float, int, double);
extern template void DockMover::minimise(DockPose&, const ReceptorField&, float, int, double);

}  // namespace aceso::molecules
