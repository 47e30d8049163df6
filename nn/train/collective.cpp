#include "collective.hpp"

#include <ATen/ops/empty.h>
// PyTorch's Python packages leave out the headers of Gloo, Debian's has them.
#if __has_include(<gloo/algorithm.h>)
#define ACESO_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif

#include <algorithm>
#include <chrono>

namespace aceso::train {
namespace {

class Alone : public Collective {
 public:
  std::int64_t rank() const override { return 0; }
  std::int64_t size() const override { return 1; }
  void sum(std::vector<at::Tensor>&) override {}
  void share(std::vector<at::Tensor>&, std::int64_t) override {}
  void barrier() override {}
};

#if defined(ACESO_GLOO)
class Gloo : public Collective {
 public:
  explicit Gloo(const nlohmann::json& settings)
      : rank_(settings.at("rank")), size_(settings.at("size")) {
    const auto timeout = std::chrono::milliseconds(
        static_cast<std::int64_t>(1000 * settings.value("timeout_seconds", 300.0)));
    guarded([&] {
      c10d::TCPStoreOptions options;
      options.port = settings.at("port");
      options.isServer = rank_ == 0;
      options.numWorkers = static_cast<std::size_t>(size_);
      options.timeout = timeout;
      const std::string address = settings.at("address");
      store_ = c10::make_intrusive<c10d::TCPStore>(address, options);
      auto gloo = c10d::ProcessGroupGloo::Options::create();
      gloo->timeout = timeout;
      gloo->devices.push_back(
          c10d::ProcessGroupGloo::createDeviceForHostname(settings.value("own_address", address)));
      group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store_, static_cast<int>(rank_),
                                                           static_cast<int>(size_), gloo);
    });
  }

  std::int64_t rank() const override { return rank_; }
  std::int64_t size() const override { return size_; }

  void sum(std::vector<at::Tensor>& tensors) override {
    as_one(tensors, [&](std::vector<at::Tensor>& message) { group_->allreduce(message)->wait(); });
  }

  void share(std::vector<at::Tensor>& tensors, std::int64_t root) override {
    if (tensors.empty()) return;
    c10d::BroadcastOptions options;
    options.rootRank = root;
    as_one(tensors,
           [&](std::vector<at::Tensor>& message) { group_->broadcast(message, options)->wait(); });
  }

  void barrier() override {
    guarded([&] { group_->barrier()->wait(); });
  }

 private:
  /// Sends `tensors` as one message instead of hundreds.
  template <typename Send>
  static void as_one(std::vector<at::Tensor>& tensors, const Send& send) {
    std::int64_t count = 0;
    for (const at::Tensor& tensor : tensors) count += tensor.numel();
    at::Tensor flat = at::empty({count}, tensors.at(0).options().device(at::kCPU));
    std::int64_t at = 0;
    for (const at::Tensor& tensor : tensors) {
      flat.narrow(0, at, tensor.numel()).copy_(tensor.reshape({-1}));
      at += tensor.numel();
    }
    std::vector<at::Tensor> message{flat};
    guarded([&] { send(message); });
    at = 0;
    for (at::Tensor& tensor : tensors) {
      tensor.copy_(flat.narrow(0, at, tensor.numel()).view(tensor.sizes()));
      at += tensor.numel();
    }
  }

  template <typename Body>
  static void guarded(const Body& body) {
    try {
      body();
    } catch (const std::exception& error) {
      const std::string text = error.what();
      throw Unreachable(text.substr(0, std::min(text.find('\n'), std::size_t{300})));
    }
  }

  std::int64_t rank_, size_;
  c10::intrusive_ptr<c10d::Store> store_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
};
#endif

}  // namespace

std::unique_ptr<Collective> open_collective(const nlohmann::json& settings) {
  if (settings.is_null() || settings.value("size", 1) == 1) return std::make_unique<Alone>();
#if defined(ACESO_GLOO)
  return std::make_unique<Gloo>(settings);
#else
  throw Mistake(
      "this training plugin was built without the headers of Gloo, which several ranks need: run "
      "one rank, or build with a LibTorch that has them");
#endif
}

}  // namespace aceso::train
