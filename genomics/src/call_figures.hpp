// The figures of a call as VCF's INFO column tells them, and as the learnt filter takes them: both
// from one table, so that calls are scored alike while they are made and from their file later.
#pragma once

#include "variant_call.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aceso::genomics {

/// A call's evidence with what is computed from it.
struct CallFigures {
  double depth = 0, mapping_quality = 0;
  double strand_bias = 0;  ///< phred of the p-value of Fisher's exact test
  double odds_ratio = 0;   ///< natural logarithm of the symmetric strand odds ratio
  double quality_by_depth = 0;
  CallEvidence evidence;
};
[[nodiscard]] CallFigures figures_of(const VariantCall& call);

/// One number of INFO.
struct InfoField {
  std::string_view name, type, description;
  int decimals;
  double (*value)(const CallFigures&);

  [[nodiscard]] std::string text(const CallFigures& figures) const;
  [[nodiscard]] std::string header_line() const;
};
[[nodiscard]] std::span<const InfoField> info_fields();

/// QUAL, with two decimals.
[[nodiscard]] std::string quality_text(double quality);

/// Names of what the filter learns from: QUAL, GQ, those of info_fields(), and what alleles and
/// genotype tell (LENGTH, ALLELES, HET).
[[nodiscard]] const std::vector<std::string>& feature_names();

/// What REF, ALT and GT tell.
struct GenotypeShape {
  double length = 0;   ///< bases gained (or lost) by the first alternative in the genotype
  double alleles = 0;  ///< alternatives of the line
  bool heterozygous = false;
};
[[nodiscard]] GenotypeShape shape_of(std::string_view reference,
                                     std::span<const std::string> alternatives,
                                     std::span<const int> genotype);

/// The features of a call, rounded as its line in a file is.
[[nodiscard]] std::vector<float> features_of(const VariantCall& call, const CallFigures& figures);

}  // namespace aceso::genomics
