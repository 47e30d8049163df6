// What reading and writing alignments by htslib share. Included by source files only.
#pragma once

#include "aceso/genomics/reference.hpp"

#include <htslib/hts.h>
#include <htslib/sam.h>

#include <cstdint>
#include <filesystem>
#include <memory>

namespace aceso::genomics {

struct CloseHtsFile {
  void operator()(htsFile* file) const noexcept { hts_close(file); }
};
struct FreeHtsHeader {
  void operator()(sam_hdr_t* header) const noexcept { sam_hdr_destroy(header); }
};
using HtsFile = std::unique_ptr<htsFile, CloseHtsFile>;
using HtsHeader = std::unique_ptr<sam_hdr_t, FreeHtsHeader>;

/// From now on htslib does not print: a library does not, and what matters is thrown.
void silence_htslib();

/// Gives a CRAM file, before its header is read or written, the reference that its records are told
/// against; `scratch` is a folder to lay it down in. \throws Error Io, OutOfResources.
void lend_reference(htsFile& file, const Reference& reference,
                    const std::filesystem::path& scratch);

/// How many bytes of an open file were read.
[[nodiscard]] std::uint64_t bytes_read(const htsFile& file);

}  // namespace aceso::genomics
