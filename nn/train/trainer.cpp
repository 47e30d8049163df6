#include "trainer.hpp"

#include "convolutional_net.hpp"
#include "message_passing_net.hpp"
#include "objective.hpp"
#include "transformer_net.hpp"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/grad_mode.h>
#include <torch/csrc/autograd/variable.h>

#include <torch/csrc/api/include/torch/version.h>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

// Of the OpenMP library that the program and oneDNN share; its header is not at every compiler's
// hand.
extern "C" void omp_set_num_threads(int threads);
// Of OpenBLAS, if PyTorch uses it.
extern "C" __attribute__((weak)) void openblas_set_num_threads(int threads);

namespace aceso::train {
namespace {

/// Threads work on micro-batches of their own: with one thread inside each operator a result does
/// not depend on how many there are, and none spins while it waits.
///
/// PyTorch is kept off oneDNN, for which it makes primitives for each new number of tokens on
/// whichever thread: slow, and not safe (docs/design/0005-training.md).
void set_up_pytorch() {
  at::set_num_threads(1);
  at::globalContext().setUserEnabledMkldnn(false);
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
}

std::unique_ptr<Net> make_net(const nlohmann::json& plan) {
  const std::string architecture = plan.at("architecture");
  if (architecture == "transformer")
    return transformer_net(plan.at("config"), plan.at("objective"));
  if (architecture == "dmpnn") return message_passing_net(plan.at("config"));
  if (architecture == "convolutional") return convolutional_net(plan.at("config"));
  throw Mistake("the architecture " + architecture + " cannot be trained");
}

/// GPUs that PyTorch sees.
std::int64_t count_gpus() { return at::hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0; }

Placement placement_of(const nlohmann::json& plan) {
  const std::string device = plan.value("device", "cpu");
  const Means means{has_gloo(), has_nccl(), device == "cuda" ? count_gpus() : 0};
  if (device == "cuda" && means.gpus == 0)
    throw Mistake("PyTorch " TORCH_VERSION
                  " finds no CUDA GPU here: train on the CPU, or build with "
                  "-DACESO_TORCH=FOLDER, the folder of a LibTorch for CUDA");
  const nlohmann::json ranks = plan.value("ranks", nlohmann::json::object());
  return place_rank(device,
                    {ranks.value("rank", 0), ranks.value("size", 1), ranks.value("local_rank", -1)},
                    means);
}

/// Where the nets are computed. "reference" is what a GPU would compute, on the CPU.
at::Device device_by_name(const std::string& name, std::int64_t gpu) {
  if (name == "cpu" || name == "reference") return at::kCPU;
  if (name != "cuda") throw Mistake("there is no device " + name);
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(gpu));
}

/// Layers whose products are computed in bf16. Norms, the token embedding and what the loss sees
/// stay in f32.
bool in_bf16(const std::string& name) {
  return name.find("norm") == std::string::npos && name.compare(0, 6, "embed.") != 0 &&
         name != "head.bias" && name.compare(0, 12, "head.decoder") != 0;
}

/// The rank that has each tensor's moments: the largest first, each to the rank with least so far.
std::vector<std::int64_t> owners_of(const Tensors& weights, const std::vector<std::string>& names,
                                    std::int64_t ranks) {
  std::vector<std::size_t> order(names.size());
  std::iota(order.begin(), order.end(), 0);
  const auto size = [&](std::size_t i) { return find(weights, names[i]).numel(); };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return size(a) > size(b); });
  std::vector<std::int64_t> owners(names.size()), load(static_cast<std::size_t>(ranks));
  for (const std::size_t i : order) {
    const auto least = std::min_element(load.begin(), load.end());
    owners[i] = least - load.begin();
    *least += size(i);
  }
  return owners;
}

}  // namespace

