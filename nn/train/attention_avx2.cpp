#include "attention_kernels.hpp"

namespace aceso::train {
namespace {
constexpr std::int64_t kWidth = 8;
}  // namespace
}  // namespace aceso::train

#include "attention_kernels.inl"

namespace aceso::train {

const AttentionKernels kAvx2Attention{"avx2", attend, backward};

}  // namespace aceso::train
