// What the SAM specification (version 1.6, sections 1.4 and 1.5; SAMtags) demands of a record.
#pragma once

#include "sam_header_rules.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

class SamRules {
 public:
  /// Borrows all; `reference` may be null. \pre header.finish() was called before check().
  SamRules(const SamHeaderRules& header, const Reference* reference, Findings& findings)
      : header_(header), reference_(reference), findings_(findings) {}

  /// Checks a record as text. Findings stand where the caller has set them.
  void check(std::string_view line);

 private:
  enum Column : std::uint8_t {
    Qname,
    Flag,
    Rname,
    Pos,
    Mapq,
    Cigar,
    Rnext,
    Pnext,
    Tlen,
    Seq,
    Qual
  };
  struct CigarOperation {
    std::uint32_t length = 0;
    char code = 'M';
  };
  /// What later checks need of a record, -1 or 0 where it was no good.
  struct Parsed {
    std::int64_t flag = 0, position = 0, mapping_quality = 0, mate_position = 0;
    const SamHeaderRules::SamContig* contig = nullptr;
    bool cigar_good = false;
    std::int64_t reference_bases = 0, read_bases = 0;  ///< of the CIGAR
  };
  /// The record before, for its mate.
  struct Previous {
    std::string name, contig;
    std::int64_t flag = 0, position = 0, mate_position = 0;
    std::string mate_contig;
  };

  [[nodiscard]] bool split(std::string_view line);
  [[nodiscard]] std::optional<std::int64_t> integer(Column column, std::string_view name,
                                                    std::int64_t least, std::int64_t most);
  void check_name();
  void check_flags();
  void check_contigs();
  void check_contig(std::string_view name, std::string_view what, bool& told);
  void check_cigar();
  void check_cigar_clips();
  void check_bases();
  void check_place();
  void check_order();
  void check_name_order();
  void check_mate();
  void check_tags(std::string_view tags);
  void check_tag(std::string_view field);
  void check_tag_value(std::string_view tag, char type, std::string_view value);
  void check_array(std::string_view tag, std::string_view value);
  void check_standard_tag(std::string_view tag, char type, std::string_view value);
  void add_wrong_type(std::string_view tag, char type, std::string_view expected);
  void check_against_reference();

  const SamHeaderRules& header_;
  const Reference* reference_;
  Findings& findings_;
  std::array<std::string_view, 11> columns_;
  std::optional<std::string_view> tags_;  // behind the columns
  Parsed now_;
  std::vector<CigarOperation> cigar_;
  std::vector<std::string_view> tags_seen_;
  std::string_view md_, nm_;
  Previous previous_;
  std::int64_t last_contig_ = -1, last_position_ = 0;
  bool any_unplaced_ = false;
  std::string last_name_;
  bool natural_ = true, lexicographical_ = true;  // order of names, so far
  std::string reference_name_;
  int reference_contig_ = -1;
  bool told_without_contigs_ = false;
};

}  // namespace aceso::genomics
