// Sites of several samples as lines of VCF.
#pragma once

#include "joint_genotype.hpp"

#include <optional>
#include <string>
#include <vector>

namespace aceso::genomics {

/// A called site without the alleles that nobody has.
struct JointLine {
  std::uint32_t contig = 0, position = 0;
  std::vector<std::string> alleles;  ///< REF first
  bool passed = true;
  std::vector<JointGenotype> samples;
  std::vector<std::uint32_t> counts;
  std::string text;
};

/// Nothing if no sample has an alternative other than '*'.
[[nodiscard]] std::optional<JointLine> joint_line(const JointSite& site, JointCall call,
                                                  const std::vector<DeclaredContig>& contigs,
                                                  double pass_quality);

[[nodiscard]] std::string joint_header(const std::vector<DeclaredContig>& contigs,
                                       const std::vector<std::string>& samples,
                                       double pass_quality);

}  // namespace aceso::genomics
