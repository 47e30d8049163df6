/// \file
/// What a run tells people: figures, tables and plots, as report.json and a self-contained
/// report.html.
#pragma once

#include "aceso/core/json.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace aceso::app {

/// A cell of a table, or a labelled figure.
using Cell = std::variant<std::monostate, std::int64_t, double, std::string>;

struct Column {
  std::string label;
  std::string unit = {};
};

/// One line, bar set or area of a plot. NaN leaves a gap.
struct Series {
  std::string name;
  std::vector<double> values;
};

struct Plot {
  /// Scatter: the first series is points; further ones are lines, such as a diagonal.
  enum class Type { Line, Bar, Area, Scatter };
  std::string title;
  Type type = Type::Line;
  std::string x_label, y_label;
  std::vector<double> x;                  ///< rising
  std::vector<std::string> x_names = {};  ///< for bars: one per x, shown instead of numbers
  std::vector<Series> series;
  bool log_y = false;
  std::string note = {};  ///< one sentence below: how to read it
};

/// A report under construction. Not thread-safe.
class Report {
 public:
  Report();
  ~Report();
  Report(Report&&) noexcept;

  /// Begins a section; what is added next belongs to it.
  void section(std::string title, std::string text = {});
  void figure(std::string label, Cell value, std::string unit = {});
  void table(std::string title, std::vector<Column> columns, std::vector<std::vector<Cell>> rows);
  void plot(Plot plot);
  /// Adds an SVG drawing made by us (never foreign bytes).
  void drawing(std::string title, std::string svg);

  /// Merges `members` into the top level of report.json, for programs that expect known names.
  void details(Json members);

  /// Sections as a JSON list; see app/README.md for the layout.
  [[nodiscard]] const Json& sections() const noexcept;
  [[nodiscard]] const Json& details() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A page that needs nothing but itself: `report` (a report.json) shown with plots.
[[nodiscard]] std::string report_html(const Json& report);

}  // namespace aceso::app
