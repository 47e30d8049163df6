// Judged variants as lines of VCF and of a table.
#pragma once

#include "compare_pipeline.hpp"

namespace aceso::genomics {

/// The piece as a VCF line would have it: with a base in front of what inserts or deletes.
[[nodiscard]] CompareError describe_piece(const Reference& reference, std::uint32_t contig,
                                          const VariantPiece& piece, bool is_truth,
                                          const Judgement& judgement);

/// The header of the annotated file, in the GA4GH's form with the samples TRUTH and QUERY.
[[nodiscard]] std::string annotated_header(const Reference& reference);
[[nodiscard]] std::string annotated_line(const CompareError& piece);

[[nodiscard]] std::string_view name_of(Nearness nearness) noexcept;
[[nodiscard]] std::string errors_header();
[[nodiscard]] std::string errors_line(const CompareError& error);

}  // namespace aceso::genomics
