#include "fitting.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/process.hpp"
#include "aceso/core/random.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"
#include "aceso/lm/table.hpp"
#include "aceso/lm/training.hpp"
#include "aceso/nn/model_folder.hpp"
#include "fit_data.hpp"
#include "fit_quality.hpp"
#include "fit_source.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace aceso::molecules {
namespace {

constexpr std::array<lm::Split, 3> kSplits{lm::Split::Train, lm::Split::Validation,
                                           lm::Split::Test};
constexpr std::array<const char*, 3> kSplitNames{"train", "validation", "test"};

const char* name_of(lm::Split split) { return kSplitNames[static_cast<std::size_t>(split)]; }

/// Mean and standard deviation of a target's values in training.
struct Scale {
  double mean = 0, deviation = 1;
};

nn::MessagePassingSpec spec_of(const FitOptions& options, const FitTable& table) {
  nn::MessagePassingSpec spec;
  spec.featuriser = "chemprop-v1";
  spec.atom_features = 133;
  spec.bond_features = 14;
  if (options.molecule_features != "none") {
    spec.molecule_featuriser = options.molecule_features;
    spec.molecule_features = 200;
  }
  spec.hidden = options.hidden;
  spec.depth = options.depth;
  spec.head_layers = options.head_layers;
  spec.head_hidden = options.hidden;
  const bool classes =
      options.task == "classification" || (options.task == "automatic" && has_classes(table));
  spec.task = classes ? "classification" : "regression";
  spec.outputs = table.targets;
  return spec;
}

/// First weights after Glorot and Bengio (2010); biases are 0.
nn::TensorSet first_weights(const nn::MessagePassingSpec& spec, std::uint64_t seed) {
  nn::TensorSet weights;
  std::uint64_t number = 0;
  for (const nn::TensorInfo& info : spec.weights()) {
    if (info.name.find(".scale.") != std::string::npos) continue;
    Tensor tensor(DType::F32, info.shape);
    Random random(seed, (1ULL << 61U) + number++);
    const bool bias = info.shape.size() == 1;
    const double limit =
        bias ? 0 : std::sqrt(6.0 / static_cast<double>(info.shape[0] + info.shape[1]));
    for (float& value : tensor.values<float>())
      value = static_cast<float>(limit * (2 * random.uniform() - 1));
    weights.emplace(info.name, std::move(tensor));
  }
  return weights;
}

Tensor vector_of(const std::vector<double>& values) {
  Tensor tensor(DType::F32, {static_cast<std::int64_t>(values.size())});
  std::ranges::transform(values, tensor.values<float>().begin(),
                         [](double value) { return static_cast<float>(value); });
  return tensor;
}

/// A line for each member; members that stopped earlier have a gap behind.
app::Plot plot_of(const std::string& title, const std::string& y_label,
                  const std::vector<lm::Curve>& curves, std::int64_t updates_per_epoch) {
  app::Plot plot{.title = title, .x_label = "epoch", .y_label = y_label, .x = {}, .series = {}};
  const auto& longest = *std::ranges::max_element(
      curves, {}, [](const lm::Curve& curve) { return curve.steps.size(); });
  for (const double step : longest.steps)
    plot.x.push_back(step / static_cast<double>(updates_per_epoch));
  for (std::size_t m = 0; m < curves.size(); ++m) {
    std::vector<double> values = curves[m].values;
    values.resize(longest.steps.size(), std::numeric_limits<double>::quiet_NaN());
    plot.series.push_back(
        {curves.size() == 1 ? "loss" : fmt::format("member {}", m + 1), std::move(values)});
  }
  return plot;
}

/// One fitting.
class Fitting {
 public:
  Fitting(const FitOptions& options, app::RunContext& context)
      : options_(options),
        context_(context),
        table_(read_fit_table(options.molecules, columns())),
        spec_(spec_of(options, table_)),
        graphs_(read_graphs(table_, spec_, context)) {}

  void run() {
    check_classes();
    part();
    report_data();
    measure_scales();
    train();
    const nn::MessagePassing net(spec_, weights_, "the fitted model");
    const EnsemblePredictions predictions = predict(net);
    if (!classes()) calibrate(predictions);
    const Json metrics = report(predictions);
    if (options_.predictions) write_predictions(predictions);
    if (options_.output) write_model(metrics);
  }

 private:
  [[nodiscard]] FitColumns columns() const {
    return {.smiles = options_.smiles_column,
            .targets = options_.targets,
            .split = options_.split == "column" ? options_.split_column : ""};
  }
  [[nodiscard]] bool classes() const { return spec_.task == "classification"; }
  [[nodiscard]] std::size_t outputs() const { return table_.targets.size(); }

