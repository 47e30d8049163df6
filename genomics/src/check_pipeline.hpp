// Checks files of any kind that sequencing knows.
#pragma once

#include "check_findings.hpp"

#include "aceso/app/app.hpp"
#include "aceso/genomics/reference.hpp"

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace aceso::genomics {

enum class FileType : std::uint8_t { Sam, Bam, Cram, Vcf, Bcf, Fasta, Fastq, Bed, Unknown };

[[nodiscard]] std::string_view name(FileType type) noexcept;

struct CheckedFile {
  FileType type = FileType::Unknown;
  std::uint64_t records = 0;
};

/// Reads `path`, a file or a pipe, once, and adds all that is wrong to `findings`. What it is, its
/// first bytes tell, inflated if need be; its name, where they could be several things. Memory does
/// not grow with the file, but for names of contigs. `reference` may be null.
/// \throws Error NotFound, Io, OutOfResources, Cancelled; never for what the file holds.
[[nodiscard]] CheckedFile check_file(const std::filesystem::path& path, const Reference* reference,
                                     Findings& findings, app::RunContext& context);

}  // namespace aceso::genomics
