// The headers of several files of alignments as one (SAM specification, section 1.3).
#pragma once

#include "aceso/core/warnings.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace aceso::genomics {

/// A header's text, with its contigs as the file has them.
struct HeaderText {
  struct Contig {
    std::string name;
    std::int64_t length = 0;
    std::string md5;   ///< in lower case; empty: not told
    std::string line;  ///< @SQ, whole
  };

  std::string file;  ///< for messages
  std::vector<Contig> contigs;
  std::string text;  ///< all lines; @SQ among them are not looked at
};

/// What the records of one file are called in the merged one.
struct HeaderNames {
  using Names = std::map<std::string, std::string, std::less<>>;
  Names groups, programs;  ///< of all IDs of @RG and @PG, to their new names
};

/// Contigs must agree. @RG (and @PG) of one ID and one content are one; where the content differs
/// the later one is renamed ID-2, ID-3 and so on, and its @PG are chained as before. @CO and lines
/// of other kinds stand once. The order is that in which files are added.
class MergedHeader {
 public:
  /// Warns of renamed read groups.
  /// \throws Error CorruptData naming the file: other contigs than the first file's, an @RG or @PG
  ///         without ID, or two of one ID.
  [[nodiscard]] HeaderNames add(const HeaderText& header, Warnings& warnings);

  /// The merged text; records are sorted by coordinate. `program` are the fields behind ID of a @PG
  /// that ends every chain of programs, its own line for each.
  [[nodiscard]] std::string text(std::string_view program) const;
  [[nodiscard]] bool has_group(std::string_view id) const { return groups_.used.contains(id); }
  [[nodiscard]] std::size_t group_count() const noexcept { return groups_.lines.size(); }
  [[nodiscard]] std::size_t renamed_groups() const noexcept { return renamed_groups_; }

 private:
  using Fields = std::vector<std::string>;  ///< "ID:a", …
  /// Lines of one kind that have IDs.
  struct Named {
    std::vector<std::string> lines;
    std::set<std::string, std::less<>> used;
    /// By the ID that a file gave: contents, without ID and sorted, and the names they got.
    std::map<std::string, std::map<Fields, std::string>> versions;

    std::string unused(const std::string& id, std::size_t from) const;
    std::string add(std::string_view kind, const Fields& fields);
  };

  void check_contigs(const HeaderText& header);
  void add_groups(const HeaderText& header, HeaderNames& names, Warnings& warnings);
  void add_programs(const HeaderText& header, HeaderNames& names);
  void add_others(const HeaderText& header);

  bool any_ = false;
  std::string first_file_;
  std::vector<HeaderText::Contig> contigs_;
  Named groups_, programs_;
  std::set<std::string> parents_;  ///< programs that others name
  std::vector<std::string> program_order_;
  std::vector<std::string> others_;
  std::set<std::string> known_others_;
  std::size_t renamed_groups_ = 0;
};

}  // namespace aceso::genomics
