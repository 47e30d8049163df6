#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/fasta.hpp"
#include "aceso/lm/sequence_apps.hpp"
#include "aceso/lm/table.hpp"
#include "aceso/lm/task.hpp"
#include "letters.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace aceso::lm {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path model, sequences;
  std::optional<fs::path> adapter, output;
  std::string precision = "fp32", device = "cpu";
};

struct Work {
  std::vector<FastaRecord> records;
  std::vector<Item> items;
  std::uint64_t tokens = 0;
};

Work tokenise(const Job& job, const TaskModel& model, const SequenceKind& kind) {
  Work work;
  work.records = read_fasta(job.sequences);
  for (FastaRecord& record : work.records) {
    const std::string place = fmt::format("{}: record {} ({})", job.sequences.string(),
                                          work.items.size() + 1, printable(record.id, 60));
    if (record.sequence.empty())
      fail(Errc::CorruptData, "{}: expected {}, found none", place, kind.letters());
    record.sequence = kind.spelt(std::move(record.sequence), model.model().tokenizer(), place);
    work.items.push_back({work.items.size(), model.model().encode(record.sequence, place)});
    work.tokens += work.items.back().tokens.size();
  }
  return work;
}

std::string number(double value) { return fmt::format("{:.6g}", value); }

/// The cells behind the id: a value; a class with its probabilities; or letters of residues.
std::vector<std::string> cells(const TaskSpec& task, std::span<const float> answer) {
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

std::vector<std::string> columns(const TaskSpec& task) {
  std::vector<std::string> names{"id"};
  if (!task.classes) return {"id", task.labels.front()};
  names.emplace_back(task.per_residue ? "classes" : "class");
  if (!task.per_residue)
    for (const std::string& label : task.labels) names.push_back("probability_" + label);
  return names;
}

void run(const Job& job, const SequenceKind& kind, app::RunContext& context) {
  const TaskModel model(job.model, job.adapter, nn::precision_by_name(job.precision),
                        nn::device_by_name(job.device));
  const Work work = tokenise(job, model, kind);
  context.progress.stage("predict", work.tokens, "tokens");
  std::vector<std::vector<std::string>> rows(work.items.size());
  model.predict(work.items, context.threads, context.progress, context.stop,
                [&](const Item& item, std::span<const float> answer) {
                  rows[item.index] = cells(model.task(), answer);
                });
  const std::vector<std::string> names = columns(model.task());
  if (job.output) {
    AtomicFile file(*job.output);
    const char separator = separator_for(*job.output);
    file.write(table_line(names, separator));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::vector<std::string> line{work.records[i].id};
      line.insert(line.end(), rows[i].begin(), rows[i].end());
      file.write(table_line(line, separator));
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

app::App predict_app(const SequenceKind& kind, const AppTexts& texts) {
  app::Describe<Job> d{kind.toolkit + " predict", texts.summary};
  describe_texts(d, texts, 2000);
  d.input("model", &Job::model,
          {.kind = "model", .help = "fine-tuned model, or an adapter's base"});
  d.input("adapter", &Job::adapter, {.kind = "model", .help = "adapter"});
  d.input("sequences", &Job::sequences, {.kind = "fasta", .help = kind.nouns()});
  d.output("output", &Job::output,
           {.kind = "table", .file_name = "predictions.csv", .help = "predictions"});
  describe_precision(d, &Job::precision);
  describe_device(d, &Job::device);
  return d.build([kind](const Job& job, app::RunContext& context) { run(job, kind, context); });
}

}  // namespace aceso::lm
