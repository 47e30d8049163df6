#include "kernels/decode.hpp"

#include "kernels/kernels.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace aceso::nn::kernels {
namespace {

/// Those whose instruction set the other kernels, of which there are more, found here too.
std::vector<const DecodeTable*> runnable() {
  std::vector<const DecodeTable*> tables{&decode_portable()};
#if defined(__x86_64__)
  for (const DecodeTable* table : {&decode_avx2(), &decode_avx512()})
    if (std::ranges::any_of(available(), [&](const Table* one) {
          return std::string_view(one->name) == table->name;
        }))
      tables.push_back(table);
#endif
  return tables;
}

}  // namespace

std::span<const DecodeTable* const> available_decoders() noexcept {
  static const std::vector<const DecodeTable*> tables = runnable();
  return tables;
}

const DecodeTable& best_decoder() noexcept { return *available_decoders().back(); }

}  // namespace aceso::nn::kernels
