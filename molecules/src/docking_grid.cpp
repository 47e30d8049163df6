#include "docking_grid.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/threads.hpp"

#include <algorithm>

namespace aceso::molecules {
namespace {

constexpr std::size_t kLanes = 4;
constexpr std::size_t kMostFloats = std::size_t{1} << 29U;
using Lanes = float __attribute__((vector_size(16)));

/// For one type of receptor atom, the energies with all wanted types side by side.
std::vector<Lanes> side_by_side(VinaType receptor, std::span<const VinaType> types,
                                std::size_t groups) {
  std::vector<Lanes> table(PairTables::kLines * groups, Lanes{});
  for (std::size_t t = 0; t < types.size(); ++t) {
    const PairTables::Line* lines = PairTables::get().lines(types[t], receptor);
    for (std::size_t i = 0; i < PairTables::kLines; ++i)
      table[i * groups + t / kLanes][t % kLanes] =
          lines[i].energy +
          0.5F * lines[i].slope / static_cast<float>(PairTables::kPointsPerSquare);
  }
  return table;
}

/// Points of one direction that may be within `reach` of `at`: [first, second).
std::pair<std::size_t, std::size_t> span_of(double at, double reach, double lowest, double step,
                                            std::size_t count) {
  const double first = std::ceil((at - reach - lowest) / step);
  const double last = std::floor((at + reach - lowest) / step) + 1;
  const auto most = static_cast<double>(count);
  return {static_cast<std::size_t>(std::clamp(first, 0.0, most)),
          static_cast<std::size_t>(std::clamp(last, 0.0, most))};
}

FieldValue bent(FieldValue value, float cap) {
  if (value.energy <= 0) return value;
  const float factor = cap / (cap + value.energy), square = factor * factor;
  return {value.energy * factor, value.x * square, value.y * square, value.z * square};
}

double point_step(double size, std::size_t points) {
  return size / static_cast<double>(points - 1);
}

}  // namespace

bool DockBox::holds(Vec3 p, double margin) const noexcept {
  const Vec3 d = p - center;
  return std::abs(d.x) <= 0.5 * size.x + margin && std::abs(d.y) <= 0.5 * size.y + margin &&
         std::abs(d.z) <= 0.5 * size.z + margin;
}

DockReceptor::DockReceptor(std::vector<DockAtom> atoms) : atoms_(std::move(atoms)) {
  if (atoms_.empty()) fail(Errc::InvalidArgument, "expected a receptor with atoms, found none");
  Vec3 highest = lowest_ = atoms_.front().place;
  for (const DockAtom& atom : atoms_) {
    lowest_ = {std::min(lowest_.x, atom.place.x), std::min(lowest_.y, atom.place.y),
               std::min(lowest_.z, atom.place.z)};
    highest = {std::max(highest.x, atom.place.x), std::max(highest.y, atom.place.y),
               std::max(highest.z, atom.place.z)};
  }
  const Vec3 extent = highest - lowest_;
  std::size_t total = 1;
  for (std::size_t d = 0; d < 3; ++d) {
    const double size = d == 0 ? extent.x : d == 1 ? extent.y : extent.z;
    // Atoms far from all others are no reason for millions of empty cubes.
    cubes_[d] = static_cast<std::size_t>(std::min(size / kPairCutoff, 200.0)) + 1;
    total *= cubes_[d];
  }
  inside_.resize(total);
  for (std::uint32_t i = 0; i < atoms_.size(); ++i) {
    const Vec3 p = atoms_[i].place - lowest_;
    std::size_t cube = 0;
    for (std::size_t d = 3; d-- > 0;) {
      const double v = d == 0 ? p.x : d == 1 ? p.y : p.z;
      cube = cube * cubes_[d] + std::min(static_cast<std::size_t>(v / kPairCutoff), cubes_[d] - 1);
    }
    inside_[cube].push_back(i);
  }
}

template <typename With>
void DockReceptor::for_each_near(Vec3 place, With with) const {
  const Vec3 p = place - lowest_;
  const auto range = [](double v, std::size_t count) {
    const double cube = std::floor(v / kPairCutoff), last = static_cast<double>(count) - 1;
    return std::pair{static_cast<std::size_t>(std::clamp(cube - 1, 0.0, last)),
                     static_cast<std::size_t>(std::clamp(cube + 1, 0.0, last))};
  };
  const auto [x0, x1] = range(p.x, cubes_[0]);
  const auto [y0, y1] = range(p.y, cubes_[1]);
  const auto [z0, z1] = range(p.z, cubes_[2]);
  for (std::size_t z = z0; z <= z1; ++z)
    for (std::size_t y = y0; y <= y1; ++y)
      for (std::size_t x = x0; x <= x1; ++x)
        for (const std::uint32_t i : inside_[(z * cubes_[1] + y) * cubes_[0] + x]) {
          const Vec3 d = place - atoms_[i].place;
          const double square = dot(d, d);
          if (square < kPairCutoff * kPairCutoff) with(atoms_[i].type, d, square);
        }
}

double DockReceptor::energy(VinaType type, Vec3 place) const {
  double sum = 0;
  for_each_near(place, [&](VinaType other, Vec3, double square) {
    sum += pair_energy(type, other, std::sqrt(square));
  });
  return sum;
}

FieldValue DockReceptor::at(VinaType type, Vec3 place) const {
  double energy = 0;
  Vec3 gradient;
  const PairTables& tables = PairTables::get();
  for_each_near(place, [&](VinaType other, Vec3 d, double square) {
    const double at = square * PairTables::kPointsPerSquare;
    const auto line = std::min(static_cast<std::size_t>(at), PairTables::kLines - 1);
    const PairTables::Line value = tables.lines(type, other)[line];
    energy += value.energy +
              value.slope * (at - static_cast<double>(line)) / PairTables::kPointsPerSquare;
    gradient += (2.0 * value.slope) * d;
  });
  return {static_cast<float>(energy), static_cast<float>(gradient.x),
          static_cast<float>(gradient.y), static_cast<float>(gradient.z)};
}

FieldValue ReceptorField::at(VinaType type, float x, float y, float z, float cap) const noexcept {
  const Walls walls(half_, x, y, z);
  return walls.with(bent(
      receptor_.at(type, center_ + Vec3{walls.inside[0], walls.inside[1], walls.inside[2]}), cap));
}

Walls::Walls(const std::array<float, 3>& half, float x, float y, float z) noexcept {
  const std::array<float, 3> p{x, y, z};
  for (std::size_t d = 0; d < 3; ++d) {
    // Written so that a NaN ends inside as well.
    inside[d] = std::min(std::max(-half[d], p[d]), half[d]);
    const float outside = p[d] - inside[d];
    slope[d] = outside > 0 ? kWall : outside < 0 ? -kWall : 0;
    penalty += kWall * std::abs(outside);
  }
}

FieldValue Walls::with(FieldValue value) const noexcept {
  if (penalty == 0) return value;
  return {value.energy + penalty, slope[0] != 0 ? slope[0] : value.x,
          slope[1] != 0 ? slope[1] : value.y, slope[2] != 0 ? slope[2] : value.z};
}

std::vector<std::uint32_t> DockReceptor::near(const DockBox& box) const {
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < atoms_.size(); ++i)
    if (box.holds(atoms_[i].place, kPairCutoff)) found.push_back(i);
  return found;
}

