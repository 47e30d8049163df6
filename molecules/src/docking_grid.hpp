/// \file
/// A receptor's energy on a grid of points, one map for each type of ligand atom.
#pragma once

#include "docking_score.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

namespace aceso::molecules {

/// Where ligands may be, Å.
struct DockBox {
  Vec3 center, size;

  [[nodiscard]] Vec3 lowest() const noexcept { return center - 0.5 * size; }
  [[nodiscard]] Vec3 highest() const noexcept { return center + 0.5 * size; }
  [[nodiscard]] bool holds(Vec3 p, double margin = 0) const noexcept;
};

/// An atom's energy and its gradient, kcal/mol and per Å.
struct FieldValue {
  float energy = 0, x = 0, y = 0, z = 0;
};

/// Outside a box energies rise by so much for each Å, kcal/mol.
inline constexpr float kWall = 1'000;

/// How a place, relative to the middle of a box, lies to its walls.
struct Walls {
  std::array<float, 3> inside{}, slope{};  ///< the nearest place inside; of the penalty
  float penalty = 0;

  Walls(const std::array<float, 3>& half, float x, float y, float z) noexcept;
  /// Nothing but the penalty changes outside.
  [[nodiscard]] FieldValue with(FieldValue value) const noexcept;
};

/// The receptor's atoms in cubes, for sums over those within the cutoff.
class DockReceptor {
 public:
  /// \param atoms heavy ones, with types.
  explicit DockReceptor(std::vector<DockAtom> atoms);

  [[nodiscard]] const std::vector<DockAtom>& atoms() const noexcept { return atoms_; }
  /// The energy of an atom there, without tables.
  [[nodiscard]] double energy(VinaType type, Vec3 place) const;
  /// The same with its gradient, by PairTables.
  [[nodiscard]] FieldValue at(VinaType type, Vec3 place) const;
  /// Atoms that may be within the cutoff of the box, rising.
  [[nodiscard]] std::vector<std::uint32_t> near(const DockBox& box) const;

 private:
  template <typename With>
  void for_each_near(Vec3 place, With with) const;

  std::vector<DockAtom> atoms_;
  Vec3 lowest_;
  std::array<std::size_t, 3> cubes_{};
  std::vector<std::vector<std::uint32_t>> inside_;  ///< by cube
};

/// The receptor itself as a field: slower than maps, and without their error.
class ReceptorField {
 public:
  ReceptorField(const DockReceptor& receptor, const DockBox& box)
      : receptor_(receptor),
        center_(box.center),
        half_{static_cast<float>(0.5 * box.size.x), static_cast<float>(0.5 * box.size.y),
              static_cast<float>(0.5 * box.size.z)} {}
  [[nodiscard]] FieldValue at(VinaType type, float x, float y, float z, float cap) const noexcept;

 private:
  const DockReceptor& receptor_;
  Vec3 center_;
  std::array<float, 3> half_;
};

/// Points 0.375 Å apart, as AutoDock has them; between them linear in each direction. Outside the
/// box energies rise by 1,000 kcal/mol for each Å. Immutable.
class DockMaps {
 public:
  static constexpr double kSpacing = 0.375;

  /// Cost: points of the box times atoms near each (about 8 ns), the same for any number of types;
  /// 4 bytes a point and type. The same for any number of threads.
  /// \param types those to make maps of. \throws Error Cancelled, OutOfResources above 2 GB.
  DockMaps(const DockReceptor& receptor, const DockBox& box, std::span<const VinaType> types,
           unsigned threads, const std::stop_token& stop = {});

  /// Of an atom there, relative to the box's centre, bent by `cap` (see bend()).
  /// \pre a map was made for the type.
  [[nodiscard]] FieldValue at(VinaType type, float x, float y, float z, float cap) const noexcept;

  [[nodiscard]] const DockBox& box() const noexcept { return box_; }

 private:
  void fill(const DockReceptor& receptor, std::span<const std::uint32_t> atoms, std::size_t begin,
            std::size_t end);

  DockBox box_;
  std::array<std::size_t, 3> points_{};
  std::array<std::int32_t, 3> last_{};     ///< the last cell
  std::array<float, 3> half_{}, steps_{};  ///< half the box; points for each Å
  std::vector<VinaType> types_;
  std::array<int, kVinaTypes + 1> map_of_{};
  std::vector<float> energies_;  ///< by map, z, y, x
};

}  // namespace aceso::molecules
