#include "kernels/kernels.hpp"

namespace aceso::nn::kernels {
namespace {
constexpr std::int64_t kWidth = 8;
}  // namespace
}  // namespace aceso::nn::kernels

#include "kernels/kernels.inl"

namespace aceso::nn::kernels {

const Table& avx2() noexcept {
  static constexpr Table table{"avx2", norm_rows, gelu_f32, gelu_b16, attention_any};
  return table;
}

}  // namespace aceso::nn::kernels
