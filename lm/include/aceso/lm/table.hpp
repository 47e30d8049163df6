/// \file
/// Rows of CSV and TSV tables, plain or gzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::lm {

/// Reads row by row; holds one in memory. The first line names the columns.
///
/// Quoting as RFC 4180: cells in double quotes may hold separators, line ends and doubled quotes.
/// The separator is a tab if the first line has one outside quotes, else a comma. Tolerates
/// Windows line ends, a byte order mark and blank lines.
class TableReader {
 public:
  /// \throws Error NotFound, Io, CorruptData if there is no line of names.
  explicit TableReader(const std::filesystem::path& path);
  ~TableReader();
  TableReader(TableReader&&) noexcept;
  TableReader& operator=(TableReader&&) noexcept;

  [[nodiscard]] const std::vector<std::string>& columns() const noexcept;
  [[nodiscard]] char separator() const noexcept;
  /// The column of that name. \throws Error CorruptData naming the columns that there are if it
  /// lacks or comes twice.
  [[nodiscard]] std::size_t column(std::string_view name) const;
  [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;

  /// Fills `cells`, one for each column; false at the end.
  /// \throws Error CorruptData naming file and row: too few or many cells, an open quote, text that
  /// is not UTF-8, a cell of more than 16 MB, a damaged gzip stream.
  bool next(std::vector<std::string>& cells);

  /// "FILE: row 12", of the row read last; the first below the names is row 1.
  [[nodiscard]] std::string place() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The number in `cell`; NaN for an empty cell, "NA" and "NaN".
/// \throws Error CorruptData naming `place` and `column`.
[[nodiscard]] double number_in(std::string_view cell, std::string_view place,
                               std::string_view column);

/// `cell` as it is written into a table, in quotes where needed.
[[nodiscard]] std::string table_cell(std::string_view cell, char separator);

/// One line of a table, with its line end.
[[nodiscard]] std::string table_line(const std::vector<std::string>& cells, char separator);

/// The separator that a table's file name asks for: a tab for .tsv, .tab and .txt (also .gz), else
/// a comma.
[[nodiscard]] char separator_for(const std::filesystem::path& path);

}  // namespace aceso::lm
