#include "fit_quality.hpp"

#include "aceso/core/text.hpp"
#include "aceso/lm/statistics.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace aceso::molecules {
namespace {

/// One figure: its key for programs, its name for people.
struct Figure {
  const char* key;
  const char* label;
};
constexpr std::array<Figure, 4> kOfValues{
    {{"rmse", "RMSE"}, {"mae", "MAE"}, {"r2", "R²"}, {"spearman", "Spearman"}}};
constexpr std::array<Figure, 4> kOfClasses{
    {{"auroc", "AUROC"}, {"auprc", "AUPRC"}, {"accuracy", "accuracy"}, {"brier", "Brier score"}}};

constexpr std::span<const Figure> figures_of(bool classes) {
  return classes ? std::span<const Figure>(kOfClasses) : std::span<const Figure>(kOfValues);
}

const char* name_of(lm::Split split) {
  return split == lm::Split::Train ? "training" : split == lm::Split::Test ? "test" : "validation";
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(std::max<std::size_t>(1, values.size()));
}

/// The mean of f(measured, predicted).
template <typename F>
double mean_over(const TargetPairs& pairs, const F& f) {
  std::vector<double> values(pairs.measured.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = f(pairs.measured[i], pairs.predicted[i]);
  return mean_of(values);
}

double squared_error(double measured, double predicted) {
  return (measured - predicted) * (measured - predicted);
}

/// By rising measured value.
std::vector<std::size_t> measured_order(const TargetPairs& pairs) {
  std::vector<std::size_t> order(pairs.measured.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return pairs.measured[i]; });
  return order;
}

app::Scatter scatter(const std::string& target, const FitTable& table, const TargetPairs& pairs) {
  constexpr std::size_t kMost = 2000;
  app::Scatter plot{.title = target + ": predicted and measured",
                    .x_label = "measured",
                    .y_label = "predicted",
                    .x = {},
                    .y = {},
                    .names = {},
                    .colour_label = "error",
                    .note = "A point's colour is how far the prediction is off."};
  const std::vector<std::size_t> order = measured_order(pairs);
  const std::size_t stride = 1 + order.size() / kMost;
  for (std::size_t i = 0; i < order.size(); i += stride) {
    const double measured = pairs.measured[order[i]], predicted = pairs.predicted[order[i]];
    plot.x.push_back(measured);
    plot.y.push_back(predicted);
    plot.names.push_back(printable(table.molecules[pairs.molecules[order[i]]].smiles, 100));
    plot.values.push_back(std::abs(predicted - measured));
  }
  return plot;
}

/// Predicted probabilities beside how often they came true, in ten bins.
app::Plot reliability(const std::string& target, const TargetPairs& pairs) {
  constexpr std::size_t kBins = 10;
  std::array<double, kBins> count{}, positives{}, sums{};
  for (std::size_t i = 0; i < pairs.measured.size(); ++i) {
    const std::size_t bin =
        std::min(kBins - 1, static_cast<std::size_t>(pairs.predicted[i] * kBins));
    count[bin] += 1;
    positives[bin] += pairs.measured[i];
    sums[bin] += pairs.predicted[i];
  }
  app::Plot plot{.title = target + ": calibration",
                 .x_label = "predicted probability",
                 .y_label = "share of positives",
                 .x = {},
                 .series = {{"measured", {}}, {"ideal", {}}},
                 .note =
                     "The mean prediction and the share of positives of the molecules in each "
                     "tenth of the probabilities."};
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    if (count[bin] == 0) continue;
    plot.x.push_back(sums[bin] / count[bin]);
    plot.series[0].values.push_back(positives[bin] / count[bin]);
    plot.series[1].values.push_back(sums[bin] / count[bin]);
  }
  return plot;
}

