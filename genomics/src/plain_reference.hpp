// A reference as plain FASTA with its index, which is what htslib's CRAM asks for.
#pragma once

#include "aceso/genomics/reference.hpp"

#include <filesystem>

namespace aceso::genomics {

/// Writes reference.fa and reference.fa.fai into `folder`; returns the first.
/// \throws Error Io, OutOfResources.
[[nodiscard]] std::filesystem::path write_plain_reference(const Reference& reference,
                                                          const std::filesystem::path& folder);

}  // namespace aceso::genomics
