// Foreign bytes as a FASTA reference, to be read or to be indexed for the console, and as an index
// of one: they may be refused with an Error, nothing else. The first byte chooses; an index's bytes
// are laid over a good one's, so that the fuzzer gets past its head.

#include "fasta_index.hpp"
#include "memory_file.hpp"

#include "aceso/genomics/aligner.hpp"
#include "aceso/genomics/seed_index.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace {

using namespace aceso;
using genomics::MemoryFile;

std::string random_letters(std::size_t length) {
  std::string out;
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < length; ++i) {
    state = state * 1664525U + 1013904223U;
    out += "ACGT"[state >> 30];
  }
  return out;
}

const std::string& good_index() {
  static const std::string bytes = [] {
    const MemoryFile fasta(">one\n" + random_letters(3000) + "\n");
    const auto reference =
        std::make_shared<const genomics::OwnedReference>(genomics::read_reference(fasta.path()));
    const ScratchFolder folder(std::filesystem::temp_directory_path());
    const auto path = folder.path() / "index";
    genomics::SeedIndex::build(reference, 1).save(path, fasta.path());
    return read_file(path);
  }();
  return bytes;
}

void use_index(std::string_view changes) {
  std::string bytes = good_index();
  // Three bytes a change: where, and what.
  for (std::size_t i = 0; i + 2 < changes.size(); i += 3) {
    const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(changes[at]); };
    bytes[(byte(i) * 256U + byte(i + 1)) % bytes.size()] = changes[i + 2];
  }
  const MemoryFile file(bytes);
  const genomics::SeedIndex index = genomics::SeedIndex::open(file.path());
  genomics::Aligner aligner(index);
  const std::string read = random_letters(3000).substr(100, 150);
  std::vector<std::uint8_t> codes;
  for (const char letter : read) codes.push_back(genomics::code_of_base(letter));
  static_cast<void>(aligner.align(codes));
}

void make_index(std::string_view bytes) {
  const MemoryFile file(bytes);
  const ScratchFolder folder(std::filesystem::temp_directory_path());
  Progress unheard;
  genomics::fasta_index().make(
      {.file = file.path(), .file_name = "fuzz", .folder = folder.path(), .progress = unheard});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    if (data[0] % 3 == 0)
      static_cast<void>(genomics::read_reference(MemoryFile(bytes).path()));
    else if (data[0] % 3 == 1)
      use_index(bytes);
    else
      make_index(bytes);
  } catch (const Error&) {
  }
  return 0;
}
