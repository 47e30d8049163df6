// What the VCF specification (versions 4.1 to 4.4, section 1.6) demands of a record.
#pragma once

#include "field_rules.hpp"
#include "vcf_allele_rules.hpp"
#include "vcf_header_rules.hpp"

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace aceso::genomics {

class VcfRules {
 public:
  /// Borrows all; `reference` may be null. \pre the header is complete before check().
  VcfRules(const VcfHeaderRules& header, const Reference* reference, Findings& findings)
      : header_(header), reference_(reference), findings_(findings) {}

  /// Checks a record as text. Findings stand where the caller has set them.
  void check(std::string_view line);

 private:
  /// What a key's values are, as the header or else the specification tells.
  struct Definition {
    std::string_view number;  ///< empty: not known
    VcfType type = VcfType::String;
    bool not_negative = false;
    bool known = false;
  };
  /// How many values a Number stands for.
  struct Expected {
    std::int64_t count = -1;  ///< -1: any
    std::int64_t other = -1;  ///< as good; -1: none
  };

  [[nodiscard]] bool split(std::string_view line);
  void check_contig();
  void check_position();
  void check_order();
  void check_id();
  void check_reference_allele();
  void check_alternatives();
  void check_repeated();
  void check_quality();
  void check_filter();
  void check_info();
  void check_info_entry(std::string_view entry);
  void check_flag(std::string_view key, std::string_view value, bool has_value);
  void check_end(std::string_view value);
  void check_format();
  void check_samples();
  void check_sample(std::string_view sample);
  [[nodiscard]] int check_genotype(std::string_view text);
  void check_values(std::string_view key, std::string_view value, const Definition& definition,
                    const Expected& expected);
  [[nodiscard]] bool is_value(std::string_view text, const Definition& definition) const;
  [[nodiscard]] Expected expected_of(std::string_view number, int ploidy, bool info) const;
  [[nodiscard]] Definition info_definition(std::string_view key) const;
  [[nodiscard]] Definition format_definition(std::string_view key) const;
  /// Whether this is told for the first time.
  [[nodiscard]] bool first_time(std::string_view what, std::string_view name);

  const VcfHeaderRules& header_;
  const Reference* reference_;
  Findings& findings_;
  std::array<std::string_view, 8> columns_;
  std::string_view format_, samples_;
  bool has_format_ = false, has_samples_ = false;
  std::int64_t position_ = 0;
  bool position_good_ = false;
  std::vector<std::string_view> alternatives_;
  bool no_alternative_ = false;  ///< ALT is "."
  struct FormatKey {
    std::string_view key;
    Definition definition;
  };
  std::vector<FormatKey> keys_;
  std::string last_format_;  // what keys_ points into
  NamesSeen seen_;
  std::string contig_;
  std::int64_t last_position_ = 0;
  TextSet contigs_seen_, told_;
  // Alleles of bases without what they share with REF, of places that later records may reach.
  std::set<std::tuple<std::int64_t, std::string, std::string>> recent_;
};

}  // namespace aceso::genomics
