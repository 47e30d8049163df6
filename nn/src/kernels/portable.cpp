#include "kernels/kernels.hpp"

namespace aceso::nn::kernels {
namespace {
constexpr std::int64_t kWidth = 4;
#if defined(__aarch64__)
constexpr std::int64_t kSums = 24;  // of 32 registers
#else
constexpr std::int64_t kSums = 12;  // of 16 registers
#endif
}  // namespace
}  // namespace aceso::nn::kernels

#include "kernels/kernels.inl"

namespace aceso::nn::kernels {

const Table& portable() noexcept {
  static constexpr Table table = table_named("portable");
  return table;
}

}  // namespace aceso::nn::kernels
