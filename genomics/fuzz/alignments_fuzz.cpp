// Foreign bytes as BAM, CRAM or SAM, read for calling and merged with another file: they may be
// refused with an Error, nothing else. The first byte chooses whether a good header of SAM or BAM
// stands before them, so that records are reached.
#include "alignment_file.hpp"
#include "alignment_merge.hpp"
#include "memory_file.hpp"
#include "packed_record.hpp"

#include "aceso/core/error.hpp"

#include <htslib/hts_log.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

namespace {

using namespace aceso;

const genomics::Reference& reference() {
  static const genomics::OwnedReference owned = genomics::read_reference(
      genomics::MemoryFile(">one\nACGTACGTAC\n>two\n" + std::string(500, 'A') + "\n").path());
  return owned.reference;
}

constexpr std::string_view kSamHeader =
    "@HD\tVN:1.6\n@SQ\tSN:one\tLN:10\n@SQ\tSN:two\tLN:500\n@RG\tID:a\tSM:s\n";

void append_number(std::string& to, std::size_t value) {
  for (int byte = 0; byte < 4; ++byte) to += static_cast<char>(value >> (8 * byte) & 0xffU);
}

/// The same header as BAM without compression, which htslib reads too.
std::string bam_header() {
  std::string out = "BAM\1";
  append_number(out, kSamHeader.size());
  out += kSamHeader;
  append_number(out, 2);
  for (const auto& [name, length] : {std::pair("one", 10U), {"two", 500U}}) {
    append_number(out, 4);
    out += std::string(name) + '\0';
    append_number(out, length);
  }
  return out;
}

/// The bytes as BAM records whose sizes are right and whose other fields are what they may be.
std::string bam_records(std::string_view bytes) {
  constexpr std::size_t kFixed = 32, kNameLength = 8, kCigarCount = 12, kReadLength = 16;
  std::string out;
  while (bytes.size() >= kFixed) {
    std::string record(bytes.substr(0, kFixed));
    bytes.remove_prefix(kFixed);
    const std::size_t operations = static_cast<unsigned char>(record[kCigarCount]) % 4;
    const std::size_t length = static_cast<unsigned char>(record[kReadLength]) % 32;
    const std::size_t tags = static_cast<unsigned char>(record[kReadLength + 1]) % 16;
    record[kNameLength] = 2;
    record[kCigarCount] = static_cast<char>(operations);
    record[kCigarCount + 1] = 0;
    record.replace(kReadLength, 4, {static_cast<char>(length), 0, 0, 0});
    record += std::string("r\0", 2);
    const std::size_t rest = operations * 4 + (length + 1) / 2 + length + tags;
    record += bytes.substr(0, std::min(rest, bytes.size()));
    bytes.remove_prefix(std::min(rest, bytes.size()));
    record.resize(kFixed + 2 + rest);
    append_number(out, record.size());
    out += record;
  }
  return out;
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

/// What the writer relies on.
void merge(const std::filesystem::path& path, const std::filesystem::path& scratch) {
  const genomics::MemoryFile other(std::string(kSamHeader) +
                                   "@PG\tID:p\tPP:q\n@PG\tID:q\n@CO\tx\n"
                                   "r\t0\tone\t2\t9\t4M\t*\t0\t0\tACGT\tIIII\tRG:Z:a\tPG:Z:p\n"
                                   "s\t4\t*\t0\t0\t*\t*\t0\t0\tACGT\tIIII\tRG:Z:a\n");
  Warnings warnings;
  genomics::LentReference lent(reference(), scratch);
  genomics::AlignmentMerge merge({other.path(), path}, warnings,
                                 {.reference = nullptr, .lent = &lent, .threads = nullptr});
  const std::string text = merge.header().text("PN:x");
  const genomics::HtsHeader header(sam_hdr_parse(text.size(), text.c_str()));
  if (header && sam_hdr_nref(header.get()) != 2) std::abort();
  std::uint32_t contig = 0;
  std::size_t count = 0;
  for (; const bam1_t* record = merge.next(); ++count) {
    if (static_cast<std::uint32_t>(record->core.tid) < contig) std::abort();
    contig = static_cast<std::uint32_t>(record->core.tid);
  }
  if (count < 2) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  hts_set_log_level(HTS_LOG_OFF);
  const unsigned kind = data[0] % 4;
  const std::string foreign(reinterpret_cast<const char*>(data) + 1, size - 1);
  const genomics::MemoryFile bytes(kind == 1   ? std::string(kSamHeader) + foreign
                                   : kind == 2 ? bam_header() + foreign
                                   : kind == 3 ? bam_header() + bam_records(foreign)
                                               : foreign);
  const ScratchFolder scratch(std::filesystem::temp_directory_path());
  try {
    Warnings warnings;
    genomics::AlignmentFile file(
        bytes.path(), reference(), warnings,
        {.sample = {}, .threads = 1, .scratch = scratch.path(), .only = {}, .read_groups = true});
    for (genomics::RecordBatch batch; file.next(batch); batch = {}) check(batch);
  } catch (const Error&) {
  }
  try {
    merge(bytes.path(), scratch.path());
  } catch (const Error&) {
  }
  return 0;
}
