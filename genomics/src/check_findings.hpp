// What a check of files found: counted by kind, the first of each kind kept.
#pragma once

#include "aceso/core/text.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aceso::genomics {

enum class Severity : std::uint8_t { Error, Warning };

[[nodiscard]] constexpr std::string_view name(Severity severity) noexcept {
  return severity == Severity::Error ? "error" : "warning";
}

struct Finding {
  Severity severity = Severity::Error;
  std::string kind;     ///< stable, in upper case with _, e.g. INVALID_CIGAR
  std::string file;     ///< path
  std::string where;    ///< "line 7" or "record 3"; empty: the file
  std::string place;    ///< "chr1:200"; empty: not known
  std::string message;  ///< what was expected and what was found

  /// "FILE: line 7 (chr1:200): INVALID_CIGAR: …".
  [[nodiscard]] std::string text() const;
};

/// Takes findings, in bounded memory. Set where they are before adding them. A message is only
/// made when it will be kept, so that a file full of errors costs no more than a good one.
class Findings {
 public:
  /// Keeps the first `limit` of each kind.
  explicit Findings(std::size_t limit) : limit_(limit) {}

  void begin_file(std::string path);
  /// Takes over what another has found, behind what is here: as if it had been found here.
  void add(const Findings& other);
  void at_line(std::uint64_t number) { set_place("line", number); }
  void at_record(std::uint64_t number) { set_place("record", number); }
  void at_file() { set_place({}, 0); }
  /// As the file tells them; borrowed until the next place.
  void at_position(std::string_view contig, std::string_view position) {
    contig_ = contig;
    position_ = position;
  }

  template <typename... Args>
  void error(std::string_view kind, fmt::format_string<Args...> format, Args&&... args) {
    ++errors_;
    if (count(Severity::Error, kind))
      keep(Severity::Error, kind, fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void warn(std::string_view kind, fmt::format_string<Args...> format, Args&&... args) {
    ++warnings_;
    if (count(Severity::Warning, kind))
      keep(Severity::Warning, kind, fmt::format(format, std::forward<Args>(args)...));
  }

  [[nodiscard]] std::uint64_t errors() const noexcept { return errors_; }
  [[nodiscard]] std::uint64_t warnings() const noexcept { return warnings_; }
  /// Of each severity and kind, over all files.
  using Counts = std::map<std::pair<Severity, std::string>, std::uint64_t, std::less<>>;
  [[nodiscard]] const Counts& counts() const noexcept { return counts_; }
  /// In the order they were found.
  [[nodiscard]] const std::vector<Finding>& kept() const noexcept { return kept_; }

 private:
  void set_place(std::string_view unit, std::uint64_t number) {
    unit_ = unit;
    number_ = number;
    contig_ = position_ = {};
  }
  [[nodiscard]] bool count(Severity severity, std::string_view kind);
  void keep(Severity severity, std::string_view kind, std::string message);

  std::size_t limit_;
  std::string file_;
  std::string_view unit_, contig_, position_;
  std::uint64_t number_ = 0, errors_ = 0, warnings_ = 0;
  Counts counts_;
  std::vector<Finding> kept_;
};

/// Foreign bytes for a message, in quotes.
[[nodiscard]] inline std::string shown(std::string_view text) {
  return "\"" + printable(text, 60) + "\"";
}

}  // namespace aceso::genomics
