#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"
#include "aceso/lm/table.hpp"
#include "aceso/molecules/molecule_file.hpp"
#include "apps.hpp"
#include "bond_features.hpp"
#include "rdkit_2d.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace aceso::molecules {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path model, molecules;
  std::optional<fs::path> output;
  bool uncertainty = false;
};

/// Molecules of one call: enough for matrix products, little enough for caches.
constexpr std::size_t kAtOnce = 32;

/// Predictions for all records; NaN for those that could not be read.
struct Predictions {
  std::size_t outputs = 0;
  std::vector<double> means, deviations;  ///< [records, outputs]
  std::vector<std::string> problems;      ///< empty: read

  Predictions(std::size_t records, std::size_t count)
      : outputs(count),
        means(records * count, std::numeric_limits<double>::quiet_NaN()),
        deviations(means),
        problems(records) {}
};

/// Puts the numbers of the whole molecule behind those in `graphs`.
void add_features(const Molecule& molecule, nn::BondGraphs& graphs) {
  const std::vector<float> row = rdkit_2d_normalised(molecule);
  graphs.features.insert(graphs.features.end(), row.begin(), row.end());
}

/// Mean and standard deviation over the members, for one molecule's outputs.
void summarise(const Tensor& predicted, std::size_t molecule, std::size_t record,
               Predictions& predictions) {
  const auto members = static_cast<std::size_t>(predicted.shape()[0]);
  const auto molecules = static_cast<std::size_t>(predicted.shape()[1]);
  const auto values = predicted.values<float>();
  for (std::size_t o = 0; o < predictions.outputs; ++o) {
    double sum = 0, squares = 0;
    for (std::size_t m = 0; m < members; ++m)
      sum += values[(m * molecules + molecule) * predictions.outputs + o];
    const double mean = sum / static_cast<double>(members);
    for (std::size_t m = 0; m < members; ++m) {
      const double rest = values[(m * molecules + molecule) * predictions.outputs + o] - mean;
      squares += rest * rest;
    }
    predictions.means[record * predictions.outputs + o] = mean;
    predictions.deviations[record * predictions.outputs + o] =
        std::sqrt(squares / static_cast<double>(members));
  }
}

Predictions predict(const nn::MessagePassing& net, const std::vector<MoleculeRecord>& records,
                    app::RunContext& context) {
  Predictions predictions(records.size(), net.spec().outputs.size());
  const Featuriser featuriser = featuriser_by_name(net.spec().featuriser);
  context.progress.stage("predict", records.size(), "molecules");
  parallel_for(
      records.size(), kAtOnce, context.threads,
      [&](std::size_t begin, std::size_t end) {
        nn::BondGraphs graphs;
        std::vector<std::size_t> read;
        for (std::size_t i = begin; i < end; ++i) {
          try {
            const Molecule molecule = parse_smiles(records[i].smiles);
            add_graph(molecule, featuriser, graphs);
            if (net.spec().molecule_features > 0) add_features(molecule, graphs);
            read.push_back(i);
          } catch (const Error& error) {
            predictions.problems[i] = error.what();
          }
        }
        const Tensor predicted = net.predict(graphs);
        for (std::size_t i = 0; i < read.size(); ++i) summarise(predicted, i, read[i], predictions);
        context.progress.advance(end - begin);
      },
      context.stop);
  return predictions;
}

std::string cell(double value) { return std::isnan(value) ? "" : fmt::format("{:.6g}", value); }

void write_table(const Job& job, const nn::MessagePassingSpec& spec,
                 const std::vector<MoleculeRecord>& records, const Predictions& predictions) {
  if (!job.output) return;
  const char separator = lm::separator_for(*job.output);
  std::vector<std::string> cells{"id", "smiles"};
  for (const std::string& output : spec.outputs) {
    cells.push_back(output);
    if (job.uncertainty) cells.push_back(output + "_std");
  }
  AtomicFile file(*job.output);
  file.write(lm::table_line(cells, separator));
  for (std::size_t i = 0; i < records.size(); ++i) {
    cells = {records[i].id, records[i].smiles};
    for (std::size_t o = 0; o < predictions.outputs; ++o) {
      cells.push_back(cell(predictions.means[i * predictions.outputs + o]));
      if (job.uncertainty)
        cells.push_back(cell(predictions.deviations[i * predictions.outputs + o]));
    }
    file.write(lm::table_line(cells, separator));
  }
  file.commit();
}

