#include "hts_files.hpp"

#include "plain_reference.hpp"

#include "aceso/core/error.hpp"

#include <htslib/bgzf.h>
#include <htslib/cram.h>
#include <htslib/hfile.h>
#include <htslib/hts_log.h>

#include <algorithm>

namespace aceso::genomics {

void silence_htslib() { hts_set_log_level(HTS_LOG_OFF); }

void lend_reference(htsFile& file, const Reference& reference,
                    const std::filesystem::path& scratch) {
  const std::filesystem::path fasta = write_plain_reference(reference, scratch);
  // Through a second handle: what a file was given by name it tells in its header (tag UR), and
  // this name is gone when we end.
  const HtsFile lender(hts_open("/dev/null", "wc"));
  if (!lender || hts_set_fai_filename(lender.get(), fasta.c_str()) != 0 ||
      hts_set_opt(&file, CRAM_OPT_SHARED_REF, cram_get_refs(lender.get())) != 0)
    fail(Errc::Internal, "htslib did not take the reference");
}

std::uint64_t bytes_read(const htsFile& file) {
  if (file.is_bgzf != 0) return static_cast<std::uint64_t>(file.fp.bgzf->block_address);
  hFILE* stream = file.is_cram != 0 ? cram_fd_get_fp(file.fp.cram) : file.fp.hfile;
  return static_cast<std::uint64_t>(std::max<off_t>(0, htell(stream)));
}

}  // namespace aceso::genomics
