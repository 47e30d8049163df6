// What the BED specification (GA4GH BED v1) demands of a line.
#pragma once

#include "check_findings.hpp"
#include "sam_header_rules.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace aceso::genomics {

class BedRules {
 public:
  /// `reference` may be null.
  BedRules(const Reference* reference, Findings& findings)
      : reference_(reference), findings_(findings) {}

  /// Findings stand where the caller has set them.
  void check(std::string_view line);

 private:
  [[nodiscard]] std::int64_t position(std::size_t column, std::string_view name);
  void check_standard_columns();
  void check_colour();
  void check_blocks();
  void check_reference();

  const Reference* reference_;
  Findings& findings_;
  std::array<std::string_view, 12> columns_;
  std::size_t count_ = 0, expected_ = 0;
  std::int64_t begin_ = -1, end_ = -1;
  TextSet told_;
};

}  // namespace aceso::genomics
