#include "aceso/lm/finetuning.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/process.hpp"
#include "aceso/core/random.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/statistics.hpp"
#include "aceso/lm/table.hpp"
#include "aceso/nn/adapter.hpp"
#include "finetuning_source.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

namespace aceso::lm {
namespace {

std::optional<double> number_of(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

std::vector<const Labelled*> of_split(const std::vector<Labelled>& data, Split split) {
  std::vector<const Labelled*> found;
  for (const Labelled& one : data)
    if (one.split == split) found.push_back(&one);
  return found;
}

/// What the targets of the training sequences say the task is.
TaskSpec task_of(const std::vector<Labelled>& data, bool per_residue,
                 const FineTuningOptions& options) {
  TaskSpec task;
  task.per_residue = per_residue;
  const auto training = of_split(data, Split::Train);
  const bool numbers = std::ranges::all_of(
      training, [](const Labelled* one) { return number_of(one->target).has_value(); });
  task.classes =
      per_residue || options.kind == "classification" || (options.kind == "automatic" && !numbers);
  if (task.classes) {
    std::set<std::string> labels;
    for (const Labelled* one : training) {
      if (!per_residue) labels.insert(one->target);
      for (const char letter : one->target)
        if (per_residue && letter != '\0') labels.insert(std::string(1, letter));
    }
    task.labels.assign(labels.begin(), labels.end());
    if (labels.size() < 2 || labels.size() > 1000)
      fail(Errc::CorruptData,
           "{}, the first of {} to train on: expected 2 to 1000 classes among them, found {}",
           training.front()->place, training.size(), labels.size());
    return task;
  }
  task.labels = {options.target_name};
  double sum = 0, squares = 0;
  for (const Labelled* one : training) {
    const auto value = number_of(one->target);
    if (!value)
      fail(Errc::CorruptData, "{}: target: expected a number, found \"{}\"", one->place,
           printable(one->target, 40));
    sum += *value;
    squares += *value * *value;
  }
  const auto count = static_cast<double>(training.size());
  task.mean = sum / count;
  task.deviation = std::sqrt(std::max(0.0, squares / count - task.mean * task.mean));
  if (task.deviation <= 0)
    fail(Errc::CorruptData,
         "{}, the first of {} to train on: expected targets that differ, found {}",
         training.front()->place, training.size(), task.mean);
  return task;
}

class Encoder {
 public:
  Encoder(const LanguageModel& model, const TaskSpec& task, std::int64_t max_length,
          Warnings& warnings)
      : model_(model), task_(task), warnings_(warnings) {
    const std::int64_t limit = model.net().spec().max_length;
    most_ = static_cast<std::size_t>(limit > 0 ? std::min(limit, max_length) : max_length);
  }

  [[nodiscard]] std::vector<LabelledTokens> operator()(
      const std::vector<const Labelled*>& all) const {
    std::vector<LabelledTokens> encoded;
    for (const Labelled* one : all) encoded.push_back(encode(*one));
    return encoded;
  }

 private:
  [[nodiscard]] LabelledTokens encode(const Labelled& one) const {
    LabelledTokens result;
    const bool begins = model_.tokenizer().begin() >= 0, ends = model_.tokenizer().end() >= 0;
    const std::size_t most = most_ - (begins ? 1U : 0U) - (ends ? 1U : 0U);
    std::string sequence = one.sequence, target = one.target;
    if (sequence.size() > most) {
      warnings_.add("finetune.cropped", one.place +
                                            ": is longer than --max-length; its beginning "
                                            "counts");
      sequence.resize(most);
      if (task_.per_residue) target.resize(most);
    }
    result.tokens = model_.encode(sequence, one.place);
    const nn::Token unknown = model_.tokenizer().unknown();
    if (unknown >= 0 && std::ranges::find(result.tokens, unknown) != result.tokens.end())
      warnings_.add(
          "finetune.unknown_residue",
          one.place + ": has letters that the model does not know; they count as unknown");
    result.first = begins ? 1 : 0;
    result.last = static_cast<std::int32_t>(result.tokens.size()) - (ends ? 1 : 0);
    if (static_cast<std::size_t>(result.last - result.first) != sequence.size())
      fail(Errc::CorruptData, "{}: expected one token for each residue, found {} for {}", one.place,
           result.last - result.first, sequence.size());
    if (!task_.classes) {
      const auto value = number_of(target);
      if (!value)
        fail(Errc::CorruptData, "{}: target: expected a number, found \"{}\"", one.place,
             printable(target, 40));
      result.value = static_cast<float>((*value - task_.mean) / task_.deviation);
    } else if (task_.per_residue) {
      for (const char letter : target)
        result.classes.push_back(letter == '\0' ? -1 : class_of(std::string(1, letter), one.place));
    } else {
      result.classes = {class_of(target, one.place)};
    }
    return result;
  }

  [[nodiscard]] std::int32_t class_of(const std::string& label, const std::string& place) const {
    const auto found = std::ranges::find(task_.labels, label);
    if (found == task_.labels.end())
      fail(Errc::CorruptData, "{}: the class \"{}\" does not occur in the training data", place,
           printable(label, 40));
    return static_cast<std::int32_t>(found - task_.labels.begin());
  }

  const LanguageModel& model_;
  const TaskSpec& task_;
  Warnings& warnings_;
  std::size_t most_ = 0;
};

/// Heads and adapters before training: the adapters' second halves are zero, so that the model
/// begins as it was.
nn::TensorSet first_additions(const std::vector<nn::TensorInfo>& infos, std::uint64_t seed) {
  nn::TensorSet made;
  std::uint64_t number = 0;
  for (const nn::TensorInfo& info : infos) {
    Tensor tensor(DType::F32, info.shape);
    Random random(seed, (1ULL << 60U) + number++);
    const bool zero = info.name.ends_with(".bias") || info.name.ends_with(".up");
    const double limit = 1 / std::sqrt(static_cast<double>(info.shape.back()));
    for (float& value : tensor.values<float>())
      value = zero ? 0.0F : static_cast<float>(limit * (2 * random.uniform() - 1));
    made.emplace(info.name, std::move(tensor));
  }
  return made;
}

/// How well a model predicts one split.
struct Quality {
  double spearman = 0, pearson = 0, squared_error = 0, accuracy = 0;
  std::size_t count = 0;
  std::vector<double> measured, predicted;  ///< of values

  [[nodiscard]] Json to_json(bool classes) const {
    if (classes) return {{"count", count}, {"accuracy", accuracy}};
    return {{"count", count},
            {"spearman", spearman},
            {"pearson", pearson},
            {"mean_squared_error", squared_error}};
  }
};

std::size_t likeliest(std::span<const float> row) {
  return static_cast<std::size_t>(std::ranges::max_element(row) - row.begin());
}

Quality quality(const TaskModel& model, const std::vector<LabelledTokens>& all,
                app::RunContext& context) {
  std::vector<Item> items;
  std::uint64_t tokens = 0;
  for (const LabelledTokens& one : all) {
    tokens += one.tokens.size();
    items.push_back({items.size(), one.tokens});
  }
  context.progress.stage("evaluate", tokens, "tokens");
  const auto outputs = static_cast<std::size_t>(model.task().outputs());
  std::vector<double> predicted(all.size()), right(all.size()), asked(all.size());
  model.predict(items, context.threads, context.progress, context.stop,
                [&](const Item& item, std::span<const float> answer) {
                  const LabelledTokens& one = all[item.index];
                  predicted[item.index] = answer[0];
                  for (std::size_t i = 0; i < one.classes.size(); ++i) {
                    if (one.classes[i] < 0) continue;
                    const auto best = likeliest(answer.subspan(i * outputs, outputs));
                    asked[item.index] += 1;
                    right[item.index] += static_cast<std::int32_t>(best) == one.classes[i] ? 1 : 0;
                  }
                });
  Quality q;
  q.count = all.size();
  if (model.task().classes) {
    double sum = 0, count = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      sum += right[i];
      count += asked[i];
    }
    q.accuracy = count > 0 ? sum / count : 0;
    return q;
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    q.measured.push_back(model.task().mean + model.task().deviation * all[i].value);
    const double error = predicted[i] - q.measured[i];
    q.squared_error += error * error / static_cast<double>(all.size());
  }
  q.predicted = std::move(predicted);
  q.spearman = spearman(q.measured, q.predicted);
  q.pearson = pearson(q.measured, q.predicted);
  return q;
}

/// One fine-tuning.
class FineTuning {
 public:
  FineTuning(std::vector<Labelled> data, bool per_residue, const FineTuningOptions& options,
             app::RunContext& context)
      : data_(std::move(data)),
        options_(options),
        context_(context),
        base_(options.base, nn::Precision::Fp32),
        task_(task_of(checked(data_), per_residue, options)) {}

