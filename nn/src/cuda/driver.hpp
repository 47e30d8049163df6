/// \file
/// NVIDIA's driver, loaded when it is first wanted. Nothing of CUDA is needed to build.
#pragma once

#include "cuda/executor.hpp"

#include <memory>
#include <string_view>

namespace aceso::nn::cuda {

/// The first GPU, opened once in a process. Thread-safe.
/// \throws Error InvalidArgument saying what was expected and found if this build has no kernels,
/// the machine no driver or no GPU, or the GPU is older than compute capability 8.0.
[[nodiscard]] std::shared_ptr<Executor> first_gpu();

/// The kernels as PTX, ending with a 0; empty if clang was missing when this was built.
[[nodiscard]] std::string_view kernels_ptx() noexcept;

}  // namespace aceso::nn::cuda
