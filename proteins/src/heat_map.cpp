#include "heat_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace aceso::proteins {
namespace {

constexpr std::size_t kBlock = 100;
constexpr int kCell = 10, kLeft = 20, kTop = 18, kGap = 10;

/// White at 0, full colour at `strongest`.
std::string colour(double value, double strongest) {
  const double share = strongest > 0 ? std::clamp(value / strongest, -1.0, 1.0) : 0;
  const int faded = static_cast<int>(std::lround(255 * (1 - std::abs(share))));
  return share < 0 ? fmt::format("#ff{0:02x}{0:02x}", faded)
                   : fmt::format("#{0:02x}{0:02x}ff", faded);
}

}  // namespace

std::string heat_map_svg(const HeatMap& map) {
  const std::size_t rows = map.row_names.size();
  double strongest = 0;
  for (const double value : map.values) strongest = std::max(strongest, std::abs(value));
  const std::size_t blocks = (map.columns + kBlock - 1) / kBlock;
  const int block_height = kTop + static_cast<int>(rows) * kCell + kGap;
  const int width = kLeft + static_cast<int>(std::min(kBlock, map.columns)) * kCell + kGap;
  std::string svg = fmt::format(
      R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" font-family="sans-serif" font-size="9" fill="currentColor">)",
      width, static_cast<int>(blocks) * block_height);
  for (std::size_t column = 0; column < map.columns; ++column) {
    const int x = kLeft + static_cast<int>(column % kBlock) * kCell;
    const int y = static_cast<int>(column / kBlock) * block_height + kTop;
    const std::int64_t number = map.first_column + static_cast<std::int64_t>(column);
    if (number % 10 == 0) svg += fmt::format(R"(<text x="{}" y="{}">{}</text>)", x, y - 4, number);
    for (std::size_t row = 0; row < rows; ++row) {
      const int top = y + static_cast<int>(row) * kCell;
      if (column % kBlock == 0)
        svg += fmt::format(R"(<text x="6" y="{}">{}</text>)", top + 8, map.row_names[row]);
      const double value = map.values[row * map.columns + column];
      svg += fmt::format(
          R"(<rect x="{}" y="{}" width="{}" height="{}" fill="{}"><title>{}{}: {:.2f}</title></rect>)",
          x, top, kCell, kCell, colour(value, strongest), number, map.row_names[row], value);
    }
  }
  return svg + "</svg>";
}

}  // namespace aceso::proteins