  void run() {
    const Encoder encode(base_, task_, options_.max_length, context_.warnings);
    auto training = encode(of_split(data_, Split::Train));
    const auto validation = encode(of_split(data_, Split::Validation));
    const auto test = encode(of_split(data_, Split::Test));
    context_.metric("sequences.training", training.size());
    context_.metric("sequences.validation", validation.size());
    context_.metric("sequences.test", test.size());

    const bool lora = options_.method == "lora";
    nn::TensorSet weights = base_weights();
    // An adapter is to stay small, so its head has no dense layer.
    std::vector<nn::TensorInfo> added = task_.weights(base_.net().spec().hidden, !lora);
    const nn::AdapterSpec adapter{.rank = options_.rank, .alpha = options_.alpha};
    if (lora) std::ranges::copy(adapter.weights(base_.net().spec()), std::back_inserter(added));
    nn::TensorSet additions = first_additions(added, static_cast<std::uint64_t>(options_.seed));
    weights.insert(additions.begin(), additions.end());
    const nn::TrainingPlan plan = plan_for(weights, additions, adapter.scale());

    FineTuningSource source(std::move(training), validation, question(), options_, plan.ranks.rank,
                            plan.ranks.size);
    const TrainingOutcome outcome = train(plan, weights, source, options_, context_);
    if (context_.launch.rank != 0) return;
    report_training(outcome, plan, context_);
    report_size(outcome.weights);

    const auto& compared = validation.empty() ? test : validation;
    const TaskModel before(base_, weights, task_);
    for (const auto& [name, tensor] : outcome.weights) weights.insert_or_assign(name, tensor);
    const TaskModel after(base_, nn::merged(weights, weights, adapter.scale(), "the adapter"),
                          task_);
    if (!compared.empty())
      context_.metric("untrained", quality(before, compared, context_).to_json(task_.classes));
    Json metrics = Json::object();
    report_split(after, validation, "validation", metrics);
    report_split(after, test, "test", metrics);
    write(outcome, weights, metrics);
  }

