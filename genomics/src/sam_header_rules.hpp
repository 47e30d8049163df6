// What the SAM specification (version 1.6, section 1.3) demands of a header.
#pragma once

#include "check_findings.hpp"

#include "aceso/genomics/reference.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace aceso::genomics {

/// Whether `name` may name a contig (section 1.2.1).
[[nodiscard]] bool is_contig_name(std::string_view name) noexcept;

/// Hashes views and strings alike, so that looking up a view makes no string.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};
using TextSet = std::unordered_set<std::string, TextHash, std::equal_to<>>;
template <typename Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

enum class SamOrder : std::uint8_t { Unknown, Unsorted, QueryName, Coordinate };
/// How names are compared (section 1.3.1); Either where the header does not tell.
enum class NameOrder : std::uint8_t { Either, Natural, Lexicographical, Other };

class SamHeaderRules {
 public:
  struct SamContig {
    std::uint32_t index = 0;  ///< in the header
    std::int64_t length = 0;  ///< 0: not told as it should be
  };

  explicit SamHeaderRules(Findings& findings) : findings_(findings) {}

  /// Takes the next line, which begins with '@'. Findings stand where the caller has set them.
  void add(std::string_view line);
  /// A contig that only the binary header of a BAM tells.
  void add_contig(std::string_view name, std::int64_t length);
  /// Behind the last line: what only all lines together tell.
  void finish();
  /// Compares contigs with a reference by name, length and MD5.
  void compare(const Reference& reference) const;

  [[nodiscard]] const SamContig* contig(std::string_view name) const noexcept;
  [[nodiscard]] bool has_contigs() const noexcept { return !contigs_.empty(); }
  [[nodiscard]] bool has_read_group(std::string_view id) const noexcept {
    return read_groups_.contains(id);
  }
  [[nodiscard]] bool has_program(std::string_view id) const noexcept {
    return programs_.contains(id);
  }
  [[nodiscard]] SamOrder order() const noexcept { return order_; }
  /// Of a file sorted by names.
  [[nodiscard]] NameOrder name_order() const noexcept { return name_order_; }

 private:
  struct Field {
    std::string_view tag, value;
  };
  void split(std::string_view type, std::string_view rest);
  [[nodiscard]] std::optional<std::string_view> value(std::string_view tag) const noexcept;
  [[nodiscard]] std::string_view required(std::string_view type, std::string_view tag);
  void one_of(std::string_view tag, std::initializer_list<std::string_view> values);

  void check_file_line();
  void check_contig_line();
  void check_other_names(std::string_view name, std::string_view names);
  void check_read_group();
  void check_date(std::string_view date);
  void check_platform();
  void check_program();

  Findings& findings_;
  std::vector<Field> fields_;  // of the line
  std::uint64_t lines_ = 0;
  bool has_file_line_ = false;
  SamOrder order_ = SamOrder::Unknown;
  NameOrder name_order_ = NameOrder::Either;
  TextMap<SamContig> contigs_;
  TextMap<std::string> md5s_;
  TextSet names_;        // of contigs, other names among them
  TextSet other_names_;  // (AN)
  TextSet read_groups_;
  TextMap<std::string> programs_;                              // ID to PP
  std::vector<std::pair<std::string, std::string>> of_group_;  // PG of an RG: RG, PG
};

}  // namespace aceso::genomics
