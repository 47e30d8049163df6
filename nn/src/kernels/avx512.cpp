#include "kernels/kernels.hpp"

namespace aceso::nn::kernels {
namespace {
constexpr std::int64_t kWidth = 16;
constexpr std::int64_t kSums = 24;  // of 32 registers
}  // namespace
}  // namespace aceso::nn::kernels

#include "kernels/kernels.inl"

namespace aceso::nn::kernels {

const Table& avx512() noexcept {
  static constexpr Table table = table_named("avx512");
  return table;
}

}  // namespace aceso::nn::kernels
