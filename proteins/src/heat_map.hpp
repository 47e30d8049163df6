/// \file
/// A matrix over a sequence as a drawing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace aceso::proteins {

struct HeatMap {
  std::string row_names;  ///< one letter a row
  std::size_t columns = 0;
  std::int64_t first_column = 1;  ///< its number on the axis
  std::vector<double> values;     ///< rows x columns; 0 is white, below red, above blue
};

/// An SVG with a scale of positions, wrapped into blocks of at most 100 columns.
[[nodiscard]] std::string heat_map_svg(const HeatMap& map);

}  // namespace aceso::proteins
