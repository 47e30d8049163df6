// Any bytes, as a FASTA file: records or an Error.
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/lm/fasta.hpp"

#include <cstdint>
#include <filesystem>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aceso;
  static const ScratchFolder folder(std::filesystem::temp_directory_path());
  const auto path = folder.path() / "s.fasta";
  write_file(path, {reinterpret_cast<const char*>(data), size});
  try {
    for (const auto& record : lm::read_fasta(path))
      if (record.id.empty()) __builtin_trap();
  } catch (const Error&) {
  }
  return 0;
}
