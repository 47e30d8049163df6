#include "kernels/kernels.hpp"

namespace aceso::genomics {

std::span<const Kernels* const> all_kernels() noexcept {
  static constexpr const Kernels* kAll[] = {
#if defined(__x86_64__)
      &kAvx2Kernels,
#endif
      &kPortableKernels,
  };
  return kAll;
}

const Kernels& kernels() noexcept {
  static const Kernels& best = []() -> const Kernels& {
    for (const Kernels* candidate : all_kernels()) {
      if (candidate->runs_here()) return *candidate;
    }
    return kPortableKernels;
  }();
  return best;
}

}  // namespace aceso::genomics
