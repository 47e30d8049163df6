// Indexes of FASTA files as samtools faidx makes them: where each contig's bases stand, and for
// BGZF where each block does.
#pragma once

#include "aceso/app/file_index.hpp"

namespace aceso::genomics {

/// Writes "fai" (samtools' faidx(5)) and, of BGZF, "gzi" (bgzip(1)), in one pass over the file. Of
/// what gzip has packed in one piece, "bgz" is a copy in blocks, and "gzi" is of that.
/// Holds the fai's text, which may have 64 MB, and as much again for the names.
/// \throws Error CorruptData for lines of a contig that differ in length before its last one, two
///         contigs of one name, one without bases, what is no FASTA, or damaged blocks; Unsupported
///         for another compression, or too many contigs.
[[nodiscard]] app::FileIndex fasta_index();

}  // namespace aceso::genomics