  void check_classes() const {
    if (!classes()) return;
    for (const FitMolecule& molecule : table_.molecules)
      for (std::size_t t = 0; t < outputs(); ++t) {
        const double value = molecule.values[t];
        if (!std::isnan(value) && value != 0 && value != 1)
          fail(Errc::CorruptData,
               "{}: column \"{}\": expected 0 or 1, as --task classification asks for, found {}",
               molecule.place, printable(table_.targets[t], 60), value);
      }
  }

  /// Says which molecules are for what.
  void part() {
    if (options_.split != "column") {
      const bool by_scaffold = options_.split == "scaffold";
      std::vector<std::string> keys;
      for (const FitMolecule& molecule : table_.molecules)
        keys.push_back(by_scaffold ? molecule.scaffold : molecule.canonical);
      const auto splits =
          split_by_group(keys, {.validation = options_.validation, .test = options_.test},
                         by_scaffold, static_cast<std::uint64_t>(options_.seed));
      for (std::size_t i = 0; i < splits.size(); ++i) table_.molecules[i].split = splits[i];
    }
    if (count(lm::Split::Train) == 0)
      fail(Errc::CorruptData,
           "{}: expected molecules to train on, found {}, none of them in the training set{}",
           options_.molecules.string(), table_.molecules.size(),
           options_.split == "scaffold" ? "; most have the same scaffold, so --split random may do"
                                        : "");
    if (count(lm::Split::Validation) == 0)
      context_.warnings.add("fit.no_validation",
                            fmt::format("{}: no molecule is for validation, so the last weights "
                                        "are kept and nothing says how sure predictions are",
                                        options_.molecules.string()));
  }

  [[nodiscard]] std::int64_t count(lm::Split split) const {
    return std::ranges::count(table_.molecules, split, &FitMolecule::split);
  }

  void report_data() {
    const Duplicates duplicates = count_duplicates(table_);
    if (duplicates.mixed > 0)
      context_.warnings.add(
          "fit.in_two_sets",
          fmt::format("{}: {} molecules are in more than one set, so that figures of the test may "
                      "be too good",
                      options_.molecules.string(), duplicates.mixed));
    context_.report.section("Data");
    context_.report.figure("Task", spec_.task);
    for (const lm::Split split : kSplits) {
      context_.metric(std::string("molecules.") + name_of(split), count(split));
      context_.report.figure(
          std::string("Molecules for ") + (split == lm::Split::Train ? "training" : name_of(split)),
          count(split));
    }
    context_.metric("task", spec_.task);
    context_.metric("without_value", table_.without_value);
    context_.metric("duplicates", duplicates.rows);
    if (table_.without_value > 0)
      context_.report.figure("Left out, as nothing was measured",
                             static_cast<std::int64_t>(table_.without_value));
    if (duplicates.rows > 0)
      context_.report.figure("Rows with the molecule of another",
                             static_cast<std::int64_t>(duplicates.rows));
  }

  void measure_scales() {
    for (std::size_t t = 0; t < outputs(); ++t) {
      double values = 0, sum = 0, squares = 0;
      for (const FitMolecule& molecule : table_.molecules) {
        if (molecule.split != lm::Split::Train || std::isnan(molecule.values[t])) continue;
        values += 1;
        sum += molecule.values[t];
      }
      const std::string column = printable(table_.targets[t], 60);
      if (values == 0)
        fail(Errc::CorruptData, "{}: column \"{}\": expected values to train on, found none",
             options_.molecules.string(), column);
      const double mean = sum / values;
      for (const FitMolecule& molecule : table_.molecules)
        if (molecule.split == lm::Split::Train && !std::isnan(molecule.values[t]))
          squares += (molecule.values[t] - mean) * (molecule.values[t] - mean);
      const double deviation = std::sqrt(squares / values);
      if (deviation <= 0 && !classes())
        fail(Errc::CorruptData,
             "{}: column \"{}\": expected values that differ among those to train on, found "
             "{} times {}",
             options_.molecules.string(), column, values, mean);
      if (deviation <= 0)
        context_.warnings.add("fit.one_class",
                              fmt::format("{}: column \"{}\": all values to train on are {}",
                                          options_.molecules.string(), column, mean));
      scales_.push_back(classes() ? Scale{} : Scale{mean, deviation});
    }
  }

