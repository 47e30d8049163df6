#include "aceso/nn/training.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "training_abi.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <functional>
#include <system_error>

namespace aceso::nn {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPluginName = "libaceso_training.so";

/// Where the plugin may lie: the build's and the package's folder, seen from the program.
std::vector<fs::path> plugin_places() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return {};
  const fs::path above = program.parent_path().parent_path();
  return {above / "lib" / kPluginName, above / "lib" / "aceso" / kPluginName,
          program.parent_path() / kPluginName};
}

std::optional<fs::path> plugin_path() {
  for (const fs::path& place : plugin_places()) {
    std::error_code error;
    if (fs::is_regular_file(place, error)) return place;
  }
  return std::nullopt;
}

const aceso_training_api& load_plugin() {
  const auto path = plugin_path();
  if (!path)
    fail(Errc::Unsupported,
         "training needs the plugin {}, which is not installed; it is built when LibTorch "
         "(package libtorch-dev) is there",
         kPluginName);
  // Never unloaded: PyTorch cannot be.
  void* handle = dlopen(path->c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    fail(Errc::Unsupported, "{}: the training plugin cannot be loaded: {}", path->string(),
         printable(reason != nullptr ? reason : "unknown reason", 300));
  }
  const auto entry = reinterpret_cast<aceso_training_entry>(dlsym(handle, ACESO_TRAINING_ENTRY));
  const aceso_training_api* api = entry != nullptr ? entry() : nullptr;
  if (api == nullptr || api->version != ACESO_TRAINING_ABI)
    fail(Errc::Unsupported, "{}: expected a training plugin of interface {}, found {}",
         path->string(), ACESO_TRAINING_ABI,
         api == nullptr ? std::string("none") : std::to_string(api->version));
  return *api;
}

const aceso_training_api& plugin() {
  static const aceso_training_api& api = load_plugin();
  return api;
}

[[noreturn]] void raise(const aceso_failure& failure) {
  constexpr Errc kCodes[] = {Errc::InvalidArgument, Errc::OutOfResources, Errc::Cancelled, Errc::Io,
                             Errc::Internal};
  const bool known = failure.code >= 0 && failure.code < 5;
  const std::string what = failure.code == 3
                               ? std::string("another rank of the training cannot be reached: ")
                               : std::string("training: ");
  throw Error(known ? kCodes[failure.code] : Errc::Internal,
              failure.code == 2 ? "interrupted" : what + printable(failure.message, 600));
}

/// Tensors as the plugin sees them; alive as long as this and they are.
class Arrays {
 public:
  explicit Arrays(const TensorSet& tensors) {
    for (const auto& [name, tensor] : tensors) {
      if ((tensor.type() != DType::F32 && tensor.type() != DType::I32) || !tensor.is_contiguous())
        fail(Errc::InvalidArgument, "{}: expected contiguous f32 or i32, found {}", name,
             aceso::name(tensor.type()));
      arrays_.push_back({name.c_str(), tensor.data(), tensor.shape().data(),
                         static_cast<std::int32_t>(tensor.shape().size()),
                         tensor.type() == DType::F32 ? ACESO_F32 : ACESO_I32});
    }
  }
  [[nodiscard]] aceso_arrays view() const noexcept { return {arrays_.data(), arrays_.size()}; }

 private:
  std::vector<aceso_array> arrays_;
};

struct Batches {
  explicit Batches(std::span<const TrainingBatch> batches) {
    for (const TrainingBatch& batch : batches) arrays.emplace_back(batch);
    for (const Arrays& one : arrays) views.push_back(one.view());
  }
  std::vector<Arrays> arrays;
  std::vector<aceso_arrays> views;
};

