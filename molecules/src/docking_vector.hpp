/// \file
/// Points and turns in space, Å.
#pragma once

#include <array>
#include <cmath>

namespace aceso::molecules {

struct Vec3 {
  double x = 0, y = 0, z = 0;

  friend Vec3 operator+(Vec3 a, Vec3 b) noexcept { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend Vec3 operator-(Vec3 a, Vec3 b) noexcept { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
  friend Vec3 operator*(double s, Vec3 a) noexcept { return {s * a.x, s * a.y, s * a.z}; }
  Vec3& operator+=(Vec3 a) noexcept { return *this = *this + a; }
};

inline double dot(Vec3 a, Vec3 b) noexcept { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vec3 cross(Vec3 a, Vec3 b) noexcept {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline double length(Vec3 a) noexcept { return std::sqrt(dot(a, a)); }
inline double distance2(Vec3 a, Vec3 b) noexcept { return dot(a - b, a - b); }

/// A turn as a unit quaternion.
struct Turn {
  double w = 1, x = 0, y = 0, z = 0;

  /// About a unit axis by an angle in radians.
  static Turn about(Vec3 axis, double angle) noexcept {
    const double s = std::sin(0.5 * angle);
    return {std::cos(0.5 * angle), s * axis.x, s * axis.y, s * axis.z};
  }
  /// About the direction of `v` by its length.
  static Turn by(Vec3 v) noexcept {
    const double angle = length(v);
    return angle > 1e-12 ? about((1 / angle) * v, angle) : Turn{};
  }
  /// First b, then a.
  friend Turn operator*(Turn a, Turn b) noexcept {
    return {a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z,
            a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
            a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
            a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w};
  }
  [[nodiscard]] Turn normalised() const noexcept {
    const double n = 1 / std::sqrt(w * w + x * x + y * y + z * z);
    return {w * n, x * n, y * n, z * n};
  }
};

/// A turn as a matrix, row by row.
struct Matrix3 {
  std::array<Vec3, 3> rows;

  explicit Matrix3(Turn q) noexcept
      : rows{Vec3{1 - 2 * (q.y * q.y + q.z * q.z), 2 * (q.x * q.y - q.w * q.z),
                  2 * (q.x * q.z + q.w * q.y)},
             Vec3{2 * (q.x * q.y + q.w * q.z), 1 - 2 * (q.x * q.x + q.z * q.z),
                  2 * (q.y * q.z - q.w * q.x)},
             Vec3{2 * (q.x * q.z - q.w * q.y), 2 * (q.y * q.z + q.w * q.x),
                  1 - 2 * (q.x * q.x + q.y * q.y)}} {}
  friend Vec3 operator*(const Matrix3& m, Vec3 v) noexcept {
    return {dot(m.rows[0], v), dot(m.rows[1], v), dot(m.rows[2], v)};
  }
};

}  // namespace aceso::molecules
