#include "cuda/workspaces.hpp"

#include "aceso/core/error.hpp"

#include <utility>

namespace aceso::nn::cuda {

Workspaces::Lease::~Lease() {
  try {
    // After an error, host memory of copies that are on the way must not be given up.
    workspace_.stream->wait();
  } catch (const std::exception&) {
    // Whoever gave the work has been told, or will be by the next call.
  }
  owner_.give(std::move(workspace_));
}

Workspaces::Workspace Workspaces::idle_or_new() {
  if (idle_.empty()) return {executor_->stream(), {}};
  Workspace workspace = std::move(idle_.back());
  idle_.pop_back();
  return workspace;
}

bool Workspaces::has_room(Workspace& workspace, std::size_t bytes) {
  if (workspace.memory.size() >= bytes) return true;
  workspace.memory = DeviceBuffer();
  if (executor_->memory().free < bytes) idle_.clear();
  if (executor_->memory().free < bytes) return false;
  workspace.memory = DeviceBuffer(executor_, bytes);
  return true;
}

Workspaces::Lease Workspaces::take(std::size_t bytes, std::size_t tokens) {
  std::unique_lock lock(mutex_);
  while (true) {
    if (working_ < kMost) {
      Workspace workspace = idle_or_new();
      if (has_room(workspace, bytes)) {
        ++working_;
        return {*this, std::move(workspace)};
      }
      idle_.push_back(std::move(workspace));
      if (working_ == 0) {
        const auto [free, total] = executor_->memory();
        fail(Errc::OutOfResources,
             "{}: {} tokens at once need {} MB of its memory, and {} of {} MB are free: give fewer "
             "at a time, or compute on the device cpu",
             executor_->name(), tokens, (bytes >> 20) + 1, free >> 20, total >> 20);
      }
    }
    given_.wait(lock);
  }
}

void Workspaces::give(Workspace workspace) noexcept {
  {
    const std::scoped_lock lock(mutex_);
    --working_;
    idle_.push_back(std::move(workspace));
  }
  given_.notify_all();
}

}  // namespace aceso::nn::cuda
