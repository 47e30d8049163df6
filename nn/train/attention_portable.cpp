#include "attention_kernels.hpp"

namespace aceso::train {
namespace {
constexpr std::int64_t kWidth = 4;
}  // namespace
}  // namespace aceso::train

#include "attention_kernels.inl"

namespace aceso::train {

const AttentionKernels kPortableAttention{"portable", attend, backward};

}  // namespace aceso::train
