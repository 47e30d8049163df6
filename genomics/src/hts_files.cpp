#include "hts_files.hpp"

#include "plain_reference.hpp"

#include "aceso/core/error.hpp"

#include <htslib/cram.h>
#include <htslib/hts_log.h>

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

}  // namespace aceso::genomics
