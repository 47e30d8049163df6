// All kernels, in order. A source for one instruction set defines kWidth, the floats of a vector,
// and kSums, how many registers hold the sums of a product's tile (12 or 24), and includes this.

#include "kernels/vectors.inl"

#include "kernels/tiles.inl"

#include "kernels/elementwise.inl"

#include "kernels/product.inl"

#include "kernels/attention.inl"

namespace aceso::nn::kernels {
namespace {

constexpr Table table_named(const char* name) {
  return {.name = name,
          .panel = kPanel,
          .vector = kWidth,
          .groups = kGroupsStep,
          .rows = kRowsStep,
          .bf16 = kHasBf16,
          .int8 = kHasInt8,
          .product = product_any,
          .quantise = quantise_rows,
          .widen = widen_all,
          .norm = norm_rows,
          .gelu = gelu_f32,
          .gelu_bf16 = gelu_b16,
          .attention = attention_any};
}

}  // namespace
}  // namespace aceso::nn::kernels
