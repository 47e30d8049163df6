/// \file
/// What a transformer needs of a GPU: memory, and work in order. The CUDA driver is one way to have
/// it; the tests emulate another.
#pragma once

#include "cuda/arguments.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace aceso::nn::cuda {

enum class Kernel {
#define ACESO_ENUMERATOR(name, Arguments, threads, body) name,
  ACESO_CUDA_KERNELS(ACESO_ENUMERATOR)
#undef ACESO_ENUMERATOR
};

struct KernelInfo {
  const char* name;  ///< of the entry point
  int threads;       ///< of a block
};

inline constexpr KernelInfo kKernels[] = {
#define ACESO_ROW(name, Arguments, threads, body) {"aceso_" #name, threads},
    ACESO_CUDA_KERNELS(ACESO_ROW)
#undef ACESO_ROW
};

/// Blocks of a launch.
struct Grid {
  int x = 1, y = 1;
};

/// Work that is done in the order in which it was given. One thread at a time.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  /// Host memory must live until wait().
  virtual void upload(void* to, const void* from, std::size_t bytes) = 0;
  virtual void download(void* to, const void* from, std::size_t bytes) = 0;
  /// `arguments`: the kernel's struct of arguments.hpp, copied.
  virtual void launch(Kernel kernel, Grid grid, const void* arguments) = 0;
  /// \throws Error what went wrong in the work given so far.
  virtual void wait() = 0;
};

/// A device. Thread-safe.
class Executor {
 public:
  struct Memory {
    std::size_t free, total;  ///< bytes
  };

  Executor() = default;
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  [[nodiscard]] virtual std::string name() const = 0;
  [[nodiscard]] virtual Memory memory() const = 0;
  /// Aligned to 256 bytes, not initialised. \throws Error OutOfResources.
  [[nodiscard]] virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* memory) noexcept = 0;
  [[nodiscard]] virtual std::unique_ptr<Stream> stream() = 0;
};

/// Memory of a device.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(std::shared_ptr<Executor> executor, std::size_t bytes)
      : executor_(std::move(executor)),
        data_(static_cast<std::byte*>(executor_->allocate(bytes))),
        size_(bytes) {}
  DeviceBuffer(DeviceBuffer&& other) noexcept
      : executor_(std::move(other.executor_)),
        data_(std::exchange(other.data_, nullptr)),
        size_(std::exchange(other.size_, 0)) {}
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept {
    std::swap(executor_, other.executor_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~DeviceBuffer() {
    if (data_ != nullptr) executor_->release(data_);
  }

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  std::shared_ptr<Executor> executor_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace aceso::nn::cuda
