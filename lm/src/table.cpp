#include "aceso/lm/table.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/lines.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace aceso::lm {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLongestCell = 16'000'000;

bool has_outside_quotes(std::string_view line, char wanted) {
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (c == wanted && !quoted) return true;
  }
  return false;
}

}  // namespace

struct TableReader::Impl {
  Lines lines;
  std::string line;
  std::vector<std::string> columns;
  char separator = ',';
  std::uint64_t row = 0;

  explicit Impl(const fs::path& path) : lines(path) {
    if (!next_line()) fail(Errc::CorruptData, "{}: expected a line of column names", lines.name());
    if (line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);  // a UTF-8 byte order mark
    if (has_outside_quotes(line, '\t')) separator = '\t';
    cut(columns);
  }

  [[nodiscard]] std::string place() const {
    return row == 0 ? lines.name() + ": column names"
                    : fmt::format("{}: row {}", lines.name(), row);
  }

  /// Skips blank lines.
  bool next_line() {
    while (lines.next(line)) {
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty()) return true;
    }
    return false;
  }

  void check(const std::string& cell) const {
    if (cell.size() > kLongestCell)
      fail(Errc::CorruptData, "{}: expected cells of at most {}, found a longer one", place(),
           format_bytes(kLongestCell));
    if (!is_utf8(cell) || cell.find('\0') != std::string::npos)
      fail(Errc::CorruptData, "{}: expected UTF-8 text, found \"{}\"", place(),
           printable(cell, 40));
  }

  /// The quoted cell that begins at `at`, which may go on over several lines.
  std::string quoted_cell(std::size_t& at) {
    std::string cell;
    ++at;
    while (true) {
      if (at == line.size()) {
        if (cell.size() > kLongestCell || !lines.next(line))
          fail(Errc::CorruptData, "{}: expected a closing quote, found none", place());
        if (line.ends_with('\r')) line.pop_back();
        cell += '\n';
        at = 0;
      } else if (line[at] != '"') {
        cell += line[at++];
      } else if (at + 1 < line.size() && line[at + 1] == '"') {
        cell += '"';
        at += 2;
      } else {
        ++at;
        return cell;
      }
    }
  }

  std::string cell_at(std::size_t& at) {
    if (at < line.size() && line[at] == '"') {
      std::string cell = quoted_cell(at);
      if (at < line.size() && line[at] != separator)
        fail(Errc::CorruptData, "{}: expected a separator behind a closing quote, found \"{}\"",
             place(), printable(line.substr(at), 10));
      return cell;
    }
    const std::size_t begin = at;
    at = std::min(line.find(separator, at), line.size());
    return line.substr(begin, at - begin);
  }

  void cut(std::vector<std::string>& cells) {
    cells.clear();
    for (std::size_t at = 0;; ++at) {
      cells.push_back(cell_at(at));
      check(cells.back());
      if (at >= line.size()) return;
    }
  }

  bool next(std::vector<std::string>& cells) {
    if (!next_line()) return false;
    ++row;
    cut(cells);
    if (cells.size() != columns.size())
      fail(Errc::CorruptData, "{}: expected {} cells, one for each column, found {}", place(),
           columns.size(), cells.size());
    return true;
  }
};

TableReader::TableReader(const fs::path& path) : impl_(std::make_unique<Impl>(path)) {}
TableReader::~TableReader() = default;
TableReader::TableReader(TableReader&&) noexcept = default;
TableReader& TableReader::operator=(TableReader&&) noexcept = default;

const std::vector<std::string>& TableReader::columns() const noexcept { return impl_->columns; }
char TableReader::separator() const noexcept { return impl_->separator; }
bool TableReader::next(std::vector<std::string>& cells) { return impl_->next(cells); }
std::string TableReader::place() const { return impl_->place(); }

std::optional<std::size_t> TableReader::find(std::string_view name) const {
  const auto found = std::ranges::find(impl_->columns, name);
  if (found == impl_->columns.end()) return std::nullopt;
  if (std::find(found + 1, impl_->columns.end(), name) != impl_->columns.end())
    fail(Errc::CorruptData, "{}: expected one column \"{}\", found several", impl_->lines.name(),
         name);
  return static_cast<std::size_t>(found - impl_->columns.begin());
}

std::size_t TableReader::column(std::string_view name) const {
  if (const auto found = find(name)) return *found;
  fail(Errc::CorruptData, "{}: expected a column \"{}\", found {}", impl_->lines.name(), name,
       printable(join(impl_->columns, ", "), 300));
}

double number_in(std::string_view cell, std::string_view place, std::string_view column) {
  while (!cell.empty() && cell.front() == ' ') cell.remove_prefix(1);
  while (!cell.empty() && cell.back() == ' ') cell.remove_suffix(1);
  if (cell.empty() || cell == "NA" || cell == "NaN" || cell == "nan")
    return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value))
    fail(Errc::CorruptData, "{}: expected a number in column \"{}\", found \"{}\"", place,
         printable(column), printable(cell, 40));
  return value;
}

std::string table_cell(std::string_view cell, char separator) {
  const char special[] = {separator, '"', '\n', '\r', '\0'};
  if (cell.find_first_of(special) == std::string_view::npos) return std::string(cell);
  std::string quoted = "\"";
  for (const char c : cell) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string table_line(const std::vector<std::string>& cells, char separator) {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) line += separator;
    line += table_cell(cells[i], separator);
  }
  return line + '\n';
}

char separator_for(const fs::path& path) {
  std::string name = to_lower(path.string());
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  return name.ends_with(".tsv") || name.ends_with(".tab") || name.ends_with(".txt") ? '\t' : ',';
}

}  // namespace aceso::lm
