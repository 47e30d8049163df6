#include "aceso/lm/task.hpp"

#include "aceso/core/error.hpp"
#include "aceso/lm/masked.hpp"
#include "aceso/nn/adapter.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace aceso::lm {
namespace fs = std::filesystem;
namespace {

const Json& task_member(const Json& task, const char* name, Json::value_t type,
                        std::string_view source) {
  const auto found = task.find(name);
  if (found == task.end() || found->type() != type)
    fail(Errc::CorruptData, "{}: config.task.{}: expected a setting of another kind", source, name);
  return *found;
}

const Tensor& weight_of(const nn::TensorSet& weights, const std::string& name,
                        const std::vector<std::int64_t>& shape) {
  const auto found = weights.find(name);
  if (found == weights.end()) fail(Errc::CorruptData, "the tensor {} is missing", name);
  if (found->second.shape() != shape)
    fail(Errc::CorruptData, "{}: expected the shape {}, found {}", name, nn::shape_text(shape),
         nn::shape_text(found->second.shape()));
  return found->second;
}

/// x W^T + b of one row.
void affine(std::span<const float> x, const Tensor& weight, const Tensor& bias,
            std::span<float> y) {
  const auto w = weight.values<float>(), b = bias.values<float>();
  for (std::size_t o = 0; o < y.size(); ++o) {
    double sum = b[o];
    for (std::size_t i = 0; i < x.size(); ++i)
      sum += static_cast<double>(w[o * x.size() + i]) * x[i];
    y[o] = static_cast<float>(sum);
  }
}

float gelu(float x) { return 0.5F * x * (1 + std::erf(x * 0.70710678F)); }

std::vector<float> mean_row(std::span<const float> rows, std::size_t hidden) {
  std::vector<double> sums(hidden);
  for (std::size_t i = 0; i < rows.size(); ++i) sums[i % hidden] += rows[i];
  std::vector<float> mean(hidden);
  const auto count = static_cast<double>(rows.size() / hidden);
  for (std::size_t d = 0; d < hidden; ++d) mean[d] = static_cast<float>(sums[d] / count);
  return mean;
}

/// The base's weights, and those of the task beside them.
nn::TensorSet weights_of(const nn::ModelFolder& model,
                         const std::optional<nn::ModelFolder>& adapter) {
  return adapter ? nn::with_adapter(model, *adapter) : model.weights().all();
}

}  // namespace

Json TaskSpec::to_json() const {
  return {{"kind", classes ? "classification" : "regression"},
          {"level", per_residue ? "residue" : "sequence"},
          {"labels", labels},
          {"mean", mean},
          {"deviation", deviation}};
}

TaskSpec TaskSpec::from_json(const Json& config, std::string_view source) {
  const auto found = config.find("task");
  if (found == config.end() || !found->is_object())
    fail(Errc::Unsupported, "{}: expected a fine-tuned model with a task, found none", source);
  const Json& task = *found;
  TaskSpec spec;
  spec.classes = task_member(task, "kind", Json::value_t::string, source) == "classification";
  spec.per_residue = task_member(task, "level", Json::value_t::string, source) == "residue";
  for (const Json& label : task_member(task, "labels", Json::value_t::array, source)) {
    if (!label.is_string())
      fail(Errc::CorruptData, "{}: config.task.labels: expected texts", source);
    spec.labels.push_back(label);
  }
  if (spec.labels.empty())
    fail(Errc::CorruptData, "{}: config.task.labels: expected at least one", source);
  spec.mean = task.value("mean", 0.0);
  spec.deviation = task.value("deviation", 1.0);
  return spec;
}

std::vector<nn::TensorInfo> TaskSpec::weights(std::int64_t hidden, bool dense) const {
  std::vector<nn::TensorInfo> all;
  if (dense) {
    all.push_back({"task.dense.bias", DType::F32, {hidden}});
    all.push_back({"task.dense.weight", DType::F32, {hidden, hidden}});
  }
  all.push_back({"task.output.bias", DType::F32, {outputs()}});
  all.push_back({"task.output.weight", DType::F32, {outputs(), hidden}});
  return all;
}

TaskModel::TaskModel(const LanguageModel& base, const nn::TensorSet& weights, TaskSpec task)
    : model_(base.with_weights(weights)), task_(std::move(task)) {
  const std::int64_t hidden = model_.net().spec().hidden, outputs = task_.outputs();
  if (weights.contains("task.dense.weight")) {
    dense_weight_ = weight_of(weights, "task.dense.weight", {hidden, hidden});
    dense_bias_ = weight_of(weights, "task.dense.bias", {hidden});
  }
  output_weight_ = weight_of(weights, "task.output.weight", {outputs, hidden});
  output_bias_ = weight_of(weights, "task.output.bias", {outputs});
}

namespace {

TaskModel open_task_model(const fs::path& model, const std::optional<fs::path>& adapter,
                          nn::Precision precision, nn::Device device) {
  const LanguageModel base(model, precision, device);
  std::optional<nn::ModelFolder> changes;
  if (adapter) changes.emplace(*adapter);
  const fs::path& source = adapter ? *adapter : model;
  const nn::ModelDescription& described = adapter ? changes->description() : base.description();
  try {
    return {base, weights_of(nn::ModelFolder(model), changes),
            TaskSpec::from_json(described.config, source.string())};
  } catch (const Error& error) {
    // Tensors are named by whoever looks for them; the file is known here.
    const std::string what = error.what();
    if (what.starts_with(source.string())) throw;
    fail(error.code(), "{}: {}", source.string(), what);
  }
}

}  // namespace

TaskModel::TaskModel(const fs::path& model, const std::optional<fs::path>& adapter,
                     nn::Precision precision, nn::Device device)
    : TaskModel(open_task_model(model, adapter, precision, device)) {}

std::vector<float> TaskModel::answers(const Tensor& residues) const {
  const auto hidden = static_cast<std::size_t>(model_.net().spec().hidden);
  const auto outputs = static_cast<std::size_t>(task_.outputs());
  const auto values = residues.values<float>();
  const std::vector<float> mean =
      task_.per_residue ? std::vector<float>{} : mean_row(values, hidden);
  const std::span<const float> rows = task_.per_residue ? values : std::span<const float>(mean);
  std::vector<float> result(rows.size() / hidden * outputs), wide(hidden);
  for (std::size_t row = 0; row < rows.size() / hidden; ++row) {
    std::span<const float> x = rows.subspan(row * hidden, hidden);
    if (dense_weight_.element_count() > 0) {
      affine(x, dense_weight_, dense_bias_, wide);
      for (float& value : wide) value = gelu(value);
      x = wide;
    }
    affine(x, output_weight_, output_bias_, std::span(result).subspan(row * outputs, outputs));
  }
  if (task_.classes)
    log_softmax(result, outputs);
  else
    for (float& value : result) value = static_cast<float>(task_.mean + task_.deviation * value);
  return result;
}

void TaskModel::predict(
    std::span<const Item> items, unsigned threads, Progress& progress, const std::stop_token& stop,
    const std::function<void(const Item&, std::span<const float>)>& body) const {
  const std::int64_t front = model_.tokenizer().begin() >= 0 ? 1 : 0;
  const std::int64_t back = model_.tokenizer().end() >= 0 ? 1 : 0;
  model_.for_each(items, threads, progress, stop, [&](const Item& item, const Tensor& rows) {
    body(item, answers(rows.slice(front, rows.shape()[0] - back)));
  });
}

}  // namespace aceso::lm