/// How the predictions of one output are spread.
app::Plot histogram(const std::string& output, std::vector<double> values) {
  constexpr std::size_t kBins = 30;
  std::erase_if(values, [](double value) { return std::isnan(value); });
  const auto [low, high] = std::ranges::minmax(values);
  const double width = std::max((high - low) / kBins, 1e-9);
  std::vector<double> x, counts(kBins, 0.0);
  for (std::size_t bin = 0; bin < kBins; ++bin)
    x.push_back(low + width * (static_cast<double>(bin) + 0.5));
  for (const double value : values)
    counts[std::min(kBins - 1, static_cast<std::size_t>((value - low) / width))] += 1;
  return {.title = output,
          .type = app::Plot::Type::Area,
          .x_label = output,
          .y_label = "molecules",
          .x = std::move(x),
          .series = {{"molecules", std::move(counts)}}};
}

void report(const nn::ModelFolder& model, const nn::MessagePassingSpec& spec,
            const Predictions& predictions, double seconds, app::RunContext& context) {
  constexpr std::size_t kPlots = 12;
  const std::size_t records = predictions.problems.size();
  const auto unread = static_cast<std::size_t>(std::ranges::count_if(
      predictions.problems, [](const std::string& problem) { return !problem.empty(); }));
  const double speed = seconds > 0 ? static_cast<double>(records) / seconds : 0;
  context.metric("molecules", records);
  context.metric("unreadable", unread);
  context.metric("members", spec.members);
  context.metric("molecules_per_second", speed);
  context.report.section("Predictions", "The mean of the ensemble's members.");
  context.report.figure("Model", model.description().name);
  context.report.figure("Molecules", static_cast<std::int64_t>(records));
  context.report.figure("Could not be read", static_cast<std::int64_t>(unread));
  context.report.figure("Speed", speed, "molecules/s");
  if (unread == records) return;
  for (std::size_t o = 0; o < std::min(spec.outputs.size(), kPlots); ++o) {
    std::vector<double> values;
    for (std::size_t i = 0; i < records; ++i)
      values.push_back(predictions.means[i * predictions.outputs + o]);
    context.report.plot(histogram(spec.outputs[o], std::move(values)));
  }
}

void run(const Job& job, app::RunContext& context) {
  const nn::ModelFolder model(job.model);
  const nn::MessagePassing net(model);
  const std::vector<MoleculeRecord> records = read_molecules(job.molecules);
  const auto begin = std::chrono::steady_clock::now();
  const Predictions predictions = predict(net, records, context);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  for (std::size_t i = 0; i < records.size(); ++i)
    if (!predictions.problems[i].empty())
      context.warnings.add("smiles.unreadable",
                           fmt::format("{}: {}", records[i].place, predictions.problems[i]));
  write_table(job, net.spec(), records, predictions);
  report(model, net.spec(), predictions, elapsed.count(), context);
}

}  // namespace

app::App predict_app() {
  app::Describe<Job> d{"molecules predict", "Predicts properties of molecules"};
  d.help(
      "Runs a message passing net (D-MPNN, as chemprop trains it) or an ensemble of them over "
      "molecules and writes a table with one column for each property: values in the units of the "
      "training data, or probabilities of classes. With --uncertainty also the standard deviation "
      "over the ensemble's members. A molecule that cannot be read gets empty cells and a warning; "
      "with --strict it ends the run.");
  d.example(
      "aceso molecules predict --model solubility --molecules candidates.csv --output "
      "predictions.csv");
  d.input("model", &Job::model, {.kind = "model", .help = "model of architecture dmpnn"});
  d.input("molecules", &Job::molecules, {.kind = "molecules", .help = "molecules"});
  d.output("output", &Job::output,
           {.kind = "table", .file_name = "predictions.csv", .help = "predictions"});
  d.option("uncertainty", &Job::uncertainty,
           {.help = "write the standard deviation over the ensemble too"});
  d.resources({.memory_mb = 1000});
  return d.build(run);
}

}  // namespace aceso::molecules
