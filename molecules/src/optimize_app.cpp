#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/table.hpp"
#include "aceso/molecules/molecule_file.hpp"
#include "apps.hpp"
#include "optimizer.hpp"
#include "start_pool.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>

namespace aceso::molecules {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path objective;
  std::optional<fs::path> start, receptor, output, scored, top, picture;
  std::int64_t budget = 10'000;
  std::uint64_t seed = 1;
  std::int64_t most_atoms = 50;
  std::int64_t largest_ring = 7;
};

/// How many molecules reports draw and top.csv lists.
constexpr std::size_t kDrawn = 20, kListed = 100;
constexpr std::array<std::size_t, 3> kTops{1, 10, 100};

std::vector<std::string> read_pool(const Job& job, Warnings& warnings) {
  if (!job.start) return default_pool();
  std::vector<std::string> pool;
  for (const MoleculeRecord& record : read_molecules(*job.start)) {
    try {
      (void)molecule_of(record);
      pool.push_back(record.smiles);
    } catch (const Error& error) {
      warnings.add("smiles.unreadable", fmt::format("{}: {}", record.place, error.what()));
    }
  }
  if (pool.empty())
    fail(Errc::CorruptData, "{}: expected a molecule that can be read, found none",
         job.start->string());
  return pool;
}

/// The result with views on it.
struct Outcome {
  std::vector<ScoredMolecule> scored;
  std::vector<double> scores;
  std::vector<std::size_t> best;  ///< places in scored, best first