/// How often intervals from the validation set hold the values of another.
app::Plot coverage_plot(const std::string& target, const TargetPairs& validation,
                        const TargetPairs& other, double offset) {
  app::Plot plot{.title = target + ": calibration of the interval",
                 .x_label = "expected share within the interval",
                 .y_label = "measured share",
                 .x = {},
                 .series = {{"measured", {}}, {"ideal", {}}},
                 .note = "Intervals from the validation set, for several coverages."};
  for (int percent = 5; percent <= 95; percent += 5) {
    const double level = percent / 100.0;
    const auto factor = interval_factor(validation, offset, level);
    if (!factor) continue;
    plot.x.push_back(level);
    plot.series[0].values.push_back(covered(other, *factor, offset));
    plot.series[1].values.push_back(level);
  }
  return plot;
}

/// The error that always answering the mean of the training set makes.
double error_of_the_mean(const FitTable& table, std::size_t target, const TargetPairs& pairs) {
  std::vector<double> training;
  for (const FitMolecule& molecule : table.molecules)
    if (molecule.split == lm::Split::Train && !std::isnan(molecule.values[target]))
      training.push_back(molecule.values[target]);
  const double mean = mean_of(training);
  return std::sqrt(
      mean_over(pairs, [&](double measured, double) { return squared_error(measured, mean); }));
}

std::vector<app::Column> columns_of(bool classes, bool interval) {
  std::vector<app::Column> columns{{"target"}, {"molecules"}};
  for (const Figure& figure : figures_of(classes)) columns.push_back({figure.label});
  if (!classes) columns.push_back({"RMSE of the training mean"});
  if (interval) columns.push_back({"within the interval"});
  return columns;
}

app::Cell cell(const Json& figures, const char* key) {
  const auto found = figures.find(key);
  if (found == figures.end() || !found->is_number()) return std::monostate{};
  return found->get<double>();
}

std::vector<app::Cell> row_of(const std::string& target, const Json& figures, bool classes,
                              bool interval) {
  std::vector<app::Cell> row{target, figures.at("count").get<std::int64_t>()};
  for (const Figure& figure : figures_of(classes)) row.push_back(cell(figures, figure.key));
  if (!classes) row.push_back(cell(figures, "rmse_of_training_mean"));
  if (interval) row.push_back(cell(figures, "within_interval"));
  return row;
}

/// Means over the targets that have the figure.
void add_means(const Json& targets, bool classes, Json& to) {
  for (const Figure& figure : figures_of(classes)) {
    std::vector<double> values;
    for (const auto& [name, figures] : targets.items())
      if (figures.at(figure.key).is_number()) values.push_back(figures.at(figure.key));
    to[figure.key] = values.empty() ? Json(nullptr) : Json(mean_of(values));
  }
}

}  // namespace

TargetPairs pairs_of(const FitTable& table, const EnsemblePredictions& predictions, lm::Split split,
                     std::size_t target) {
  TargetPairs pairs;
  for (std::size_t i = 0; i < table.molecules.size(); ++i) {
    const FitMolecule& molecule = table.molecules[i];
    if (molecule.split != split || std::isnan(molecule.values[target])) continue;
    pairs.molecules.push_back(i);
    pairs.measured.push_back(molecule.values[target]);
    pairs.predicted.push_back(predictions.mean(i, target));
    pairs.spreads.push_back(predictions.spread(i, target));
  }
  return pairs;
}

Json quality(const TargetPairs& pairs, bool classes) {
  Json figures{{"count", pairs.measured.size()}};
  const double squares = mean_over(pairs, squared_error);
  if (classes) {
    figures["positives"] = static_cast<std::int64_t>(std::ranges::count(pairs.measured, 1.0));
    figures["auroc"] = number(lm::auroc(pairs.measured, pairs.predicted));
    figures["auprc"] = number(lm::average_precision(pairs.measured, pairs.predicted));
    figures["accuracy"] = number(mean_over(pairs, [](double measured, double predicted) {
      return (predicted >= 0.5) == (measured == 1) ? 1.0 : 0.0;
    }));
    figures["brier"] = number(squares);
    return figures;
  }
  figures["rmse"] = number(std::sqrt(squares));
  figures["mae"] = number(mean_over(
      pairs, [](double measured, double predicted) { return std::abs(measured - predicted); }));
  figures["r2"] = number(lm::r_squared(pairs.measured, pairs.predicted));
  figures["spearman"] = number(lm::spearman(pairs.measured, pairs.predicted));
  return figures;
}

