/// \file
/// What calls on a device need while they run: a stream and memory.
#pragma once

#include "cuda/executor.hpp"

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace aceso::nn::cuda {

/// Two workspaces, so that one call's copies run beside another's kernels. Thread-safe.
class Workspaces {
 public:
  struct Workspace {
    std::unique_ptr<Stream> stream;
    DeviceBuffer memory;
  };

  /// A workspace for one call. Its destructor waits for the work that was given.
  class Lease {
   public:
    Lease(Workspaces& owner, Workspace workspace)
        : owner_(owner), workspace_(std::move(workspace)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();

    [[nodiscard]] Stream& stream() const noexcept { return *workspace_.stream; }
    [[nodiscard]] std::byte* memory() const noexcept { return workspace_.memory.data(); }

   private:
    Workspaces& owner_;
    Workspace workspace_;
  };

  explicit Workspaces(std::shared_ptr<Executor> executor) : executor_(std::move(executor)) {
    idle_.reserve(kMost);  // give() cannot fail
  }

  [[nodiscard]] const std::shared_ptr<Executor>& executor() const noexcept { return executor_; }

  /// At least `bytes` bytes. Waits while other calls hold what it needs.
  /// \throws Error OutOfResources if the device has too little memory even when no other call runs;
  /// `tokens` and `bytes` are what it says the batch needs.
  [[nodiscard]] Lease take(std::size_t bytes, std::size_t tokens);

 private:
  static constexpr int kMost = 2;

  [[nodiscard]] bool has_room(Workspace& workspace, std::size_t bytes);
  [[nodiscard]] Workspace idle_or_new();
  void give(Workspace workspace) noexcept;

  std::shared_ptr<Executor> executor_;
  std::mutex mutex_;
  std::condition_variable given_;
  std::vector<Workspace> idle_;
  int working_ = 0;
};

}  // namespace aceso::nn::cuda
