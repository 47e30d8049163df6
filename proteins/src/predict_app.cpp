#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/fasta.hpp"
#include "aceso/lm/table.hpp"
#include "aceso/lm/task.hpp"
#include "apps.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace aceso::proteins {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path model, sequences;
  std::optional<fs::path> adapter, output;
  std::string precision = "fp32";
};

struct Work {
  std::vector<lm::FastaRecord> records;
  std::vector<lm::Item> items;
  std::uint64_t tokens = 0;
};

Work tokenise(const Job& job, const lm::TaskModel& model) {
  Work work;
  work.records = lm::read_fasta(job.sequences);
  for (const lm::FastaRecord& record : work.records) {
    const std::string place = fmt::format("{}: record {} ({})", job.sequences.string(),
                                          work.items.size() + 1, printable(record.id, 60));
    if (record.sequence.empty())
      fail(Errc::CorruptData, "{}: expected residues, found none", place);
    work.items.push_back({work.items.size(), model.model().encode(record.sequence, place)});
    work.tokens += work.items.back().tokens.size();
  }
  return work;
}

std::string number(double value) { return fmt::format("{:.6g}", value); }

/// The cells behind the id: a value; a class with its probabilities; or letters of residues.
std::vector<std::string> cells(const lm::TaskSpec& task, std::span<const float> answer) {
  if (!task.classes) return {number(answer[0])};
  const std::size_t classes = task.labels.size();
  const auto best = [&](std::size_t row) {
    const auto part = answer.subspan(row * classes, classes);
    return task.labels[static_cast<std::size_t>(std::ranges::max_element(part) - part.begin())];
  };
  if (task.per_residue) {
    std::string letters;
    for (std::size_t row = 0; row < answer.size() / classes; ++row) letters += best(row);
    return {letters};
  }
  std::vector<std::string> row{best(0)};
  for (const float log_probability : answer) row.push_back(number(std::exp(log_probability)));
  return row;
}

std::vector<std::string> columns(const lm::TaskSpec& task) {
  std::vector<std::string> names{"id"};
  if (!task.classes) return {"id", task.labels.front()};
  names.emplace_back(task.per_residue ? "classes" : "class");
  if (!task.per_residue)
    for (const std::string& label : task.labels) names.push_back("probability_" + label);
  return names;
}

void run(const Job& job, app::RunContext& context) {
  const lm::TaskModel model(job.model, job.adapter, nn::precision_by_name(job.precision));
  const Work work = tokenise(job, model);
  context.progress.stage("predict", work.tokens, "tokens");
  std::vector<std::vector<std::string>> rows(work.items.size());
  model.predict(work.items, context.threads, context.progress, context.stop,
                [&](const lm::Item& item, std::span<const float> answer) {
                  rows[item.index] = cells(model.task(), answer);
                });
  const std::vector<std::string> names = columns(model.task());
  if (job.output) {
    AtomicFile file(*job.output);
    const char separator = lm::separator_for(*job.output);
    file.write(lm::table_line(names, separator));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::vector<std::string> line{work.records[i].id};
      line.insert(line.end(), rows[i].begin(), rows[i].end());
      file.write(lm::table_line(line, separator));
    }
    file.commit();
  }
  context.metric("sequences", rows.size());
  context.report.section("Predictions");
  std::vector<app::Column> heads;
  for (const std::string& name : names) heads.push_back({name});
  std::vector<std::vector<app::Cell>> shown;
  for (std::size_t i = 0; i < std::min<std::size_t>(rows.size(), 20); ++i) {
    std::vector<app::Cell> line{printable(work.records[i].id, 60)};
    for (const std::string& cell : rows[i]) line.emplace_back(printable(cell, 80));
    shown.push_back(std::move(line));
  }
  context.report.table("First sequences", std::move(heads), std::move(shown));
}

}  // namespace

app::App predict_app() {
  app::Describe<Job> d{"proteins predict", "Predicts properties of proteins by a fine-tuned model"};
  d.help(
      "Uses what `proteins finetune` made: a whole model, or its base as --model with the adapter "
      "as --adapter. Writes for each sequence a value, a class with all classes' probabilities, or "
      "a letter for each residue.");
  d.example(
      "aceso proteins predict --model esm2-8m --adapter gb1-adapter --sequences new.fasta --output "
      "predictions.csv");
  d.input("model", &Job::model,
          {.kind = "model", .help = "fine-tuned model, or an adapter's base"});
  d.input("adapter", &Job::adapter, {.kind = "model", .help = "adapter"});
  d.input("sequences", &Job::sequences, {.kind = "fasta", .help = "proteins"});
  d.output("output", &Job::output,
           {.kind = "table", .file_name = "predictions.csv", .help = "predictions"});
  d.option("precision", &Job::precision,
           {.help = "numbers that the layers compute with", .choices = nn::precision_names()});
  d.sample({.name = "hydropathy",
            .summary = "predicts what an adapter has learnt",
            .inputs = {{"model", {"protein-demo.model.tar"}},
                       {"adapter", {"hydropathy-adapter.model.tar"}},
                       {"sequences", {"proteins.fasta"}}},
            .options = {},
            .origin = "UniProt; a small model and an adapter that the project trained"});
  d.resources({.memory_mb = 2000});
  return d.build(run);
}

}  // namespace aceso::proteins