Trainer::Trainer(const nlohmann::json& plan, const Tensors& weights)
    : trained_(plan.at("trained").get<std::vector<std::string>>()),
      net_(make_net(plan)),
      loss_(plan.at("objective").at("loss")),
      bf16_(plan.value("precision", "fp32") == "bf16"),
      placement_(placement_of(plan)),
      device_(device_by_name(plan.value("device", "cpu"), placement_.gpu)),
      own_kernels_(plan.value("device", "cpu") == "cpu"),
      adapter_scale_(plan.value("adapter_scale", 1.0)),
      collective_(
          open_collective(plan.value("ranks", nlohmann::json()), placement_.exchange, device_)) {
  for (const auto& [name, tensor] : weights) master_[name] = tensor.clone().to(device_);
  if (trained_.empty()) throw Mistake("no weight is to be trained");
  std::vector<bool> owned;
  if (plan.at("optimizer").value("sharded", false) && collective_->size() > 1) {
    owners_ = owners_of(master_, trained_, collective_->size());
    for (const std::int64_t owner : owners_) owned.push_back(owner == collective_->rank());
  }
  optimizer_ = std::make_unique<AdamW>(
      master_, trained_, AdamWSettings::from_json(plan.at("optimizer")), owned, own_kernels_);
  set_up_pytorch();
}

Weights Trainer::compute_weights(bool with_gradients) const {
  Weights weights{master_, adapter_scale_, device_, own_kernels_};
  if (bf16_)
    for (auto& [name, tensor] : weights.tensors)
      if (in_bf16(name)) tensor = tensor.to(at::kBFloat16);
  for (auto& [name, tensor] : weights.tensors) tensor = tensor.detach();
  if (with_gradients)
    for (const std::string& name : trained_) weights.tensors.at(name).set_requires_grad(true);
  return weights;
}

Trainer::Result Trainer::compute(const Weights& weights, const Tensors& batch, double all_targets,
                                 bool with_gradients) const {
  // Threads do not inherit the mode.
  const at::AutoGradMode mode(with_gradients);
  Result result;
  // The loss of few rows is the host's, whatever computes the net.
  const Objective objective =
      compute_objective(loss_, net_->outputs(weights, batch).to(at::kCPU), batch);
  result.figures = {objective.loss.item<double>(), objective.targets, objective.correct, 0,
                    static_cast<double>(net_->size(batch))};
  if (!with_gradients) return result;
  std::vector<at::Tensor> leaves;
  for (const std::string& name : trained_) leaves.push_back(weights(name));
  const at::Tensor mean = objective.loss * (1 / all_targets);
  std::vector<at::Tensor> gradients =
      torch::autograd::grad({mean}, leaves, {}, false, false, /*allow_unused=*/true);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    const at::Tensor& gradient = gradients[i];
    result.gradients.push_back(gradient.defined() ? gradient.to(at::kFloat).contiguous()
                                                  : at::zeros_like(find(master_, trained_[i])));
  }
  return result;
}

double Trainer::count_targets(const std::vector<Tensors>& batches) const {
  double count = 0;
  for (const Tensors& batch : batches) count += target_count(loss_, batch);
  std::vector<at::Tensor> sum{at::tensor(count, at::kDouble)};
  collective_->sum(sum);
  return sum[0].item<double>();
}

void Trainer::for_each_batch(const std::vector<Tensors>& batches, int threads,
                             const IsStopped& stopped,
                             const std::function<void(std::size_t)>& body) const {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;
  const auto work = [&] {
    // OpenMP keeps the number for each thread.
    omp_set_num_threads(1);
    for (std::size_t i = next++; i < batches.size(); i = next++) {
      try {
        if (stopped()) throw Stopped();
        body(i);
      } catch (...) {
        const std::scoped_lock lock(mutex);
        if (!error) error = std::current_exception();
        next = batches.size();
      }
    }
  };
  std::vector<std::thread> workers;
  for (int i = 1; i < threads && static_cast<std::size_t>(i) < batches.size(); ++i)
    workers.emplace_back(work);
  work();
  for (std::thread& worker : workers) worker.join();
  if (error) std::rethrow_exception(error);
}

