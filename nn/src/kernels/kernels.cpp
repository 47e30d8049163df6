#include "kernels/kernels.hpp"

#include <array>
#include <vector>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace aceso::nn::kernels {
namespace {

#if defined(__x86_64__)
/// Bit `bit` of EAX of CPUID leaf 7, subleaf 1, of which compilers' own queries know not all.
bool extended_feature(unsigned bit) {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && ((a >> bit) & 1U) != 0;
}
constexpr unsigned kAvxVnni = 4, kAvx512Bf16 = 5;

/// Whether there are tile registers for bf16 and int8, and Linux lets this process use them: their
/// contents are large, so it wants to be asked (its documentation, arch/x86/xstate).
bool tiles_are_granted() {
  constexpr unsigned kBf16 = 1U << 22U, kTile = 1U << 24U, kInt8 = 1U << 25U;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  if ((d & (kBf16 | kTile | kInt8)) != (kBf16 | kTile | kInt8)) return false;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

std::vector<const Table*> runnable() {
  std::vector<const Table*> tables{&portable()};
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return tables;
  tables.push_back(&avx2());
  if (extended_feature(kAvxVnni)) tables.push_back(&avx_vnni());
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq"))
    return tables;
  tables.push_back(&avx512());
  if (!__builtin_cpu_supports("avx512vnni")) return tables;
  tables.push_back(&avx512_vnni());
  if (!extended_feature(kAvx512Bf16)) return tables;
  tables.push_back(&avx512_bf16());
  if (tiles_are_granted()) tables.push_back(&amx());
  return tables;
}
#else
std::vector<const Table*> runnable() { return {&portable()}; }
#endif

}  // namespace

std::int64_t attention_workspace(std::int64_t length, std::int64_t head_size) {
  // Enough for any variant, with every factor as f32: keys and values, up to whole blocks of 192; a
  // block of 48 queries, its sums and its weights of 192 keys; 16 vectors and room behind them.
  const std::int64_t size = (head_size + 15) / 16 * 16;
  return (length + 200) * 2 * size + (48 + 48 + 17) * size + 192 * 48 + 16 + 6 * 16;
}

std::span<const Table* const> available() noexcept {
  static const std::vector<const Table*> tables = runnable();
  return tables;
}

const Table& best() noexcept { return *available().back(); }

}  // namespace aceso::nn::kernels
