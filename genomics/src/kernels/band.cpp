#include "kernels/band.hpp"

namespace aceso::genomics {

std::span<const AlignKernels* const> all_align_kernels() noexcept {
  static constexpr const AlignKernels* kAll[] = {
#if defined(__x86_64__)
      &kBandAvx512,
      &kBandAvx2,
#endif
      &kBandPortable,
  };
  return kAll;
}

const AlignKernels& align_kernels() noexcept {
  static const AlignKernels& best = []() -> const AlignKernels& {
    for (const AlignKernels* candidate : all_align_kernels()) {
      if (candidate->runs_here()) return *candidate;
    }
    return kBandPortable;
  }();
  return best;
}

}  // namespace aceso::genomics