  /// Values as the net's outputs are compared with them.
  [[nodiscard]] FitSet set_of(lm::Split split) const {
    FitSet set;
    for (std::size_t i = 0; i < table_.molecules.size(); ++i) {
      const FitMolecule& molecule = table_.molecules[i];
      if (molecule.split != split) continue;
      set.molecules.push_back(static_cast<std::uint32_t>(i));
      for (std::size_t t = 0; t < outputs(); ++t)
        set.values.push_back(
            static_cast<float>((molecule.values[t] - scales_[t].mean) / scales_[t].deviation));
    }
    return set;
  }

  [[nodiscard]] lm::TrainingOptions training_options(std::int64_t member, std::uint64_t seed,
                                                     std::int64_t updates_per_epoch) const {
    lm::TrainingOptions o;
    o.steps = options_.epochs * updates_per_epoch;
    o.learning_rate = options_.learning_rate;
    o.warmup_steps = std::min(
        static_cast<std::int64_t>(options_.warmup_epochs * static_cast<double>(updates_per_epoch)),
        o.steps / 2);
    o.weight_decay = options_.weight_decay;
    o.micro_batches = 1;
    o.evaluate_every = updates_per_epoch;
    // The best epoch is kept even if no number of bad ones ends the training.
    const bool validates = count(lm::Split::Validation) > 0;
    o.patience = options_.patience > 0 ? options_.patience : validates ? options_.epochs + 1 : 0;
    o.seed = static_cast<std::int64_t>(seed);
    o.device = options_.device;
    if (!options_.checkpoint.empty())
      o.checkpoint =
          (std::filesystem::path(options_.checkpoint) / fmt::format("member-{}", member + 1))
              .string();
    o.checkpoint_every = options_.checkpoint_every;
    o.resume = options_.resume;
    o.plots = false;
    return o;
  }

  void train() {
    std::vector<lm::Curve> training, held_out;
    std::int64_t updates = 1;
    for (std::int64_t member = 0; member < options_.ensemble; ++member) {
      // Members differ by their first weights and the order of the data.
      const std::uint64_t seed =
          static_cast<std::uint64_t>(options_.seed) + (static_cast<std::uint64_t>(member) << 32U);
      FitSource source(graphs_, spec_, set_of(lm::Split::Train), set_of(lm::Split::Validation),
                       static_cast<std::size_t>(options_.batch_size), seed);
      updates = source.updates_per_epoch();
      const nn::TensorSet first = first_weights(spec_, seed);
      const lm::TrainingOptions options = training_options(member, seed, updates);
      const lm::TrainingOutcome outcome =
          lm::train(plan_for(first, options), first, source, options, context_);
      keep(outcome, member);
      training.push_back(outcome.training_losses);
      held_out.push_back(outcome.held_out_losses);
    }
    spec_.members = options_.ensemble;
    context_.report.section("Training");
    const char* loss = classes() ? "cross entropy, nats" : "half the squared error, standardised";
    context_.report.plot(plot_of("Loss in training", loss, training, updates));
    if (!held_out.front().steps.empty())
      context_.report.plot(plot_of("Loss on the validation set", loss, held_out, updates));
    context_.metric("members", members_);
  }

  [[nodiscard]] nn::TrainingPlan plan_for(const nn::TensorSet& weights,
                                          const lm::TrainingOptions& options) const {
    nn::TrainingPlan plan;
    plan.architecture = "dmpnn";
    plan.config = spec_.to_json();
    plan.config["dropout"] = options_.dropout;
    plan.loss = classes() ? "binary" : "squared";
    for (const auto& [name, tensor] : weights) plan.trained.push_back(name);
    lm::configure(plan, options, context_);
    plan.optimizer.beta2 = 0.999;
    return plan;
  }

  /// Adds a member's weights to the ensemble's.
  void keep(const lm::TrainingOutcome& outcome, std::int64_t member) {
    constexpr std::string_view kTrained = "members.0.";
    const std::string prefix = fmt::format("members.{}.", member);
    for (const auto& [name, tensor] : outcome.weights)
      weights_.emplace(prefix + name.substr(kTrained.size()), tensor);
    if (!classes()) {
      std::vector<double> means, deviations;
      for (const Scale& scale : scales_) {
        means.push_back(scale.mean);
        deviations.push_back(scale.deviation);
      }
      weights_.emplace(prefix + "scale.mean", vector_of(means));
      weights_.emplace(prefix + "scale.deviation", vector_of(deviations));
    }
    members_.push_back(
        {{"steps", outcome.steps},
         {"resumed_from", outcome.resumed_from},
         {"stopped_early", outcome.stopped_early},
         {"loss", outcome.loss},
         {"validation_loss", outcome.held_out_loss ? Json(*outcome.held_out_loss) : Json(nullptr)},
         {"molecules_per_second", outcome.tokens_per_second}});
  }

