#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"
#include "aceso/lm/table.hpp"
#include "aceso/molecules/molecule_file.hpp"
#include "apps.hpp"
#include "bond_features.hpp"
#include "ensemble.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
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
  std::string id_column;
};

/// Predictions for all records.
struct Predictions : EnsemblePredictions {
  std::vector<std::string> problems;  ///< empty: read

  Predictions(std::size_t records, std::size_t count)
      : EnsemblePredictions(records, count), problems(records) {}
};

Predictions predict(const nn::MessagePassing& net, const std::vector<MoleculeRecord>& records,
                    app::RunContext& context) {
  Predictions predictions(records.size(), net.spec().outputs.size());
  const Featuriser featuriser = featuriser_by_name(net.spec().featuriser);
  context.progress.stage("predict", records.size(), "molecules");
  parallel_for(
      records.size(), kMoleculesAtOnce, context.threads,
      [&](std::size_t begin, std::size_t end) {
        nn::BondGraphs graphs;
        std::vector<std::size_t> read;
        for (std::size_t i = begin; i < end; ++i) {
          try {
            const Molecule molecule = molecule_of(records[i]);
            add_graph(molecule, featuriser, graphs);
            if (net.spec().molecule_features > 0) add_molecule_features(molecule, graphs);
            read.push_back(i);
          } catch (const Error& error) {
            predictions.problems[i] = error.what();
          }
        }
        const Tensor predicted = net.predict(graphs);
        for (std::size_t i = 0; i < read.size(); ++i) predictions.put(predicted, i, read[i]);
        context.progress.advance(end - begin);
      },
      context.stop);
  return predictions;
}

std::string cell(double value) { return std::isnan(value) ? "" : fmt::format("{:.6g}", value); }

/// The cells that tell how sure a prediction is: the deviation over the members and, where the
/// model has been calibrated, the ends of its interval.
void add_uncertainty(const nn::MessagePassingSpec& spec, const Predictions& predictions,
                     std::size_t record, std::size_t output, std::vector<std::string>& cells) {
  cells.push_back(cell(predictions.deviation(record, output)));
  if (!spec.interval) return;
  const double mean = predictions.mean(record, output);
  const double half = spec.interval->half_width(output, predictions.spread(record, output));
  cells.push_back(cell(mean - half));
  cells.push_back(cell(mean + half));
}

void write_table(const Job& job, const nn::MessagePassingSpec& spec,
                 const std::vector<MoleculeRecord>& records, const Predictions& predictions) {
  if (!job.output) return;
  const char separator = lm::separator_for(*job.output);
  std::vector<std::string> cells{"id", "smiles"};
  for (const std::string& output : spec.outputs) {
    cells.push_back(output);
    if (!job.uncertainty) continue;
    cells.push_back(output + "_std");
    if (!spec.interval) continue;
    cells.push_back(output + "_low");
    cells.push_back(output + "_high");
  }
  AtomicFile file(*job.output);
  file.write(lm::table_line(cells, separator));
  for (std::size_t i = 0; i < records.size(); ++i) {
    cells = {records[i].id, records[i].smiles};
    for (std::size_t o = 0; o < predictions.outputs; ++o) {
      cells.push_back(cell(predictions.mean(i, o)));
      if (job.uncertainty) add_uncertainty(spec, predictions, i, o, cells);
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
  if (spec.interval)
    context.report.figure("Measured values within the interval", 100 * spec.interval->coverage,
                          "% expected");
  if (unread == records) return;
  for (std::size_t o = 0; o < std::min(spec.outputs.size(), kPlots); ++o) {
    std::vector<double> values;
    for (std::size_t i = 0; i < records; ++i) values.push_back(predictions.mean(i, o));
    context.report.plot(histogram(spec.outputs[o], std::move(values)));
  }
}

void run(const Job& job, app::RunContext& context) {
  const nn::ModelFolder model(job.model);
  const nn::MessagePassing net(model);
  const std::vector<MoleculeRecord> records = read_molecules(job.molecules, job.id_column);
  if (job.uncertainty && net.spec().members == 1)
    context.warnings.add("predict.one_member",
                         fmt::format("{}: has one member, so that there is no deviation over "
                                     "members; its column is empty",
                                     job.model.string()));
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
      "over the ensemble's members (NAME_std) and, for models that `molecules fit` calibrated, the "
      "ends of an interval (NAME_low, NAME_high) that holds nine in ten measured values, or the "
      "share chosen there. A molecule that cannot be read gets empty cells and a warning; "
      "with --strict it ends the run.");
  d.example(
      "aceso molecules predict --model solubility --molecules candidates.csv --output "
      "predictions.csv");
  d.input("model", &Job::model, {.kind = "model", .help = "model of architecture dmpnn"});
  d.input("molecules", &Job::molecules, {.kind = "molecules", .help = "molecules"});
  d.output("output", &Job::output,
           {.kind = "table", .file_name = "predictions.csv", .help = "predictions"});
  d.option(
      "uncertainty", &Job::uncertainty,
      {.help = "write the standard deviation over the ensemble too, and the interval of models "
               "that have one"});
  d.option("id_column", &Job::id_column,
           {.help = "column of a table, or property of an SDF file, with the molecules' names; "
                    "empty: the column id, name or molecule_id, or the title"});
  d.sample({.name = "polar surface of 1,000 compounds",
            .summary = "predicts the polar surface area, with how sure two nets are",
            .inputs = {{"model", {"tpsa-demo.model.tar"}}, {"molecules", {"nci_1000.smi"}}},
            .options = {{"uncertainty", true}},
            .origin = "compounds of the NCI; a small model that the project trained"});
  d.resources({.memory_mb = 1000});
  return d.build(run);
}

}  // namespace aceso::molecules