Figures Trainer::step(const std::vector<Tensors>& batches, double learning_rate, int threads,
                      const IsStopped& stopped) {
  if (batches.empty()) throw Mistake("a step needs a micro-batch");
  const double targets = count_targets(batches);
  if (targets == 0) throw Mistake("a step needs a target");
  const Weights weights = compute_weights(true);
  GradientSum sum(batches.size());
  std::vector<Figures> parts(batches.size());
  for_each_batch(batches, threads, stopped, [&](std::size_t i) {
    Result result = compute(weights, batches[i], targets, true);
    parts[i] = result.figures;
    sum.add(i, std::move(result.gradients));
  });
  Figures total;
  for (const Figures& part : parts) {
    total.loss += part.loss;
    total.targets += part.targets;
    total.correct += part.correct;
    total.computed += part.computed;
  }
  std::vector<at::Tensor> gradients = sum.take();
  collective_->sum(gradients);
  std::vector<at::Tensor> figures{
      at::tensor({total.loss, total.targets, total.correct, total.computed}, at::kDouble)};
  collective_->sum(figures);
  const double* all = figures[0].data_ptr<double>();
  const double norm = optimizer_->step(gradients, learning_rate);
  share_weights();
  return {all[0], all[1], all[2], norm, all[3]};
}

Figures Trainer::evaluate(const std::vector<Tensors>& batches, int threads,
                          const IsStopped& stopped) {
  const Weights weights = compute_weights(false);
  std::vector<Figures> parts(batches.size());
  for_each_batch(batches, threads, stopped,
                 [&](std::size_t i) { parts[i] = compute(weights, batches[i], 1, false).figures; });
  Figures total;
  for (const Figures& part : parts) {
    total.loss += part.loss;
    total.targets += part.targets;
    total.correct += part.correct;
    total.computed += part.computed;
  }
  return total;
}

at::Tensor Trainer::outputs(const Tensors& batch) {
  const at::AutoGradMode mode(false);
  return net_->outputs(compute_weights(false), batch).to(at::kCPU, at::kFloat).contiguous();
}

void Trainer::share_weights() {
  if (owners_.empty()) return;
  for (std::int64_t rank = 0; rank < collective_->size(); ++rank) {
    std::vector<at::Tensor> updated;
    for (std::size_t i = 0; i < trained_.size(); ++i)
      if (owners_[i] == rank) updated.push_back(find(master_, trained_[i]));
    collective_->share(updated, rank);
  }
}

void Trainer::gather_moments(Tensors& all) const {
  for (std::size_t i = 0; i < owners_.size(); ++i) {
    for (const char* moment : {"first.", "second."}) {
      const std::string name = moment + trained_[i];
      const auto mine = all.find(name);
      // One tensor at a time: other ranks than the first have no room for all.
      std::vector<at::Tensor> message{
          mine != all.end() ? mine->second : at::empty_like(find(master_, trained_[i]))};
      collective_->share(message, owners_[i]);
      if (collective_->rank() == 0) all[name] = message[0];
    }
  }
}

Tensors Trainer::state(bool moments) const {
  Tensors all;
  if (moments) {
    all = optimizer_->moments();
    gather_moments(all);
  }
  for (const std::string& name : trained_) all["weights." + name] = find(master_, name);
  for (auto& [name, tensor] : all) tensor = tensor.to(at::kCPU);
  return all;
}

void Trainer::restore(const Tensors& state, std::int64_t steps) {
  for (const std::string& name : trained_) {
    const at::Tensor& from = find(state, "weights." + name);
    at::Tensor& to = master_.at(name);
    if (from.sizes() != to.sizes()) throw Mistake(name + " has another shape");
    to.copy_(from);
  }
  optimizer_->restore(state, steps);
}

}  // namespace aceso::train
