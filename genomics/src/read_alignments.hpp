// From BAM, CRAM or SAM to records in buckets: what was aligned before is called without aligning
// it again.
#pragma once

#include "alignment_file.hpp"
#include "sorted_reads.hpp"

#include "aceso/app/app.hpp"
#include "aceso/genomics/reference.hpp"

#include <string>

namespace aceso::genomics {

/// The records of a file with its sample's name.
struct ReadAlignments {
  SortedReads reads;
  std::string sample;  ///< empty: the file does not tell
};

/// Reads all records wanted, in any order; duplicates are those that the file marks.
/// \throws Error as AlignmentFile does; OutOfResources, Cancelled.
[[nodiscard]] ReadAlignments read_alignments(const std::filesystem::path& path,
                                             const Reference& reference,
                                             const AlignmentFileOptions& options,
                                             std::uint64_t memory, app::RunContext& context);

}  // namespace aceso::genomics
