// Several files of alignments into one, for `genomics merge`.
#pragma once

#include "aceso/app/app.hpp"

#include <filesystem>
#include <optional>
#include <vector>

namespace aceso::genomics {

struct MergeAlignmentsJob {
  std::vector<std::filesystem::path> aligned;
  std::optional<std::filesystem::path> reference, alignments;
  int compression_level = 5;
};

/// Merges, writes and reports. \throws Error as AlignmentMerge and AlignmentWriter do; Cancelled.
void merge_alignments(const MergeAlignmentsJob& job, app::RunContext& context);

}  // namespace aceso::genomics