  explicit Outcome(std::vector<ScoredMolecule> list) : scored(std::move(list)) {
    for (const ScoredMolecule& one : scored) scores.push_back(one.score.total);
    best.resize(scored.size());
    std::iota(best.begin(), best.end(), std::size_t{0});
    std::ranges::stable_sort(best,
                             [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  }
  /// After each hundred calls, and after the last.
  [[nodiscard]] std::vector<std::size_t> milestones() const {
    std::vector<std::size_t> calls;
    for (std::size_t at = 100; at < scores.size(); at += 100) calls.push_back(at);
    calls.push_back(scores.size());
    return calls;
  }
};

std::string number(double value) { return fmt::format("{:.6g}", value); }

std::string table(const Objective& objective, const Outcome& outcome,
                  const std::vector<std::size_t>& places) {
  std::vector<std::string> cells{"call", "smiles", "score"};
  cells.insert(cells.end(), objective.terms().begin(), objective.terms().end());
  std::string text = lm::table_line(cells, ',');
  for (const std::size_t place : places) {
    const ScoredMolecule& one = outcome.scored[place];
    cells = {std::to_string(place + 1), one.smiles, number(one.score.total)};
    for (const double part : one.score.parts) cells.push_back(number(part));
    text += lm::table_line(cells, ',');
  }
  return text;
}

std::string history(const Outcome& outcome) {
  std::string text = "calls,top1,top10,top100\n";
  for (const std::size_t calls : outcome.milestones()) {
    text += std::to_string(calls);
    for (const std::size_t k : kTops) text += "," + number(top_mean(outcome.scores, calls, k));
    text += "\n";
  }
  return text;
}

std::string drawing(const Outcome& outcome) {
  std::vector<Molecule> molecules;
  std::vector<std::string> legends;
  for (std::size_t i = 0; i < outcome.best.size() && i < kDrawn; ++i) {
    const ScoredMolecule& one = outcome.scored[outcome.best[i]];
    molecules.push_back(parse_smiles(one.smiles));
    legends.push_back(fmt::format("{}. {:.3f}", i + 1, one.score.total));
  }
  return grid_svg(molecules, legends, 5);
}

/// The texts of the output folder's files.
struct Texts {
  std::string scored, top, svg;

  Texts(const Objective& objective, const Outcome& outcome) : svg(drawing(outcome)) {
    std::vector<std::size_t> all(outcome.scored.size());
    std::iota(all.begin(), all.end(), std::size_t{0});
    std::vector<std::size_t> best = outcome.best;
    best.resize(std::min(best.size(), kListed));
    scored = table(objective, outcome, all);
    top = table(objective, outcome, best);
  }
};

void write_outputs(const Job& job, const Objective& objective, const Outcome& outcome,
                   const Texts& texts) {
  if (job.scored) write_file(*job.scored, texts.scored);
  if (job.top) write_file(*job.top, texts.top);
  if (job.picture) write_file(*job.picture, texts.svg);
  if (!job.output) return;
  AtomicFolder folder(*job.output);
  write_file(folder.staging() / "molecules.csv", texts.scored);
  write_file(folder.staging() / "top.csv", texts.top);
  write_file(folder.staging() / "top.svg", texts.svg);
  write_file(folder.staging() / "history.csv", history(outcome));
  write_file(folder.staging() / "objective.yaml", objective.text());
  folder.commit();
}

app::Plot progress_plot(const Outcome& outcome) {
  app::Plot plot{.title = "Scores over calls",
                 .type = app::Plot::Type::Line,
                 .x_label = "molecules scored",
                 .y_label = "mean score",
                 .x = {},
                 .series = {}};
  for (const std::size_t k : kTops) plot.series.push_back({fmt::format("best {}", k), {}});
  for (const std::size_t calls : outcome.milestones()) {
    plot.x.push_back(static_cast<double>(calls));
    for (std::size_t i = 0; i < kTops.size(); ++i)
      plot.series[i].values.push_back(top_mean(outcome.scores, calls, kTops[i]));
  }
  return plot;
}

void report(const Job& job, const Objective& objective, const Outcome& outcome,
            const std::string& svg, app::RunContext& context) {
  const auto budget = static_cast<std::size_t>(job.budget);
  const std::size_t calls = outcome.scores.size();
  context.metric("calls", calls);
  for (const std::size_t k : kTops)
    context.metric(fmt::format("auc_top{}", k), auc_top(outcome.scores, k, budget));
  context.metric("best", top_mean(outcome.scores, calls, 1));
  context.metric("top10_mean", top_mean(outcome.scores, calls, 10));
  context.metric("best_smiles", outcome.scored[outcome.best.front()].smiles);
  context.report.section("Design", "Molecules were bred and scored; the best are shown.");
  context.report.figure("Objective", objective.name());
  context.report.figure("Molecules scored", static_cast<std::int64_t>(calls));
  context.report.figure("Best score", top_mean(outcome.scores, calls, 1));
  context.report.figure("Mean of the best 10", top_mean(outcome.scores, calls, 10));
  context.report.figure("Area under the curve of the best 10", auc_top(outcome.scores, 10, budget));
  context.report.plot(progress_plot(outcome));
  context.report.drawing("Best molecules", svg.substr(svg.find("<svg")));
  std::vector<std::vector<app::Cell>> rows;
  std::vector<app::Column> columns{{"Call"}, {"Score"}, {"SMILES"}};
  for (const std::string& term : objective.terms()) columns.push_back({term});
  for (std::size_t i = 0; i < outcome.best.size() && i < kDrawn; ++i) {
    const ScoredMolecule& one = outcome.scored[outcome.best[i]];
    rows.push_back({static_cast<std::int64_t>(outcome.best[i] + 1), one.score.total, one.smiles});
    for (const double part : one.score.parts) rows.back().emplace_back(part);
  }
  context.report.table("Best molecules", std::move(columns), std::move(rows));
}

void run(const Job& job, app::RunContext& context) {
  const Objective objective = Objective::load(job.objective, job.receptor.value_or(""));
  const std::vector<std::string> pool = read_pool(job, context.warnings);
  OptimizerSettings settings;
  settings.budget = job.budget;
  settings.seed = job.seed;
  settings.threads = context.threads;
  settings.most_atoms = static_cast<int>(job.most_atoms);
  settings.largest_ring = static_cast<int>(job.largest_ring);
  const Outcome outcome(optimize(pool, objective, settings, context.progress, context.stop));
  const Texts texts(objective, outcome);
  write_outputs(job, objective, outcome, texts);
  report(job, objective, outcome, texts.svg, context);
}

}  // namespace

app::App optimize_app() {
  app::Describe<Job> d{"molecules optimize", "Designs molecules that score well on an objective"};
  d.help(
      "Breeds molecules from a starting set by crossing and mutating their graphs, and scores at "
      "most --budget distinct ones with the objective: a short YAML text of terms (similarity, "
      "substructure, descriptors such as qed, logp and tpsa, formula, docking), or `task: NAME` "
      "for a task of the PMO benchmark. Of the many children of each generation, those are scored "
      "that a "
      "Gaussian process, learnt from the scores so far, expects most of; guesses cost no calls.\n\n"
      "The output folder gets molecules.csv (all that was scored, in order, with each term), "
      "top.csv, history.csv, objective.yaml and the picture top.svg. The same seed gives the same "
      "molecules on any number of threads.");
  d.example(
      "aceso molecules optimize --objective objective.yaml --budget 10000 --seed 1 --output "
      "design");
  d.input("objective", &Job::objective, {.kind = "objective", .help = "what is wanted"});
  d.input("start", &Job::start,
          {.kind = "molecules",
           .help = "molecules to begin with; else a built-in set of 5,000 compounds"});
  d.input("receptor", &Job::receptor,
          {.kind = "structure",
           .help = "protein of the objective's docking terms, instead of the file they name"});
  d.output("output", &Job::output,
           {.kind = "folder",
            .file_name = "design",
            .help = "folder for all tables and pictures",
            .extra = true});
  d.output(
      "scored", &Job::scored,
      {.kind = "table", .file_name = "molecules.csv", .help = "all that was scored, in order"});
  d.output("top", &Job::top, {.kind = "table", .file_name = "top.csv", .help = "the best 100"});
  d.output(
      "picture", &Job::picture,
      {.kind = "image", .file_name = "top.svg", .help = "drawings of the best 20", .extra = true});
  d.option("budget", &Job::budget,
           {.help = "distinct molecules that may be scored",
            .unit = "molecules",
            .minimum = 1,
            .maximum = 1'000'000});
  d.option("seed", &Job::seed, {.help = "of the random choices"});
  d.option(
      "most_atoms", &Job::most_atoms,
      {.help = "make no larger molecules", .unit = "heavy atoms", .minimum = 5, .maximum = 200});
  d.option("largest_ring", &Job::largest_ring,
           {.help = "make no larger rings", .unit = "atoms", .minimum = 5, .maximum = 20});
  d.sample({.name = "celecoxib",
            .summary = "finds an anti-inflammatory drug again, by its likeness alone",
            .inputs = {{"objective", {"celecoxib.yaml"}}},
            .options = {{"budget", std::int64_t{1000}}},
            .origin = "a task of the PMO benchmark; starts from compounds of the NCI open set"});
  d.resources({.memory_mb = 1000});
  return d.build(run);
}

}  // namespace aceso::molecules
