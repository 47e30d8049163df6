#include "matmul.hpp"

#include "linear_engine.hpp"

namespace aceso::nn {

std::byte* thread_scratch(std::size_t bytes) {
  thread_local Buffer buffer;
  if (buffer.size() < bytes) buffer = Buffer(bytes);
  return buffer.data();
}

Linear::Linear(const float* weight, const float* bias, std::int64_t out, std::int64_t in,
               Precision precision, Result result) {
  const LinearWeights weights{weight, bias, out, in};
  // Tile registers multiply bf16 several times faster than anything else of a CPU.
  if (precision == Precision::Bf16 && onednn_has_bf16_tiles())
    engine_ = onednn_linear(weights, precision, result);
  else
    engine_ = panel_linear(weights, precision, result, kernels::best());
}

void Linear::apply(const void* x, void* y, std::int64_t rows) const { engine_->apply(x, y, rows); }

}  // namespace aceso::nn
