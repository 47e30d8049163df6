// What the VCF specification (versions 4.1 to 4.4, section 1) demands of a header.
#pragma once

#include "check_findings.hpp"
#include "field_rules.hpp"
#include "sam_header_rules.hpp"
#include "vcf_reserved.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

class VcfHeaderRules {
 public:
  explicit VcfHeaderRules(Findings& findings) : findings_(findings) {}

  /// Takes the next line, which begins with '#'. Findings stand where the caller has set them.
  /// True: it was the last, the one with the columns' names.
  [[nodiscard]] bool add(std::string_view line);
  /// Compares contigs with a reference by name and length.
  void compare(const Reference& reference) const;

  /// Of 4.x; 3 if the file does not tell one that is known.
  [[nodiscard]] int minor() const noexcept { return minor_; }
  [[nodiscard]] std::size_t columns() const noexcept { return columns_; }
  [[nodiscard]] const VcfField* info(std::string_view key) const noexcept;
  [[nodiscard]] const VcfField* format(std::string_view key) const noexcept;
  [[nodiscard]] bool has_filter(std::string_view id) const noexcept {
    return filters_.contains(id);
  }
  [[nodiscard]] bool has_allele(std::string_view id) const noexcept {
    return alleles_.contains(id);
  }
  [[nodiscard]] bool has_contigs() const noexcept { return !contigs_.empty(); }
  /// Length of a contig, 0 if not told; nothing if there is no such contig.
  [[nodiscard]] std::optional<std::int64_t> contig_length(std::string_view id) const noexcept;

 private:
  struct Entry {
    std::string_view key, value;  ///< of a text in quotes what is between them
    bool quoted = false;
  };
  void check_version(std::string_view line);
  void check_meta(std::string_view line);
  [[nodiscard]] bool split(std::string_view key, std::string_view text);
  [[nodiscard]] const Entry* entry(std::string_view key) const noexcept;
  [[nodiscard]] std::string_view required(std::string_view line_key, std::string_view key);
  void check_identifier(std::string_view line_key);
  void check_description(std::string_view line_key);
  void check_order(std::string_view line_key, std::initializer_list<std::string_view> keys);
  void check_field(std::string_view line_key, TextMap<VcfField>& fields);
  void check_reserved(std::string_view line_key, std::string_view id, const VcfField& field);
  void check_filter();
  void check_allele();
  void check_contig();
  void check_other(std::string_view line_key);
  void check_genomes();
  void check_location(std::string_view line_key, std::string_view value);
  void check_columns(std::string_view line);

  Findings& findings_;
  std::vector<Entry> entries_;  // of the line
  NamesSeen seen_;
  std::uint64_t lines_ = 0;
  int minor_ = 3;
  std::size_t columns_ = 8;
  TextMap<VcfField> info_, format_;
  TextSet filters_, alleles_, others_;
  TextMap<std::int64_t> contigs_;
};

}  // namespace aceso::genomics
