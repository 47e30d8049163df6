/// \file
/// Files that are compiled into the program: the web console, and the script of report.html.
#pragma once

#include <span>
#include <string_view>

namespace aceso::assets {

struct Asset {
  std::string_view path;  ///< relative, e.g. "index.html", "assets/index-4f2c.js"
  std::string_view bytes;
};

/// The web console; empty in builds without it.
[[nodiscard]] std::span<const Asset> console() noexcept;

/// "report.js" and "report.css", which draw report.html; empty in builds without the console.
[[nodiscard]] std::span<const Asset> report() noexcept;

}  // namespace aceso::assets
