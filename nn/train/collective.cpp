#include "collective.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
// PyTorch's Python packages leave out the headers of Gloo, Debian's has them.
#if __has_include(<gloo/algorithm.h>)
#define ACESO_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif
// CMake says so where LibTorch has NCCL and the headers that its own header needs are there.
#if defined(ACESO_NCCL)
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif

#include <algorithm>
#include <chrono>

namespace aceso::train {
namespace {

using Milliseconds = std::chrono::milliseconds;

class Alone : public Collective {
 public:
  std::int64_t rank() const override { return 0; }
  std::int64_t size() const override { return 1; }
  void sum(std::vector<at::Tensor>&) override {}
  void share(std::vector<at::Tensor>&, std::int64_t) override {}
  void barrier() override {}
};

template <typename Body>
void guarded(const Body& body) {
  try {
    body();
  } catch (const std::exception& error) {
    const std::string text = error.what();
    throw Unreachable(text.substr(0, std::min(text.find('\n'), std::size_t{300})));
  }
}

/// Ranks that meet at a store and exchange by one of c10d's backends; see GlooBackend.
template <typename Backend>
class Grouped : public Collective {
 public:
  /// \param device where messages lie.
  Grouped(const nlohmann::json& settings, at::Device device)
      : rank_(settings.at("rank")),
        size_(settings.at("size")),
        device_(device),
        timeout_(static_cast<std::int64_t>(1000 * settings.value("timeout_seconds", 300.0))) {
    guarded([&] {
      c10d::TCPStoreOptions options;
      options.port = settings.at("port");
      options.isServer = rank_ == 0;
      options.numWorkers = static_cast<std::size_t>(size_);
      options.timeout = timeout_;
      const std::string address = settings.at("address");
      store_ = c10::make_intrusive<c10d::TCPStore>(address, options);
      group_ = c10::make_intrusive<typename Backend::Group>(
          store_, static_cast<int>(rank_), static_cast<int>(size_),
          Backend::options(settings.value("own_address", address), timeout_));
    });
  }
  ~Grouped() override {
    try {
      if (group_) Backend::close(*group_);
    } catch (const std::exception&) {
      // The others are gone already, and the work is done.
    }
  }

  std::int64_t rank() const override { return rank_; }
  std::int64_t size() const override { return size_; }

  void sum(std::vector<at::Tensor>& tensors) override {
    as_one(tensors, [&](std::vector<at::Tensor>& message) { return group_->allreduce(message); });
  }

  void share(std::vector<at::Tensor>& tensors, std::int64_t root) override {
    if (tensors.empty()) return;
    c10d::BroadcastOptions options;
    options.rootRank = root;
    as_one(tensors,
           [&](std::vector<at::Tensor>& message) { return group_->broadcast(message, options); });
  }

  void barrier() override {
    // A sum of nothing waits for all; the backends' own barriers of NCCL guess a device.
    std::vector<at::Tensor> nothing{at::zeros({1}, at::kFloat)};
    sum(nothing);
  }

 private:
  /// Sends `tensors` as one message instead of hundreds.
  template <typename Send>
  void as_one(std::vector<at::Tensor>& tensors, const Send& send) const {
    std::int64_t count = 0;
    for (const at::Tensor& tensor : tensors) count += tensor.numel();
    at::Tensor flat = at::empty({count}, tensors.at(0).options().device(device_));
    std::int64_t at = 0;
    for (const at::Tensor& tensor : tensors) {
      flat.narrow(0, at, tensor.numel()).copy_(tensor.reshape({-1}));
      at += tensor.numel();
    }
    std::vector<at::Tensor> message{flat};
    guarded([&] { send(message)->wait(Backend::wait_for(timeout_)); });
    at = 0;
    for (at::Tensor& tensor : tensors) {
      tensor.copy_(flat.narrow(0, at, tensor.numel()).view(tensor.sizes()));
      at += tensor.numel();
    }
  }

  std::int64_t rank_, size_;
  at::Device device_;
  Milliseconds timeout_;
  c10::intrusive_ptr<c10d::Store> store_;
  c10::intrusive_ptr<typename Backend::Group> group_;
};

#if defined(ACESO_GLOO)
struct GlooBackend {
  using Group = c10d::ProcessGroupGloo;

  static auto options(const std::string& own_address, Milliseconds timeout) {
    auto made = Group::Options::create();
    made->timeout = timeout;
    made->devices.push_back(Group::createDeviceForHostname(own_address));
    return made;
  }
  /// None of its own: the group's holds.
  static Milliseconds wait_for(Milliseconds) { return Milliseconds(0); }
  static void close(Group&) {}
};
#endif

#if defined(ACESO_NCCL)
struct NcclBackend {
  using Group = c10d::ProcessGroupNCCL;

  static auto options(const std::string&, Milliseconds timeout) {
    auto made = Group::Options::create();
    // PyTorch's watchdog ends the process at this time; whoever waits shall be told before.
    made->timeout = 2 * timeout;
    return made;
  }
  /// With a time of its own, wait() waits on the host, and throws when it is over.
  static Milliseconds wait_for(Milliseconds timeout) { return timeout; }
  static void close(Group& group) { shut_down(group, 0); }

 private:
  /// PyTorch 2 wants it to be said that all is done; PyTorch 1 has no way to.
  template <typename G>
  static auto shut_down(G& group, int) -> decltype(group.shutdown()) {
    group.shutdown();
  }
  template <typename G>
  static void shut_down(G&, long) {}
};
#endif

}  // namespace

bool has_gloo() {
#if defined(ACESO_GLOO)
  return true;
#else
  return false;
#endif
}

bool has_nccl() {
#if defined(ACESO_NCCL)
  return true;
#else
  return false;
#endif
}

std::unique_ptr<Collective> open_collective(const nlohmann::json& settings, Exchange exchange,
                                            [[maybe_unused]] at::Device device) {
  switch (exchange) {
#if defined(ACESO_GLOO)
    case Exchange::Gloo:
      return std::make_unique<Grouped<GlooBackend>>(settings, at::kCPU);
#endif
#if defined(ACESO_NCCL)
    case Exchange::Nccl:
      return std::make_unique<Grouped<NcclBackend>>(settings, device);
#endif
    case Exchange::None:
      return std::make_unique<Alone>();
    default:
      throw std::logic_error("a way to exchange that this build lacks was chosen");
  }
}

}  // namespace aceso::train
