// Any bytes, as a zip archive, a legacy archive or a bare pickle: weights or an Error.
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/nn/foreign_weights.hpp"
#include "pickle.hpp"

#include <cstdint>
#include <filesystem>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aceso;
  static const ScratchFolder folder(std::filesystem::temp_directory_path());
  try {
    nn::PickleArena arena;
    std::size_t used = 0;
    static_cast<void>(nn::read_pickle(std::as_bytes(std::span(data, size)), "fuzz", arena, used));
  } catch (const Error&) {
  }
  const auto path = folder.path() / "w.pt";
  write_file(path, {reinterpret_cast<const char*>(data), size});
  try {
    for (const auto& [name, tensor] : nn::read_foreign_weights(path).tensors)
      static_cast<void>(nn::to_float32(tensor));
  } catch (const Error&) {
  }
  return 0;
}
