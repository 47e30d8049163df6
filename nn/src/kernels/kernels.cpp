#include "kernels/kernels.hpp"

#include <array>

namespace aceso::nn::kernels {

std::int64_t attention_workspace(std::int64_t length, std::int64_t head_size) {
  // Enough for the widest variant: 16 floats a vector, two vectors of keys at a time.
  const std::int64_t keys = (length + 31) / 32 * 32;
  const std::int64_t size = (head_size + 15) / 16 * 16;
  return keys * (3 * size + 8) + 64;
}

std::span<const Table* const> available() noexcept {
#if defined(__x86_64__)
  static const std::array<const Table*, 3> all{&portable(), &avx2(), &avx512()};
  static const std::size_t count = [] {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 1;
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    return wide ? 3 : 2;
  }();
  return std::span(all).first(count);
#else
  static const std::array<const Table*, 1> all{&portable()};
  return all;
#endif
}

const Table& best() noexcept { return *available().back(); }

}  // namespace aceso::nn::kernels
