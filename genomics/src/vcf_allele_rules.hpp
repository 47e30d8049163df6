// The grammar of alleles and genotypes (VCF specification, sections 1.6.1 and 5.4).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace aceso::genomics {

/// [ACGTNacgtn]+
[[nodiscard]] bool are_vcf_bases(std::string_view text) noexcept;
/// Bases, `<ID>`, a breakend in any of its six forms, or *. (A lone . is for the caller to judge.)
[[nodiscard]] bool is_vcf_alternative(std::string_view text) noexcept;

struct GenotypeShape {
  int ploidy = 0;
  std::int64_t highest = -1;  ///< allele; -1 if all are missing
};
/// A genotype such as 0/1, .|2 or 0; nothing if `text` is none.
[[nodiscard]] std::optional<GenotypeShape> try_parse_genotype(std::string_view text,
                                                              int minor) noexcept;
/// Genotypes of `ploidy` chromosomes and `alleles` alleles; at most 2^31.
[[nodiscard]] std::int64_t genotype_count(std::int64_t alleles, int ploidy) noexcept;

}  // namespace aceso::genomics
