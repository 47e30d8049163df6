// Any bytes, as a safetensors file: tensors whose every byte can be read, or an Error.
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/nn/tensor_file.hpp"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aceso;
  static const ScratchFolder folder(std::filesystem::temp_directory_path());
  const auto path = folder.path() / "w.safetensors";
  write_file(path, {reinterpret_cast<const char*>(data), size});
  try {
    const nn::TensorFile file(path);
    unsigned sum = 0;
    for (const auto& [name, tensor] : file.all()) {
      const auto bytes =
          static_cast<std::size_t>(tensor.element_count()) * size_in_bytes(tensor.type());
      for (std::size_t i = 0; i < bytes; ++i) sum += static_cast<unsigned>(tensor.data()[i]);
    }
    [[maybe_unused]] volatile unsigned kept = sum;
  } catch (const Error&) {
  }
  return 0;
}
