#include "aceso/app/report.hpp"

#include "aceso/assets/assets.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace aceso::app {

struct Report::Impl {
  Json sections = Json::array();
  Json details = Json::object();

  Json& blocks() {
    if (sections.empty())
      sections.push_back({{"title", "Results"}, {"text", ""}, {"blocks", Json::array()}});
    return sections.back()["blocks"];
  }
};

namespace {

Json to_json(const Cell& cell) {
  return std::visit(
      [](const auto& value) -> Json {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::monostate>)
          return nullptr;
        else if constexpr (std::is_same_v<T, double>)
          return std::isfinite(value) ? Json(value) : Json(nullptr);
        else
          return value;
      },
      cell);
}

/// Seven digits are more than a plot can show, and keep the page small.
Json to_json(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) {
    if (!std::isfinite(value))
      list.push_back(nullptr);
    else if (value == std::trunc(value) && std::abs(value) < 9e15)
      list.push_back(static_cast<std::int64_t>(value));
    else
      list.push_back(std::stod(fmt::format("{:.7g}", value)));
  }
  return list;
}

std::string_view name(Plot::Type type) {
  switch (type) {
    case Plot::Type::Line:
      return "line";
    case Plot::Type::Bar:
      return "bar";
    case Plot::Type::Area:
      return "area";
    case Plot::Type::Scatter:
      return "scatter";
  }
  return "line";
}

std::string_view asset(std::string_view path) {
  const auto assets = assets::report();
  const auto found = std::ranges::find(assets, path, &assets::Asset::path);
  return found == assets.end() ? std::string_view{} : found->bytes;
}

/// JSON that can stand inside a script element: no "</script>" or "<!--" can occur in it.
std::string for_script(const Json& json) {
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (c == '<')
      safe += "\\u003c";
    else
      safe += c;
  }
  return safe;
}

}  // namespace

Report::Report() : impl_(std::make_unique<Impl>()) {}
Report::~Report() = default;
Report::Report(Report&&) noexcept = default;

void Report::section(std::string title, std::string text) {
  impl_->sections.push_back(
      {{"title", std::move(title)}, {"text", std::move(text)}, {"blocks", Json::array()}});
}

void Report::figure(std::string label, Cell value, std::string unit) {
  Json& blocks = impl_->blocks();
  // Figures that follow each other stand in one row of the page.
  if (blocks.empty() || blocks.back()["type"] != "figures")
    blocks.push_back({{"type", "figures"}, {"items", Json::array()}});
  blocks.back()["items"].push_back(
      {{"label", std::move(label)}, {"value", to_json(value)}, {"unit", std::move(unit)}});
}

void Report::table(std::string title, std::vector<Column> columns,
                   std::vector<std::vector<Cell>> rows) {
  Json head = Json::array();
  for (const Column& column : columns)
    head.push_back({{"label", column.label}, {"unit", column.unit}});
  Json body = Json::array();
  for (const auto& row : rows) {
    Json cells = Json::array();
    for (const Cell& cell : row) cells.push_back(to_json(cell));
    body.push_back(std::move(cells));
  }
  impl_->blocks().push_back({{"type", "table"},
                             {"title", std::move(title)},
                             {"columns", std::move(head)},
                             {"rows", std::move(body)}});
}

void Report::plot(Plot plot) {
  Json series = Json::array();
  for (const Series& line : plot.series)
    series.push_back({{"name", line.name}, {"values", to_json(line.values)}});
  impl_->blocks().push_back({{"type", "plot"},
                             {"plot", name(plot.type)},
                             {"title", plot.title},
                             {"x_label", plot.x_label},
                             {"y_label", plot.y_label},
                             {"x", to_json(plot.x)},
                             {"x_names", plot.x_names},
                             {"series", std::move(series)},
                             {"log_y", plot.log_y},
                             {"note", plot.note}});
}

void Report::drawing(std::string title, std::string svg) {
  impl_->blocks().push_back(
      {{"type", "drawing"}, {"title", std::move(title)}, {"svg", std::move(svg)}});
}

void Report::details(Json members) { impl_->details.update(members); }

const Json& Report::sections() const noexcept { return impl_->sections; }
const Json& Report::details() const noexcept { return impl_->details; }

std::string report_html(const Json& report) {
  const std::string title = escape_html(report.value("app", "report"));
  std::string page =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"generator\" content=\"Aceso " +
      escape_html(report.value("version", "")) + "\">\n<title>" + title + "</title>\n<style>";
  page += asset("report.css");
  page +=
      "</style>\n</head>\n<body>\n<div id=\"report\"></div>\n"
      "<noscript>This report is drawn by a script that it contains; the same figures are in "
      "report.json.</noscript>\n"
      "<script type=\"application/json\" id=\"report-data\">";
  page += for_script(report);
  page += "</script>\n<script>";
  page += asset("report.js");
  page += "</script>\n</body>\n</html>\n";
  return page;
}

}  // namespace aceso::app
