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
  engine_ = panel_linear({weight, bias, out, in}, precision, result, kernels::best());
}

void Linear::apply(const void* x, void* y, std::int64_t rows) const { engine_->apply(x, y, rows); }

}  // namespace aceso::nn
