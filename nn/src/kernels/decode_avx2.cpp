#include "kernels/decode.hpp"
#include "kernels/kernels.hpp"

#include <cstddef>

namespace aceso::nn::kernels {
namespace {
constexpr std::int64_t kWidth = 8;
}  // namespace
}  // namespace aceso::nn::kernels

// Of the elementwise kernels, only the exponential is wanted here.
#pragma GCC diagnostic ignored "-Wunused-function"
#include "kernels/vectors.inl"

#include "kernels/elementwise.inl"

#include "kernels/decode.inl"

namespace aceso::nn::kernels {

const DecodeTable& decode_avx2() noexcept {
  static constexpr DecodeTable table{"avx2", attend_cached, lstm_cell_of};
  return table;
}

}  // namespace aceso::nn::kernels
