/// \file
/// Cumulative distribution functions of many families, by SciPy's names and definitions.
#pragma once

#include <span>
#include <string_view>

namespace aceso::molecules {

/// A family of distributions at location 0 and scale 1.
struct Family {
  std::string_view name;
  std::size_t shapes = 0;                                     ///< how many it has
  double (*below)(double z, std::span<const double> shapes);  ///< share of values up to z
};

/// Null if there is none of that name.
[[nodiscard]] const Family* find_family(std::string_view name);

}  // namespace aceso::molecules