 private:
  static const std::vector<Labelled>& checked(const std::vector<Labelled>& data) {
    if (of_split(data, Split::Train).empty())
      fail(Errc::CorruptData,
           "expected sequences to train on, found {}, none of them of the "
           "training set",
           data.size());
    return data;
  }

  [[nodiscard]] nn::TensorSet base_weights() const {
    nn::TensorSet weights;
    for (auto& [name, tensor] : nn::ModelFolder(options_.base).weights().all())
      if (!name.starts_with("task.")) weights.emplace(name, nn::to_float32(tensor));
    return weights;
  }

  [[nodiscard]] Question question() const {
    if (task_.per_residue) return Question::ClassOfResidues;
    return task_.classes ? Question::ClassOfSequence : Question::ValueOfSequence;
  }

  [[nodiscard]] nn::TrainingPlan plan_for(const nn::TensorSet& weights,
                                          const nn::TensorSet& additions, double scale) const {
    nn::TrainingPlan plan;
    plan.architecture = "transformer";
    plan.config = base_.net().spec().to_json();
    plan.rows = task_.per_residue ? "places" : "spans";
    plan.head = "task";
    plan.loss = task_.classes ? "cross_entropy" : "squared";
    plan.adapter_scale = scale;
    for (const auto& [name, tensor] : weights) {
      // The language model's own head has no part in this.
      const bool full = options_.method == "full" && !name.starts_with("head.");
      if (full || additions.contains(name)) plan.trained.push_back(name);
    }
    configure(plan, options_, context_);
    return plan;
  }

