// Sorted records into a file.
#pragma once

#include "record_figures.hpp"
#include "sam_writer.hpp"
#include "sorted_reads.hpp"

#include "aceso/app/app.hpp"

namespace aceso::genomics {

/// Sorts all records, notes the duplicates, and hands the records to a writer and to figures, where
/// there are such.
void write_alignments(SortedReads& reads, SamWriter* writer, RecordFigures* figures,
                      app::RunContext& context);

}  // namespace aceso::genomics
