// Sorted records into a file.
#pragma once

#include "sam_writer.hpp"
#include "sorted_reads.hpp"

#include "aceso/app/app.hpp"

namespace aceso::genomics {

/// Sorts all records, notes the duplicates, and writes them if there is a writer.
void write_alignments(SortedReads& reads, SamWriter* writer, app::RunContext& context);

}  // namespace aceso::genomics
