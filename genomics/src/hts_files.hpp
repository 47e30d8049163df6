// What reading and writing alignments by htslib share. Included by source files only.
#pragma once

#include <htslib/hts.h>
#include <htslib/sam.h>

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

}  // namespace aceso::genomics
