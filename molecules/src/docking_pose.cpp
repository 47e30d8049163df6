#include "docking_pose.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>

namespace aceso::molecules {
namespace {

double product(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

bool is_heavy(const DockAtom& atom) { return atom.element != DockElement::H; }

/// Inverse Hessian, in place, for a step and the change of the gradient that it made.
void update(std::vector<double>& inverse, std::span<const double> step,
            std::span<const double> change, std::vector<double>& scratch, bool is_first) {
  const std::size_t n = step.size();
  const double curvature = product(step, change);
  if (curvature < 1e-12) return;
  if (is_first) {
    const double scale = curvature / product(change, change);
    for (std::size_t i = 0; i < n; ++i) inverse[i * n + i] = scale;
  }
  for (std::size_t i = 0; i < n; ++i) scratch[i] = product({&inverse[i * n], n}, change);
  const double r = 1 / curvature, outer = r * r * (curvature + product(change, scratch));
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j)
      inverse[i * n + j] +=
          outer * step[i] * step[j] - r * (scratch[i] * step[j] + step[i] * scratch[j]);
}

}  // namespace

DockMover::DockMover(const DockLigand& ligand, Vec3 center) : ligand_(ligand), center_(center) {
  bodies_.resize(ligand.bodies.size());
  for (std::size_t b = 0; b < bodies_.size(); ++b) {
    bodies_[b].begin = order_.size();
    for (std::uint32_t i = 0; i < ligand.atoms.size(); ++i)
      if (ligand.body_of[i] == b && is_heavy(ligand.atoms[i])) order_.push_back(i);
    bodies_[b].end = order_.size();
  }
  // The origins of the file's pose: the root's middle, else the atom that is turned about.
  for (std::size_t i = bodies_[0].begin; i < bodies_[0].end; ++i)
    bodies_[0].origin +=
        (1.0 / static_cast<double>(bodies_[0].end)) * ligand.atoms[order_[i]].place;
  if (bodies_[0].end == 0) bodies_[0].origin = ligand.atoms[order_[0]].place;
  for (std::size_t b = 1; b < bodies_.size(); ++b) {
    const DockBody& body = ligand.bodies[b];
    const Vec3 to = ligand.atoms[body.rotor.to].place;
    const Vec3 along = to - ligand.atoms[body.rotor.from].place;
    bodies_[b].parent = body.parent;
    bodies_[b].origin = to;
    bodies_[b].offset = to - bodies_[body.parent].origin;
    bodies_[b].axis = (1 / std::max(length(along), 1e-6)) * along;
  }
  const std::size_t heavy = order_.size();
  local_.resize(3 * heavy);
  at_.resize(3 * heavy);
  slope_.resize(3 * heavy);
  std::vector<std::uint32_t> rank(ligand.atoms.size(), 0);
  for (std::size_t i = 0; i < heavy; ++i) {
    const DockAtom& atom = ligand.atoms[order_[i]];
    const Vec3 local = atom.place - bodies_[ligand.body_of[order_[i]]].origin;
    local_[i] = static_cast<float>(local.x);
    local_[heavy + i] = static_cast<float>(local.y);
    local_[2 * heavy + i] = static_cast<float>(local.z);
    types_.push_back(atom.type);
    rank[order_[i]] = static_cast<std::uint32_t>(i);
  }
  for (const auto& [a, b] : ligand.pairs)
    pairs_.push_back(
        {rank[a], rank[b], PairTables::get().lines(ligand.atoms[a].type, ligand.atoms[b].type)});
  const std::size_t n = freedom();
  for (auto* numbers : {&gradient_, &next_gradient_, &step_, &change_, &product_})
    numbers->resize(n);
  hessian_.resize(n * n);
}

DockPose DockMover::input_pose() const {
  Vec3 middle;
  const std::size_t root_size = bodies_[0].end;
  for (std::size_t i = 0; i < root_size; ++i)
    middle += (1.0 / static_cast<double>(root_size)) * ligand_.atoms[order_[i]].place;
  if (root_size == 0) middle = ligand_.atoms[order_[0]].place;
  return {middle - center_, {}, std::vector<double>(bodies_.size() - 1, 0.0), 0};
}

double DockMover::gyration(const DockPose& pose) {
  place(pose);
  const std::size_t heavy = order_.size();
  double sum = 0;
  for (std::size_t i = 0; i < heavy; ++i)
    sum += distance2({at_[i], at_[heavy + i], at_[2 * heavy + i]}, pose.position);
  return std::sqrt(sum / static_cast<double>(heavy));
}

void DockMover::move(DockPose& pose, std::span<const double> step, double amount) {
  pose.position += amount * Vec3{step[0], step[1], step[2]};
  pose.turn = (Turn::by(amount * Vec3{step[3], step[4], step[5]}) * pose.turn).normalised();
  for (std::size_t b = 0; b < pose.angles.size(); ++b) pose.angles[b] += amount * step[6 + b];
}

void DockMover::place(const DockPose& pose) {
  const std::size_t heavy = order_.size();
  for (std::size_t b = 0; b < bodies_.size(); ++b) {
    Body& body = bodies_[b];
    if (b == 0) {
      body.origin = pose.position;
      body.turn = pose.turn;
    } else {
      const Body& parent = bodies_[body.parent];
      const Matrix3 turned(parent.turn);
      body.turned_axis = turned * body.axis;
      body.origin = parent.origin + turned * body.offset;
      body.turn = Turn::about(body.turned_axis, pose.angles[b - 1]) * parent.turn;
    }
    const Matrix3 turn(body.turn);
    for (std::size_t d = 0; d < 3; ++d) {
      const auto x = static_cast<float>(turn.rows[d].x), y = static_cast<float>(turn.rows[d].y),
                 z = static_cast<float>(turn.rows[d].z);
      const auto o = static_cast<float>(d == 0   ? body.origin.x
                                        : d == 1 ? body.origin.y
                                                 : body.origin.z);
      for (std::size_t i = body.begin; i < body.end; ++i)
        at_[d * heavy + i] = o + x * local_[i] + y * local_[heavy + i] + z * local_[2 * heavy + i];
    }
  }
}

double DockMover::add_pairs(float cap) {
  const std::size_t heavy = order_.size();
  const float *x = at_.data(), *y = x + heavy, *z = y + heavy;
  float *gx = slope_.data(), *gy = gx + heavy, *gz = gy + heavy;
  constexpr auto kScale = static_cast<float>(PairTables::kPointsPerSquare);
  constexpr auto kEnd = static_cast<float>(kPairCutoff * kPairCutoff);
  double sum = 0;
  for (const Pair& pair : pairs_) {
    const float dx = x[pair.a] - x[pair.b], dy = y[pair.a] - y[pair.b], dz = z[pair.a] - z[pair.b];
    const float square = dx * dx + dy * dy + dz * dz;
    if (!(square < kEnd)) continue;
    const float at = square * kScale;
    const auto line = static_cast<std::int32_t>(at);
    const PairTables::Line value = pair.lines[line];
    float slope = value.slope;
    float energy = value.energy + slope * (at - static_cast<float>(line)) * (1 / kScale);
    bend(energy, slope, cap);
    sum += energy;
    const float twice = 2 * slope;
    gx[pair.a] += twice * dx;
    gy[pair.a] += twice * dy;
    gz[pair.a] += twice * dz;
    gx[pair.b] -= twice * dx;
    gy[pair.b] -= twice * dy;
    gz[pair.b] -= twice * dz;
  }
  return sum;
}

void DockMover::gather(std::span<double> gradient) {
  const std::size_t heavy = order_.size();
  for (Body& body : bodies_) body.force = body.torque = {};
  for (std::size_t b = bodies_.size(); b-- > 0;) {
    Body& body = bodies_[b];
    for (std::size_t i = body.begin; i < body.end; ++i) {
      const Vec3 force{slope_[i], slope_[heavy + i], slope_[2 * heavy + i]};
      body.force += force;
      body.torque += cross(Vec3{at_[i], at_[heavy + i], at_[2 * heavy + i]} - body.origin, force);
    }
    if (b == 0) break;
    gradient[5 + b] = dot(body.torque, body.turned_axis);
    Body& parent = bodies_[body.parent];
    parent.force += body.force;
    parent.torque += body.torque + cross(body.origin - parent.origin, body.force);
  }
  const Body& root = bodies_[0];
  gradient[0] = root.force.x, gradient[1] = root.force.y, gradient[2] = root.force.z;
  gradient[3] = root.torque.x, gradient[4] = root.torque.y, gradient[5] = root.torque.z;
}

template <typename Field>
double DockMover::energy(const DockPose& pose, const Field& field, float cap,
                         std::span<double> gradient) {
  place(pose);
  const std::size_t heavy = order_.size();
  double sum = 0;
  for (std::size_t i = 0; i < heavy; ++i) {
    const FieldValue value = field.at(types_[i], at_[i], at_[heavy + i], at_[2 * heavy + i], cap);
    sum += value.energy;
    slope_[i] = value.x;
    slope_[heavy + i] = value.y;
    slope_[2 * heavy + i] = value.z;
  }
  sum += add_pairs(cap);
  gather(gradient);
  return sum;
}

template <typename Field>
double DockMover::line_search(DockPose& pose, const Field& field, float cap, double slope,
                              double& amount) {
  // A search gives up soon and tries elsewhere; a pose that is taken down must arrive, even from
  // where slopes are steep and first steps far too long.
  constexpr int kMostHalvings = std::is_same_v<Field, DockMaps> ? 10 : 30;
  constexpr double kEnough = 1e-4;
  const DockPose start = pose;
  for (int i = 0; i < kMostHalvings; ++i) {
    pose = start;
    move(pose, step_, amount);
    pose.energy = energy(pose, field, cap, next_gradient_);
    if (pose.energy < start.energy + kEnough * amount * slope) return start.energy - pose.energy;
    amount *= 0.5;
  }
  pose = start;
  return 0;
}

template <typename Field>
void DockMover::minimise(DockPose& pose, const Field& field, float cap, int most_steps,
                         double enough) {
  const std::size_t n = freedom();
  std::ranges::fill(hessian_, 0.0);
  for (std::size_t i = 0; i < n; ++i) hessian_[i * n + i] = 1;
  pose.energy = energy(pose, field, cap, gradient_);
  for (int s = 0; s < most_steps; ++s) {
    for (std::size_t i = 0; i < n; ++i) step_[i] = -product({&hessian_[i * n], n}, gradient_);
    // Long first steps are left long: they carry the search from one basin to another.
    double amount = 1;
    const double slope = product(step_, gradient_);
    if (!(slope < 0)) return;
    const double gain = line_search(pose, field, cap, slope, amount);
    if (gain < enough) return;
    for (std::size_t i = 0; i < n; ++i) {
      step_[i] *= amount;
      change_[i] = next_gradient_[i] - gradient_[i];
    }
    update(hessian_, step_, change_, product_, s == 0);
    std::swap(gradient_, next_gradient_);
  }
}

std::vector<Vec3> DockMover::places(const DockPose& pose) {
  // Where each body is in the file's pose, and in this one.
  place(input_pose());
  const std::vector<Body> before = bodies_;
  place(pose);
  std::vector<Vec3> found;
  for (std::size_t i = 0; i < ligand_.atoms.size(); ++i) {
    const std::size_t b = ligand_.body_of[i];
    const Vec3 local = ligand_.atoms[i].place - center_ - before[b].origin;
    found.push_back(center_ + bodies_[b].origin + Matrix3(bodies_[b].turn) * local);
  }
  return found;
}

std::vector<float> DockMover::heavy_places(const DockPose& pose) {
  place(pose);
  return at_;
}

template double DockMover::energy(const DockPose&, const DockMaps&, float, std::span<double>);
template double DockMover::energy(const DockPose&, const ReceptorField&, float, std::span<double>);
template void DockMover::minimise(DockPose&, const DockMaps&, float, int, double);
template void DockMover::minimise(DockPose&, const ReceptorField&, float, int, double);

}  // namespace aceso::molecules
