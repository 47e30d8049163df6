#include "kernels/kernels.hpp"

#define ACESO_TILES

namespace aceso::nn::kernels {
namespace {
constexpr std::int64_t kWidth = 16;
constexpr std::int64_t kSums = 24;  // of 32 registers
}  // namespace
}  // namespace aceso::nn::kernels

#include "kernels/kernels.inl"

namespace aceso::nn::kernels {

const Table& amx() noexcept {
  static constexpr Table table = table_named("amx");
  return table;
}

}  // namespace aceso::nn::kernels
