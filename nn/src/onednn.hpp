/// \file
/// What every user of oneDNN needs: the engine, one thread, one error type, and a lock.
#pragma once

#include "aceso/core/error.hpp"

#include <dnnl.hpp>

#include <mutex>

// Of libgomp, on which oneDNN runs; its header is not at every compiler's hand.
extern "C" void omp_set_num_threads(int);
extern "C" int omp_get_max_threads();

namespace aceso::nn::onednn {

inline const dnnl::engine& engine() {
  static const dnnl::engine the_engine(dnnl::engine::kind::cpu, 0);
  return the_engine;
}

/// Keeps oneDNN on the caller's thread: the platform's threads work on different batches.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

/// Held while descriptions and primitives are made: oneDNN 2.6's cache of primitives is not safe
/// on several threads once it is full (docs/design/0005-training.md).
[[nodiscard]] inline std::unique_lock<std::mutex> making() {
  static std::mutex mutex;
  return std::unique_lock(mutex);
}

template <typename Action>
auto translated(const char* what, Action&& action) {
  try {
    return action();
  } catch (const dnnl::error& error) {
    fail(error.status == dnnl_out_of_memory ? Errc::OutOfResources : Errc::Unsupported,
         "{}: oneDNN says: {}", what, error.what());
  }
}

}  // namespace aceso::nn::onednn