DockMaps::DockMaps(const DockReceptor& receptor, const DockBox& box,
                   std::span<const VinaType> types, unsigned threads, const std::stop_token& stop)
    : box_(box), types_(types.begin(), types.end()) {
  const std::array<double, 3> size{box.size.x, box.size.y, box.size.z};
  std::size_t total = types.size();
  for (std::size_t d = 0; d < 3; ++d) {
    points_[d] = static_cast<std::size_t>(std::ceil(size[d] / kSpacing)) + 1;
    half_[d] = static_cast<float>(0.5 * size[d]);
    steps_[d] = static_cast<float>(1 / point_step(size[d], points_[d]));
    last_[d] = static_cast<std::int32_t>(points_[d]) - 2;
    total *= points_[d];
  }
  if (total > kMostFloats)
    fail(Errc::OutOfResources, "expected a box whose maps fit 2 GB, found {} points of {} types",
         total / types.size(), types.size());
  map_of_.fill(-1);
  for (std::size_t t = 0; t < types_.size(); ++t)
    map_of_[static_cast<std::size_t>(types_[t])] = static_cast<int>(t);
  energies_.assign(total, 0);
  const std::vector<std::uint32_t> atoms = receptor.near(box);
  parallel_for(
      points_[2], 2, threads,
      [&](std::size_t begin, std::size_t end) { fill(receptor, atoms, begin, end); }, stop);
}