  void report_size(const nn::TensorSet& trained) {
    std::int64_t numbers = 0;
    for (const auto& [name, tensor] : trained) numbers += tensor.element_count();
    const std::int64_t all = base_.net().spec().parameters();
    context_.metric("trained_parameters", numbers);
    context_.metric("base_parameters", all);
    context_.report.figure("Trained numbers", numbers);
    context_.report.figure("Of the base's",
                           100.0 * static_cast<double>(numbers) / static_cast<double>(all), "%");
  }

  void report_split(const TaskModel& model, const std::vector<LabelledTokens>& split,
                    const std::string& name, Json& metrics) {
    if (split.empty()) return;
    const Quality q = quality(model, split, context_);
    metrics[name] = q.to_json(task_.classes);
    context_.metric(name, metrics[name]);
    context_.report.section("On the " + name + " set");
    for (const auto& [key, value] : metrics[name].items())
      context_.report.figure(replaced(key, '_', ' '), value.get<double>());
    if (q.measured.empty()) return;
    // Line plots want rising x.
    std::vector<std::size_t> order(q.measured.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::sort(order, {}, [&](std::size_t i) { return q.measured[i]; });
    app::Plot plot{.title = "Predicted and measured",
                   .x_label = "sequences, by measured value",
                   .y_label = options_.target_name,
                   .x = {},
                   .series = {{"measured", {}}, {"predicted", {}}}};
    for (std::size_t i = 0; i < order.size(); i += std::max<std::size_t>(1, order.size() / 400)) {
      plot.x.push_back(static_cast<double>(i));
      plot.series[0].values.push_back(q.measured[order[i]]);
      plot.series[1].values.push_back(q.predicted[order[i]]);
    }
    context_.report.plot(std::move(plot));
  }

  void write(const TrainingOutcome& outcome, const nn::TensorSet& weights, const Json& metrics) {
    if (!options_.output) return;
    const bool lora = options_.method == "lora";
    const nn::ModelDescription& parent = base_.description();
    nn::ModelDescription d;
    d.name = options_.name.empty() ? parent.name + "-" + options_.target_name : options_.name;
    d.licence = parent.licence;
    d.intended_use = "predicting " + options_.target_name +
                     " of sequences like those it was "
                     "trained on";
    d.training_data = fmt::format("{} labelled sequences", of_split(data_, Split::Train).size());
    d.source = "fine-tuned by aceso";
    d.metrics = metrics;
    d.provenance = {{"aceso", version()},
                    {"parent", parent.name + "@" + parent.version},
                    {"method", options_.method},
                    {"steps", outcome.steps},
                    {"learning_rate", options_.learning_rate},
                    {"seed", options_.seed}};
    d.architecture = lora ? "adapter" : "transformer";
    if (lora) {
      d.config = {{"base", parent.name},
                  {"base_weights", nn::weights_fingerprint(nn::ModelFolder(options_.base))},
                  {"rank", options_.rank},
                  {"scale", options_.alpha / static_cast<double>(options_.rank)}};
    } else {
      d.config = parent.config;
      d.tokenizer = parent.tokenizer;
    }
    d.config["task"] = task_.to_json();
    nn::ModelWriter writer(*options_.output);
    writer.weights(lora ? outcome.weights : weights);
    writer.commit(d);
  }

  std::vector<Labelled> data_;
  const FineTuningOptions& options_;
  app::RunContext& context_;
  LanguageModel base_;
  TaskSpec task_;
};

}  // namespace

void finetune(std::vector<Labelled> data, bool per_residue, const FineTuningOptions& options,
              app::RunContext& context) {
  FineTuning(std::move(data), per_residue, options, context).run();
}

}  // namespace aceso::lm
