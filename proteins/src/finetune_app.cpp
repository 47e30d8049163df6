#include "aceso/core/error.hpp"
#include "aceso/lm/finetuning.hpp"
#include "apps.hpp"

namespace aceso::proteins {
namespace fs = std::filesystem;
namespace {

struct Job : lm::FineTuningOptions {
  fs::path sequences;
  std::optional<fs::path> labels, mask;
  std::string sequence_column = "sequence";
};

void run(const Job& job, app::RunContext& context) {
  if (job.mask && !job.labels)
    fail(Errc::InvalidArgument, "--mask says which of --labels count, and there are none");
  const lm::LabelledColumns columns{.sequence = job.sequence_column, .target = job.target_name};
  auto data = job.labels ? lm::read_residue_labels(job.sequences, *job.labels, job.mask)
                         : lm::read_labelled(job.sequences, columns);
  lm::finetune(std::move(data), job.labels.has_value(), job, context);
}

}  // namespace

app::App finetune_app() {
  using F = lm::FineTuningOptions;
  app::Describe<Job> d{"proteins finetune",
                       "Teaches a protein language model a property from labelled sequences"};
  d.help(
      "Learns a value or a class of each sequence, from a table with the columns \"sequence\" and "
      "\"target\" or FASTA with TARGET= in its headers; with --labels a class of each residue, "
      "from FASTA with a letter for each. Columns \"set\" (train, validation, test) and "
      "\"validation\", or SET= and VALIDATION= in headers, say what is for what, as in FLIP "
      "(Dallago et al. 2021); without them one sequence in ten is for validation.\n\n"
      "--method lora trains low-rank adapters of the attention layers and writes an adapter, a "
      "small file beside the base; full trains everything and head only the layers on top, and "
      "both write a whole model. `proteins predict` uses either; `models merge` makes a whole "
      "model of base and adapter. The weights that predicted the validation set best are kept.\n\n"
      "Needs the training plugin (LibTorch).");
  d.example(
      "aceso proteins finetune --model esm2-8m --sequences gb1.csv --steps 300 --output "
      "gb1-adapter");
  d.input("model", static_cast<fs::path Job::*>(&F::base),
          {.kind = "model", .help = "protein language model to begin with"});
  d.input(
      "sequences", &Job::sequences,
      {.kind = "labelled_sequences", .help = "sequences, with targets unless --labels has them"});
  d.input("labels", &Job::labels, {.kind = "fasta", .help = "a letter for each residue"});
  d.input("mask", &Job::mask, {.kind = "fasta", .help = "0 for residues that do not count"});
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
  lm::describe_training(d);
  d.sample(
      {.name = "hydropathy",
       .summary = "learns the mean hydropathy of proteins from 300 examples, in about a minute",
       .inputs = {{"model", {"protein-demo.model.tar"}}, {"sequences", {"hydropathy.csv"}}},
       .options = {{"steps", std::int64_t{100}},
                   {"micro_batches", std::int64_t{1}},
                   {"learning_rate", 5e-3},
                   {"evaluate_every", std::int64_t{10}},
                   {"target_column", std::string("hydropathy")},
                   {"name", std::string("hydropathy")}},
       .origin = "UniProt; hydropathy by the scale of Kyte and Doolittle (1982)"});
  d.resources({.memory_mb = 4000});
  return d.build(run);
}

}  // namespace aceso::proteins
