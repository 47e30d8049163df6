/// \file
/// What a run tells people: figures, tables and plots, as report.json and a self-contained
/// report.html.
#pragma once

#include "aceso/core/json.hpp"

#include <cstdint>
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
  enum class Type { Line, Bar, Area };
  std::string title;
  Type type = Type::Line;
  std::string x_label, y_label;
  std::vector<double> x;                  ///< rising
  std::vector<std::string> x_names = {};  ///< for bars: one per x, shown instead of numbers
  std::vector<Series> series;
  bool log_y = false;
  std::string note = {};  ///< one sentence below: how to read it
};

/// Points in a plane, each under a name and perhaps in a colour.
struct Scatter {
  std::string title;
  std::string x_label, y_label;
  std::vector<double> x, y;              ///< finite; one a point
  std::vector<std::string> names;        ///< one a point, shown where one points
  std::vector<double> values = {};       ///< one a point, shown as a scale of colours; or
  std::vector<std::string> groups = {};  ///< one a point, each group in its colour; "": none
  std::string colour_label = {};         ///< what values or groups are
  std::string note = {};                 ///< one sentence below: how to read it
};

/// A matrix as colours: 0 is neutral, below and above it two colours as strong as the value.
struct HeatMap {
  std::string title;
  std::vector<std::string> row_names, column_names;
  std::vector<double> values;            ///< rows x columns; NaN leaves a gap
  std::vector<std::int64_t> marks = {};  ///< for each column the row that is marked, -1: none
  std::string value_label = {};
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
  /// \throws Error Internal if there is not one x, y and name (and value or group) a point.
  void scatter(const Scatter& scatter);
  /// \throws Error Internal if there is not one value a cell (and mark a column).
  void heat_map(const HeatMap& map);
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
