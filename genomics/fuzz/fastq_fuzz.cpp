// Foreign bytes as plain FASTQ, gzip and BGZF: they may be refused with an Error, nothing else.
// The first byte chooses how the rest is packed, so that checksums do not keep the fuzzer out.

#include "aceso/genomics/fastq.hpp"

#include "bgzf.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <isa-l/igzip_lib.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace aceso;

std::string gzipped(std::string_view text) {
  std::vector<std::uint8_t> level(ISAL_DEF_LVL1_DEFAULT);
  std::string out(text.size() * 2 + 1024, '\0');
  isal_zstream stream;
  isal_deflate_stateless_init(&stream);
  stream.level = 1;
  stream.level_buf = level.data();
  stream.level_buf_size = static_cast<std::uint32_t>(level.size());
  stream.gzip_flag = IGZIP_GZIP;
  stream.end_of_stream = 1;
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<std::uint32_t>(text.size());
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = static_cast<std::uint32_t>(out.size());
  if (isal_deflate_stateless(&stream) != COMP_OK) std::abort();
  out.resize(stream.total_out);
  return out;
}

std::string packed(std::uint8_t how, std::string_view text) {
  std::string out;
  switch (how % 6) {
    case 1:
      return gzipped(text);
    case 2:
      return gzipped(text.substr(0, text.size() / 2)) + gzipped(text.substr(text.size() / 2));
    case 3:
      genomics::BgzfDeflater(1).deflate(text, out);
      return out.append(genomics::bgzf_end_marker());
    case 4:
      return std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", 10).append(text);
    case 5:
      return std::string("\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\x06\x00\x42\x43\x02\x00", 16)
          .append(text);
    default:
      return std::string(text);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes = packed(data[0], {reinterpret_cast<const char*>(data) + 1, size - 1});
  const FileHandle file(memfd_create("fastq", 0));
  write_all(file.get(), std::as_bytes(std::span(bytes)), "memory");
  Warnings warnings;
  try {
    genomics::FastqReader reader({"/proc/self/fd/" + std::to_string(file.get())}, warnings,
                                 1 + data[0] / 32);
    genomics::ParsedChunk chunk;
    while (reader.next(chunk)) {
      for (std::size_t i = 0; i < chunk.records.size(); ++i) {
        // What is handed out must hold what it promises.
        if (chunk.records[i].bases_view().size() != chunk.records[i].qualities_view().size())
          std::abort();
        for (const char q : chunk.records[i].qualities_view())
          if (q < 33 || q > 126) std::abort();
      }
    }
  } catch (const Error& error) {
    if (error.code() == Errc::Internal) std::abort();
  }
  return 0;
}