int is_stopped(void* stop) {
  return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

void* stop_context(const std::stop_token& stop) {
  return const_cast<std::stop_token*>(&stop);  // NOLINT: only read, by is_stopped()
}

TrainingFigures figures_of(const aceso_figures& f) {
  return {f.loss, f.targets, f.correct, f.gradient_norm, f.computed};
}

/// Copies what the plugin shows.
void collect(void* context, const aceso_array* array) {
  Tensor copy(DType::F32, {array->shape, array->shape + array->rank});
  const auto* from = static_cast<const float*>(array->data);
  std::copy_n(from, copy.element_count(), copy.values<float>().data());
  static_cast<TensorSet*>(context)->insert_or_assign(array->name, std::move(copy));
}

Json plan_json(const TrainingPlan& plan) {
  const OptimizerSettings& o = plan.optimizer;
  Json json{{"architecture", plan.architecture},
            {"config", plan.config},
            {"trained", plan.trained},
            {"objective", {{"rows", plan.rows}, {"head", plan.head}, {"loss", plan.loss}}},
            {"precision", plan.precision},
            {"device", plan.device},
            {"adapter_scale", plan.adapter_scale},
            {"optimizer",
             {{"beta1", o.beta1},
              {"beta2", o.beta2},
              {"epsilon", o.epsilon},
              {"weight_decay", o.weight_decay},
              {"clip", o.clip},
              {"sharded", o.sharded}}}};
  if (plan.ranks.size > 1)
    json["ranks"] = {{"rank", plan.ranks.rank},
                     {"size", plan.ranks.size},
                     {"local_rank", plan.ranks.local_rank},
                     {"address", plan.ranks.address},
                     {"port", plan.ranks.port},
                     {"timeout_seconds", plan.ranks.timeout_seconds}};
  return json;
}

}  // namespace

struct Trainer::Impl {
  const aceso_training_api& api = plugin();
  void* handle = nullptr;

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (handle != nullptr) api.close(handle);
  }

  TensorSet read(bool moments) const {
    TensorSet all;
    aceso_failure failure{};
    if (api.read(handle, moments ? 1 : 0, collect, &all, &failure) != 0) raise(failure);
    return all;
  }
};

Trainer::Trainer(const TrainingPlan& plan, const TensorSet& weights)
    : impl_(std::make_unique<Impl>()) {
  const std::string text = plan_json(plan).dump();
  const Arrays arrays(weights);
  aceso_failure failure{};
  if (impl_->api.open(text.c_str(), arrays.view(), &impl_->handle, &failure) != 0) raise(failure);
}

Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;

TrainingFigures Trainer::step(std::span<const TrainingBatch> batches, double learning_rate,
                              unsigned threads, const std::stop_token& stop) {
  const Batches given(batches);
  aceso_figures figures{};
  aceso_failure failure{};
  if (impl_->api.step(impl_->handle, given.views.data(), given.views.size(), learning_rate,
                      static_cast<std::int32_t>(threads), is_stopped, stop_context(stop), &figures,
                      &failure) != 0)
    raise(failure);
  return figures_of(figures);
}

TrainingFigures Trainer::evaluate(std::span<const TrainingBatch> batches, unsigned threads,
                                  const std::stop_token& stop) {
  const Batches given(batches);
  aceso_figures figures{};
  aceso_failure failure{};
  if (impl_->api.evaluate(impl_->handle, given.views.data(), given.views.size(),
                          static_cast<std::int32_t>(threads), is_stopped, stop_context(stop),
                          &figures, &failure) != 0)
    raise(failure);
  return figures_of(figures);
}

Tensor Trainer::outputs(const TrainingBatch& batch) {
  const Arrays arrays(batch);
  TensorSet result;
  aceso_failure failure{};
  if (impl_->api.outputs(impl_->handle, arrays.view(), collect, &result, &failure) != 0)
    raise(failure);
  return result.at("outputs");
}

TensorSet Trainer::weights() {
  constexpr std::string_view kPrefix = "weights.";
  TensorSet all;
  for (auto& [name, tensor] : impl_->read(false)) all.emplace(name.substr(kPrefix.size()), tensor);
  return all;
}

TensorSet Trainer::state() { return impl_->read(true); }

void Trainer::restore(const TensorSet& state, std::int64_t steps) {
  const Arrays arrays(state);
  aceso_failure failure{};
  if (impl_->api.restore(impl_->handle, arrays.view(), steps, &failure) != 0) raise(failure);
}

void Trainer::barrier() {
  aceso_failure failure{};
  if (impl_->api.barrier(impl_->handle, &failure) != 0) raise(failure);
}

std::string Trainer::placement() const { return impl_->api.placement(impl_->handle); }

std::string Trainer::about() const { return impl_->api.about; }

void require_training() { (void)plugin(); }

bool training_is_installed() { return plugin_path().has_value(); }

}  // namespace aceso::nn
