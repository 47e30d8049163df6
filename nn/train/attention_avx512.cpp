#include "attention_kernels.hpp"

namespace aceso::train {
namespace {
constexpr std::int64_t kWidth = 16;
}  // namespace
}  // namespace aceso::train

#include "attention_kernels.inl"

namespace aceso::train {

const AttentionKernels kAvx512Attention{"avx512", attend, backward};

}  // namespace aceso::train
