#include "aceso/core/error.hpp"
#include "aceso/lm/finetuning.hpp"
#include "aceso/lm/sequence_apps.hpp"
#include "letters.hpp"

namespace aceso::lm {
namespace fs = std::filesystem;
namespace {

struct Job : FineTuningOptions {
  fs::path sequences;
  std::optional<fs::path> labels, mask;
  std::string sequence_column = "sequence";
};

void run(const Job& job, const SequenceKind& kind, app::RunContext& context) {
  if (job.mask && !job.labels)
    fail(Errc::InvalidArgument, "--mask says which of --labels count, and there are none");
  const LabelledColumns columns{.sequence = job.sequence_column, .target = job.target_name};
  auto data = job.labels ? read_residue_labels(job.sequences, *job.labels, job.mask)
                         : read_labelled(job.sequences, columns);
  const nn::ModelFolder base(job.base);
  const nn::Tokenizer tokenizer(base.description().tokenizer, job.base.string());
  for (Labelled& one : data)
    one.sequence = kind.spelt(std::move(one.sequence), tokenizer, one.place);
  finetune(std::move(data), job.labels.has_value(), job, context);
}

}  // namespace

app::App finetune_app(const SequenceKind& kind, const AppTexts& texts) {
  using F = FineTuningOptions;
  app::Describe<Job> d{kind.toolkit + " finetune", texts.summary};
  describe_texts(d, texts, 4000);
  d.input("model", static_cast<fs::path Job::*>(&F::base),
          {.kind = "model", .help = kind.noun + " language model to begin with"});
  d.input(
      "sequences", &Job::sequences,
      {.kind = "labelled_sequences", .help = "sequences, with targets unless --labels has them"});
  d.input("labels", &Job::labels, {.kind = "fasta", .help = "a letter for each " + kind.letter});
  d.input("mask", &Job::mask,
          {.kind = "fasta", .help = fmt::format("0 for {} that do not count", kind.letters())});
  d.output("output", static_cast<std::optional<fs::path> Job::*>(&F::output),
           {.kind = "model", .file_name = "finetuned.model.tar", .help = "model or adapter"});
  d.option("method", static_cast<std::string Job::*>(&F::method),
           {.help = "what is trained: low-rank adapters and a head, everything, or the head",
            .choices = {"lora", "full", "head"}});
  d.option("rank", static_cast<std::int64_t Job::*>(&F::rank),
           {.help = "of the adapters", .minimum = 1, .maximum = 1024});
  d.option("alpha", static_cast<double Job::*>(&F::alpha),
           {.help = "the adapters' share is multiplied by alpha / rank", .minimum = 0});
  d.option("task", static_cast<std::string Job::*>(&F::kind),
           {.help = "automatic: values if every target is a number",
            .choices = {"automatic", "regression", "classification"}});
  d.option("sequence_column", &Job::sequence_column, {.help = "column of a table"});
  d.option("target_column", static_cast<std::string Job::*>(&F::target_name),
           {.help = "column of a table, and the name of what is predicted"});
  d.option("max_length", static_cast<std::int64_t Job::*>(&F::max_length),
           {.help = "of longer sequences the beginning counts", .unit = "tokens", .minimum = 8});
  d.option("name", static_cast<std::string Job::*>(&F::name), {.help = "name of the new model"});
  describe_training(d);
  return d.build([kind](const Job& job, app::RunContext& context) { run(job, kind, context); });
}

}  // namespace aceso::lm
