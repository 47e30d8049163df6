#include "attention_kernels.hpp"

namespace aceso::train {

const AttentionKernels& best_attention() {
#if defined(__x86_64__)
  static const AttentionKernels& best =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") ? kAvx512Attention
      : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")       ? kAvx2Attention
                                                                              : kPortableAttention;
  return best;
#else
  return kPortableAttention;
#endif
}

}  // namespace aceso::train
