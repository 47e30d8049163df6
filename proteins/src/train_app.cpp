#include "aceso/core/cancel.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/fasta.hpp"
#include "aceso/lm/language_training.hpp"
#include "apps.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace aceso::proteins {
namespace fs = std::filesystem;
namespace {

struct Job : lm::LanguageTrainingOptions {
  fs::path sequences;
  double masked_share = 0.15;
};

lm::TokenStore tokenise(const Job& job, const nn::Tokenizer& tokenizer, app::RunContext& context) {
  lm::TokenStore::Writer writer(context.scratch / "tokens.bin");
  lm::FastaReader reader(job.sequences);
  std::uint64_t number = 0, unknown = 0;
  context.progress.stage("read", 0, "residues");
  for (lm::FastaRecord record; reader.next(record);) {
    throw_if_stopped(context.stop);
    ++number;
    const std::string place =
        fmt::format("{}: record {} ({})", job.sequences.string(), number, printable(record.id, 60));
    if (record.sequence.empty()) {
      context.warnings.add("fasta.empty", place + ": has no residues and is left out");
      continue;
    }
    const std::vector<nn::Token> tokens = tokenizer.encode(record.sequence, false);
    for (const nn::Token token : tokens) unknown += token == tokenizer.unknown() ? 1 : 0;
    writer.add(tokens);
    context.progress.advance(tokens.size());
  }
  if (writer.tokens() == 0)
    fail(Errc::CorruptData, "{}: expected a sequence with residues, found none",
         job.sequences.string());
  context.metric("unknown_residues", unknown);
  return std::move(writer).open();
}

void run(const Job& job, app::RunContext& context) {
  const nn::Tokenizer tokenizer = lm::training_tokenizer(job, nn::Tokenizer::esm());
  lm::TokenStore store = tokenise(job, tokenizer, context);
  const lm::LanguageTrainingTask task{
      .causal = false,
      .masked_share = job.masked_share,
      .default_name = "protein-lm",
      .training_data =
          fmt::format("{} ({} sequences)", job.sequences.filename().string(), store.size()),
      .intended_use = "embedding and scoring of protein sequences, as a start for fine-tuning"};
  lm::train_language_model(std::move(store), tokenizer, task, job, context);
}

}  // namespace

app::App train_app() {
  app::Describe<Job> d{"proteins train", "Trains a masked language model of proteins"};
  d.help(
      "Trains an encoder of ESM-2's architecture to fill masked residues, from random weights or "
      "from --model. Sequences are packed without padding. The update of a step is the same for "
      "any number of threads; started by torchrun, srun or mpirun, several processes share each "
      "step.\n\n"
      "With --checkpoint the state is kept in a folder; a run that was killed and started again "
      "with --resume ends with the same bytes as one that was not. Needs the training plugin "
      "(LibTorch); no other command does.");
  d.example(
      "aceso proteins train --sequences uniprot.fasta.gz --steps 2000 --checkpoint state --resume "
      "--output my-model");
  d.input("sequences", &Job::sequences, {.kind = "fasta", .help = "proteins to learn from"});
  lm::describe_language_training(d);
  d.option("masked_share", &Job::masked_share,
           {.help = "share of the residues that is to be filled in",
            .minimum = 0.01,
            .maximum = 0.9,
            .group = "Data",
            .advanced = true});
  d.sample({.name = "20,000 proteins",
            .summary = "trains a small model in a few minutes, with its curve of losses",
            .inputs = {{"sequences", {"uniprot_20k.fasta.gz"}}},
            .options = {{"layers", std::int64_t{4}},
                        {"hidden", std::int64_t{64}},
                        {"heads", std::int64_t{4}},
                        {"steps", std::int64_t{300}},
                        {"micro_batches", std::int64_t{2}},
                        {"max_length", std::int64_t{512}},
                        {"learning_rate", 2e-3},
                        {"evaluate_every", std::int64_t{50}},
                        {"name", std::string("uniprot-demo")}},
            .origin = "UniProt, as Debian's mmseqs2-examples has it"});
  d.resources({.memory_mb = 4000});
  return d.build(run);
}

}  // namespace aceso::proteins
