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

// Through a handle of our own: what a file was given by name it tells in its header (tag UR), and
// this name is gone when we end.
void LentReference::lend(htsFile& file) {
  if (!lender_) {
    const std::filesystem::path fasta = write_plain_reference(reference_, scratch_);
    lender_.reset(hts_open("/dev/null", "wc"));
    if (!lender_ || hts_set_fai_filename(lender_.get(), fasta.c_str()) != 0)
      fail(Errc::Internal, "htslib did not take the reference");
  }
  if (hts_set_opt(&file, CRAM_OPT_SHARED_REF, cram_get_refs(lender_.get())) != 0)
    fail(Errc::Internal, "htslib did not take the reference");
}

void lend_reference(htsFile& file, const Reference& reference,
                    const std::filesystem::path& scratch) {
  LentReference(reference, scratch).lend(file);
}

HtsThreads::HtsThreads(unsigned threads, Workers)
    : pool_(threads > 0 ? hts_tpool_init(static_cast<int>(threads)) : nullptr) {
  if (threads > 0 && !pool_) fail(Errc::OutOfResources, "{} threads could not be started", threads);
}

void HtsThreads::serve(htsFile& file) const {
  if (!pool_) return;
  htsThreadPool lent{pool_.get(), 0};
  if (hts_set_thread_pool(&file, &lent) != 0)
    fail(Errc::OutOfResources, "a thread to read or write a file could not be started");
}

std::uint64_t bytes_read(const htsFile& file) {
  if (file.is_bgzf != 0) return static_cast<std::uint64_t>(file.fp.bgzf->block_address);
  hFILE* stream = file.is_cram != 0 ? cram_fd_get_fp(file.fp.cram) : file.fp.hfile;
  return static_cast<std::uint64_t>(std::max<off_t>(0, htell(stream)));
}

}  // namespace aceso::genomics
