// Compares two sets of variants, contig by contig.
#pragma once

#include "compare_counts.hpp"
#include "compare_job.hpp"

#include "aceso/app/app.hpp"

#include <functional>
#include <map>
#include <span>

namespace aceso::genomics {

/// A false positive or negative, for people.
struct CompareError {
  bool is_truth = false;
  std::string contig;
  std::uint32_t position = 0;  ///< 1-based, of the VCF line
  std::string reference, alternatives, genotype;
  Judgement judgement;
};

/// Records that were not compared, by reason.
struct LeftOut {
  std::uint64_t filtered = 0, low_quality = 0, no_genotype = 0, reference_genotype = 0,
                symbolic = 0, polyploid = 0, no_place = 0, other_contig = 0;
};

struct CompareResult {
  CompareCounts counts;
  LeftOut left_out_truth, left_out_calls;
  std::uint64_t region_bases = 0;
  std::vector<CompareError> first_errors;  ///< at most kShownErrors
  std::string truth_sample, sample;
};
inline constexpr std::size_t kShownErrors = 200;

/// Told of each contig's calls and what was decided of them.
using CompareObserver =
    std::function<void(std::span<const VariantPiece>, std::span<const Judgement>)>;

/// Writes annotated and errors if asked for.
/// \throws Error as read_bed and VcfRecords do; CorruptData if a file has no record on a contig of
///         the reference.
[[nodiscard]] CompareResult run_compare(const CompareJob& job, app::RunContext& context,
                                        const CompareObserver& observer = {});

}  // namespace aceso::genomics