std::optional<double> interval_factor(const TargetPairs& pairs, double offset, double coverage) {
  std::vector<double> ratios(pairs.measured.size());
  for (std::size_t i = 0; i < ratios.size(); ++i)
    ratios[i] = std::abs(pairs.measured[i] - pairs.predicted[i]) / (pairs.spreads[i] + offset);
  const auto rank =
      static_cast<std::size_t>(std::ceil(coverage * static_cast<double>(ratios.size() + 1) - 1e-9));
  if (rank == 0 || rank > ratios.size()) return std::nullopt;
  std::ranges::sort(ratios);
  return ratios[rank - 1];
}

std::optional<nn::PredictionInterval> calibrated(const FitTable& table,
                                                 const EnsemblePredictions& predictions,
                                                 const std::vector<double>& deviations,
                                                 bool ensemble, double coverage) {
  nn::PredictionInterval interval{.coverage = coverage, .factor = {}, .offset = {}};
  for (std::size_t t = 0; t < table.targets.size(); ++t) {
    const TargetPairs pairs = pairs_of(table, predictions, lm::Split::Validation, t);
    // Half of the usual width remains where all members agree. Without a spread the width is the
    // same for all molecules.
    const double spread = ensemble ? mean_of(pairs.spreads) : 0;
    const double offset = spread > 0 ? spread : deviations[t];
    const auto factor = interval_factor(pairs, offset, coverage);
    if (!factor) return std::nullopt;
    interval.offset.push_back(offset);
    interval.factor.push_back(*factor);
  }
  return interval;
}

double covered(const TargetPairs& pairs, double factor, double offset) {
  double within = 0;
  for (std::size_t i = 0; i < pairs.measured.size(); ++i)
    within +=
        std::abs(pairs.measured[i] - pairs.predicted[i]) <= factor * (pairs.spreads[i] + offset)
            ? 1
            : 0;
  return within / static_cast<double>(std::max<std::size_t>(1, pairs.measured.size()));
}

Json report_quality(const FitTable& table, const EnsemblePredictions& predictions,
                    const nn::MessagePassingSpec& spec, lm::Split split, app::RunContext& context) {
  constexpr std::size_t kPlots = 6;
  const bool classes = spec.task == "classification";
  // The interval was made of the validation set, so that its share there says nothing.
  const bool interval = spec.interval.has_value() && split != lm::Split::Validation;
  Json targets = Json::object();
  std::vector<std::vector<app::Cell>> rows;
  std::vector<app::Scatter> scatters;
  std::vector<app::Plot> plots;
  for (std::size_t t = 0; t < table.targets.size(); ++t) {
    const std::string name = printable(table.targets[t], 100);
    const TargetPairs pairs = pairs_of(table, predictions, split, t);
    Json figures = quality(pairs, classes);
    if (!classes) figures["rmse_of_training_mean"] = number(error_of_the_mean(table, t, pairs));
    if (interval)
      figures["within_interval"] =
          number(covered(pairs, spec.interval->factor[t], spec.interval->offset[t]));
    rows.push_back(row_of(name, figures, classes, interval));
    targets[name] = std::move(figures);
    if (t >= kPlots || pairs.measured.empty() || split == lm::Split::Validation) continue;
    if (classes)
      plots.push_back(reliability(name, pairs));
    else
      scatters.push_back(scatter(name, table, pairs));
    if (interval)
      plots.push_back(coverage_plot(name, pairs_of(table, predictions, lm::Split::Validation, t),
                                    pairs, spec.interval->offset[t]));
  }
  context.report.section(std::string("On the ") + name_of(split) + " set");
  context.report.table("", columns_of(classes, interval), std::move(rows));
  for (const app::Scatter& plot : scatters) context.report.scatter(plot);
  for (app::Plot& plot : plots) context.report.plot(std::move(plot));
  Json all = Json::object();
  add_means(targets, classes, all);
  all["targets"] = std::move(targets);
  return all;
}

}  // namespace aceso::molecules
