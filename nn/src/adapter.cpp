#include "aceso/nn/adapter.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/hash.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace aceso::nn {
namespace {

constexpr std::string_view kPrefix = "adapters.";
constexpr std::string_view kDown = ".down";

/// weight + factor * up down, summed in double.
Tensor changed(const Tensor& weight, const Tensor& up, const Tensor& down, double factor) {
  const std::int64_t rows = weight.shape()[0], columns = weight.shape()[1], rank = down.shape()[0];
  Tensor result(DType::F32, weight.shape());
  const auto w = weight.values<float>(), u = up.values<float>(), d = down.values<float>();
  const auto to = result.values<float>();
  std::vector<double> sums(static_cast<std::size_t>(columns));
  for (std::int64_t r = 0; r < rows; ++r) {
    std::ranges::fill(sums, 0.0);
    for (std::int64_t k = 0; k < rank; ++k) {
      const double share = u[r * rank + k];
      for (std::int64_t c = 0; c < columns; ++c) sums[c] += share * d[k * columns + c];
    }
    for (std::int64_t c = 0; c < columns; ++c)
      to[r * columns + c] = static_cast<float>(w[r * columns + c] + factor * sums[c]);
  }
  return result;
}

const Json& member(const Json& json, const char* name, std::string_view source) {
  const auto found = json.find(name);
  if (found == json.end())
    fail(Errc::CorruptData, "{}: config.{}: expected a value, found nothing", source, name);
  return *found;
}

}  // namespace

std::vector<TensorInfo> AdapterSpec::weights(const TransformerSpec& spec) const {
  std::vector<TensorInfo> all;
  for (const TensorInfo& info : spec.weights()) {
    for (const std::string& layer : layers) {
      if (!info.name.ends_with("." + layer + ".weight")) continue;
      const std::string name =
          std::string(kPrefix) + info.name.substr(0, info.name.rfind(".weight"));
      all.push_back({name + ".down", DType::F32, {rank, info.shape[1]}});
      all.push_back({name + ".up", DType::F32, {info.shape[0], rank}});
    }
  }
  return all;
}

TensorSet merged(const TensorSet& weights, const TensorSet& adapters, double scale,
                 std::string_view source, double sign) {
  TensorSet result = weights;
  for (const auto& [name, down] : adapters) {
    if (!name.starts_with(kPrefix) || !name.ends_with(kDown)) continue;
    const std::string layer =
        name.substr(kPrefix.size(), name.size() - kPrefix.size() - kDown.size());
    const auto up = adapters.find(std::string(kPrefix) + layer + ".up");
    const auto weight = result.find(layer + ".weight");
    if (up == adapters.end() || weight == result.end())
      fail(Errc::CorruptData, "{}: {}: expected a layer of the model and both parts of its adapter",
           source, layer);
    const auto &w = weight->second.shape(), &u = up->second.shape(), &d = down.shape();
    if (w.size() != 2 || u.size() != 2 || d.size() != 2 || u[0] != w[0] || d[1] != w[1] ||
        u[1] != d[0])
      fail(Errc::CorruptData, "{}: {}: an adapter of {} and {} does not fit a layer of {}", source,
           layer, shape_text(u), shape_text(d), shape_text(w));
    weight->second =
        changed(to_float32(weight->second), to_float32(up->second), to_float32(down), sign * scale);
  }
  return result;
}

std::string weights_fingerprint(const ModelFolder& model) {
  Sha256 hash;
  for (const TensorInfo& info : model.weights().tensors()) {
    const Tensor tensor = model.weights().tensor(info.name);
    hash.update(info.name + shape_text(info.shape));
    hash.update(std::span(tensor.data(), static_cast<std::size_t>(tensor.element_count()) *
                                             size_in_bytes(tensor.type())));
  }
  return hash.finish();
}

TensorSet with_adapter(const ModelFolder& base, const ModelFolder& adapter) {
  const std::string source = adapter.path().string();
  const ModelDescription& description = adapter.description();
  if (description.architecture != "adapter")
    fail(Errc::Unsupported, "{}: expected a model of architecture adapter, found {}", source,
         description.architecture);
  const Json& parent = member(description.config, "base_weights", source);
  if (parent != weights_fingerprint(base))
    fail(Errc::InvalidArgument, "{}: is an adapter of {}, whose weights are not those of {}",
         source, description.config.value("base", std::string("another model")),
         base.path().string());
  const Json& scale = member(description.config, "scale", source);
  if (!scale.is_number()) fail(Errc::CorruptData, "{}: config.scale: expected a number", source);
  const TensorSet adapters = adapter.weights().all();
  TensorSet result = merged(base.weights().all(), adapters, scale.get<double>(), source);
  for (const auto& [name, tensor] : adapters)
    if (name.starts_with("task.")) result.insert_or_assign(name, tensor);
  return result;
}

}  // namespace aceso::nn
