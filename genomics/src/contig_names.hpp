// Names of contigs as different sources write them.
#pragma once

#include "aceso/genomics/reference.hpp"

#include <string>
#include <string_view>

namespace aceso::genomics {

/// The name without "chr" in front, and MT for M: equal for chr1 and 1, chrM and MT.
[[nodiscard]] std::string plain_contig_name(std::string_view name);

/// Index of the contig of that name, or of the one whose plain name is the same; -1 if there is
/// none. Cost of the latter: looks at all contigs.
[[nodiscard]] int find_contig(const Reference& reference, std::string_view name);

}  // namespace aceso::genomics
