#include "kernels/kernels.hpp"

namespace aceso::nn::kernels {
namespace {
constexpr std::int64_t kWidth = 8;
constexpr std::int64_t kSums = 12;  // of 16 registers
}  // namespace
}  // namespace aceso::nn::kernels

#include "kernels/kernels.inl"

namespace aceso::nn::kernels {

const Table& avx_vnni() noexcept {
  static constexpr Table table = table_named("avx-vnni");
  return table;
}

}  // namespace aceso::nn::kernels
