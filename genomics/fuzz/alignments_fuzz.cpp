// Foreign bytes as BAM, CRAM or SAM: they may be refused with an Error, nothing else.
#include "alignment_file.hpp"
#include "memory_file.hpp"
#include "packed_record.hpp"

#include "aceso/core/error.hpp"

#include <htslib/hts_log.h>

#include <cstdlib>
#include <cstring>
#include <memory>

namespace {

using namespace aceso;

const genomics::Reference& reference() {
  static const genomics::OwnedReference owned = genomics::read_reference(
      genomics::MemoryFile(">one\nACGTACGTAC\n>two\n" + std::string(500, 'A') + "\n").path());
  return owned.reference;
}

/// What the caller relies on.
void check(const genomics::RecordBatch& batch) {
  for (std::size_t at = 0; at < batch.bytes.size();) {
    genomics::PackedRecord head;
    if (batch.bytes.size() - at < sizeof head) std::abort();
    std::memcpy(&head, batch.bytes.data() + at, sizeof head);
    if (head.size % 8 != 0 || head.size < sizeof head + head.data_size() ||
        batch.bytes.size() - at < head.size || head.position >= reference().codes().size())
      std::abort();
    at += head.size;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hts_set_log_level(HTS_LOG_OFF);
  const genomics::MemoryFile bytes({reinterpret_cast<const char*>(data), size});
  const ScratchFolder scratch(std::filesystem::temp_directory_path());
  try {
    Warnings warnings;
    genomics::AlignmentFile file(
        bytes.path(), reference(), warnings,
        {.sample = {}, .threads = 1, .scratch = scratch.path(), .only = {}});
    for (genomics::RecordBatch batch; file.next(batch); batch = {}) check(batch);
  } catch (const Error&) {
  }
  return 0;
}