  [[nodiscard]] EnsemblePredictions predict(const nn::MessagePassing& net) const {
    EnsemblePredictions predictions(table_.molecules.size(), outputs());
    context_.progress.stage("test", table_.molecules.size(), "molecules");
    parallel_for(
        table_.molecules.size(), kMoleculesAtOnce, context_.threads,
        [&](std::size_t begin, std::size_t end) {
          nn::BondGraphs graphs;
          for (std::size_t i = begin; i < end; ++i) graphs_.append(i, graphs);
          const Tensor predicted = net.predict(graphs);
          for (std::size_t i = begin; i < end; ++i) predictions.put(predicted, i - begin, i);
          context_.progress.advance(end - begin);
        },
        context_.stop);
    return predictions;
  }

  void calibrate(const EnsemblePredictions& predictions) {
    std::vector<double> deviations;
    for (const Scale& scale : scales_) deviations.push_back(scale.deviation);
    spec_.interval =
        calibrated(table_, predictions, deviations, options_.ensemble > 1, options_.coverage);
    if (!spec_.interval && count(lm::Split::Validation) > 0)
      context_.warnings.add(
          "fit.no_interval",
          fmt::format("{}: too few values for validation to say within what {:g} % of measured "
                      "values lie",
                      options_.molecules.string(), 100 * options_.coverage));
  }

  Json report(const EnsemblePredictions& predictions) {
    Json metrics = Json::object();
    for (const lm::Split split : {lm::Split::Test, lm::Split::Validation}) {
      if (count(split) == 0) continue;
      metrics[name_of(split)] = report_quality(table_, predictions, spec_, split, context_);
      context_.metric(name_of(split), metrics[name_of(split)]);
    }
    return metrics;
  }

  void write_predictions(const EnsemblePredictions& predictions) const {
    const char separator = lm::separator_for(*options_.predictions);
    std::vector<std::string> cells{"smiles", "set"};
    for (const std::string& target : table_.targets)
      for (const char* what : {"_measured", "", "_std"}) cells.push_back(target + what);
    AtomicFile file(*options_.predictions);
    file.write(lm::table_line(cells, separator));
    const auto cell = [](double value) {
      return std::isnan(value) ? std::string() : fmt::format("{:.6g}", value);
    };
    for (std::size_t i = 0; i < table_.molecules.size(); ++i) {
      const FitMolecule& molecule = table_.molecules[i];
      cells = {molecule.smiles, name_of(molecule.split)};
      for (std::size_t t = 0; t < outputs(); ++t) {
        cells.push_back(cell(molecule.values[t]));
        cells.push_back(cell(predictions.mean(i, t)));
        cells.push_back(cell(predictions.deviation(i, t)));
      }
      file.write(lm::table_line(cells, separator));
    }
    file.commit();
  }

  void write_model(const Json& metrics) const {
    nn::ModelDescription d;
    const std::string file = options_.molecules.filename().string();
    d.name = options_.name.empty() ? table_.targets.front() : options_.name;
    d.architecture = "dmpnn";
    d.config = spec_.to_json();
    d.intended_use =
        "predicting " + join(table_.targets, ", ") + " of molecules like those it was trained on";
    d.training_data = fmt::format("{} ({} molecules)", file, count(lm::Split::Train));
    d.source = "trained by aceso";
    d.metrics = metrics;
    d.provenance = {{"aceso", version()},
                    {"epochs", options_.epochs},
                    {"batch_size", options_.batch_size},
                    {"learning_rate", options_.learning_rate},
                    {"dropout", options_.dropout},
                    {"split", options_.split},
                    {"seed", options_.seed}};
    nn::ModelWriter writer(*options_.output);
    writer.weights(weights_);
    writer.commit(d);
  }

  const FitOptions& options_;
  app::RunContext& context_;
  FitTable table_;
  nn::MessagePassingSpec spec_;  ///< of one member until all are trained
  GraphStore graphs_;
  std::vector<Scale> scales_;
  nn::TensorSet weights_;
  Json members_ = Json::array();
};

}  // namespace

void fit(const FitOptions& options, app::RunContext& context) {
  if (context.launch.size > 1)
    fail(Errc::InvalidArgument, "molecules fit runs as one process, found {}", context.launch.size);
  if (options.validation + options.test >= 1)
    fail(Errc::InvalidArgument,
         "--validation and --test: expected shares that leave molecules to train on, found {} and "
         "{}",
         options.validation, options.test);
  nn::require_training();
  Fitting(options, context).run();
}

}  // namespace aceso::molecules
