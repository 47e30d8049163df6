// Variants of a VCF file, page by page, for people to look through.
#pragma once

#include "aceso/app/file_view.hpp"

namespace aceso::genomics {

/// Reads VCF, plain or BGZF. A page goes on where the one before ended; with a tabix index a region
/// is found without reading what stands before it. Filters: region, kind, filter, quality, genotype
/// (of the first sample) and text.
[[nodiscard]] app::FileView variant_view();

}  // namespace aceso::genomics
