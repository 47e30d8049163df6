#include "kernels/decode.hpp"

#include "kernels/kernels.hpp"

#include <array>

namespace aceso::nn::kernels {

std::span<const DecodeTable* const> available_decoders() noexcept {
#if defined(__x86_64__)
  // The same instruction sets in the same order as the other kernels.
  static const std::array<const DecodeTable*, 3> all{&decode_portable(), &decode_avx2(),
                                                     &decode_avx512()};
  return std::span(all).first(available().size());
#else
  static const std::array<const DecodeTable*, 1> all{&decode_portable()};
  return all;
#endif
}

const DecodeTable& best_decoder() noexcept { return *available_decoders().back(); }

}  // namespace aceso::nn::kernels