void DockMaps::fill(const DockReceptor& receptor, std::span<const std::uint32_t> atoms,
                    std::size_t begin, std::size_t end) {
  const std::size_t groups = (types_.size() + kLanes - 1) / kLanes;
  const std::size_t plane = points_[0] * points_[1];
  const Vec3 low = box_.lowest();
  const Vec3 step{point_step(box_.size.x, points_[0]), point_step(box_.size.y, points_[1]),
                  point_step(box_.size.z, points_[2])};
  std::array<std::vector<Lanes>, kVinaTypes> tables;
  std::vector<Lanes> sums(plane * groups * (end - begin), Lanes{});
  for (const std::uint32_t i : atoms) {
    const DockAtom& atom = receptor.atoms()[i];
    auto& table = tables[static_cast<std::size_t>(atom.type)];
    if (table.empty()) table = side_by_side(atom.type, types_, groups);
    for (std::size_t z = begin; z < end; ++z) {
      const double dz = low.z + static_cast<double>(z) * step.z - atom.place.z;
      const double left = kPairCutoff * kPairCutoff - dz * dz;
      if (left <= 0) continue;
      const auto [y0, y1] = span_of(atom.place.y, std::sqrt(left), low.y, step.y, points_[1]);
      for (std::size_t y = y0; y < y1; ++y) {
        const double dy = low.y + static_cast<double>(y) * step.y - atom.place.y;
        const double rest = std::max(left - dy * dy, 0.0);
        const auto [x0, x1] = span_of(atom.place.x, std::sqrt(rest), low.x, step.x, points_[0]);
        Lanes* sum = &sums[((z - begin) * plane + y * points_[0]) * groups];
        for (std::size_t x = x0; x < x1; ++x) {
          const double dx = low.x + static_cast<double>(x) * step.x - atom.place.x;
          const auto line = static_cast<std::size_t>((dx * dx + dy * dy + dz * dz) *
                                                     PairTables::kPointsPerSquare);
          if (line >= PairTables::kLines) continue;
          for (std::size_t g = 0; g < groups; ++g) sum[x * groups + g] += table[line * groups + g];
        }
      }
    }
  }
  for (std::size_t t = 0; t < types_.size(); ++t)
    for (std::size_t p = 0; p < plane * (end - begin); ++p)
      energies_[t * plane * points_[2] + begin * plane + p] =
          sums[p * groups + t / kLanes][t % kLanes];
}

FieldValue DockMaps::at(VinaType type, float x, float y, float z, float cap) const noexcept {
  const Walls walls(half_, x, y, z);
  std::array<float, 3> part{};
  std::array<std::size_t, 3> low{};
  for (std::size_t d = 0; d < 3; ++d) {
    const float at = (walls.inside[d] + half_[d]) * steps_[d];
    low[d] = static_cast<std::size_t>(std::min(static_cast<std::int32_t>(at), last_[d]));
    part[d] = at - static_cast<float>(low[d]);
  }
  const std::size_t row = points_[0], plane = row * points_[1];
  const float* e =
      energies_.data() +
      static_cast<std::size_t>(map_of_[static_cast<std::size_t>(type)]) * plane * points_[2] +
      low[2] * plane + low[1] * row + low[0];
  const float a = part[0], b = part[1], c = part[2];
  const float d00 = e[1] - e[0], d10 = e[row + 1] - e[row];
  const float d01 = e[plane + 1] - e[plane], d11 = e[plane + row + 1] - e[plane + row];
  const float e00 = e[0] + a * d00, e10 = e[row] + a * d10;
  const float e01 = e[plane] + a * d01, e11 = e[plane + row] + a * d11;
  const float low_z = e00 + b * (e10 - e00), high_z = e01 + b * (e11 - e01);
  const float dx0 = d00 + b * (d10 - d00), dx1 = d01 + b * (d11 - d01);
  const float dy0 = e10 - e00, dy1 = e11 - e01;
  return walls.with(bent({low_z + c * (high_z - low_z), (dx0 + c * (dx1 - dx0)) * steps_[0],
                          (dy0 + c * (dy1 - dy0)) * steps_[1], (high_z - low_z) * steps_[2]},
                         cap));
}

}  // namespace aceso::molecules
