#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/core/threads.hpp"
#include "aceso/lm/language_training.hpp"
#include "aceso/molecules/chemistry.hpp"
#include "aceso/molecules/molecule_file.hpp"
#include "apps.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace aceso::molecules {
namespace fs = std::filesystem;
namespace {

struct Job : lm::LanguageTrainingOptions {
  Job() {
    layers = 4;
    hidden = 192;
    heads = 6;
    max_length = 128;
    steps = 2000;
    learning_rate = 1e-3;
  }
  fs::path molecules;
  bool as_written = false;
};

/// The SMILES to learn from; empty where a record is left out.
std::vector<std::string> texts(const std::vector<MoleculeRecord>& records, bool as_written,
                               app::RunContext& context) {
  std::vector<std::string> all(records.size()), problems(records.size());
  context.progress.stage("read", records.size(), "molecules");
  parallel_for(
      records.size(), 64, context.threads,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          try {
            const Molecule molecule = molecule_of(records[i]);
            all[i] = as_written ? records[i].smiles : canonical_smiles(molecule);
          } catch (const Error& error) {
            problems[i] = error.what();
          }
        }
        context.progress.advance(end - begin);
      },
      context.stop);
  for (std::size_t i = 0; i < records.size(); ++i)
    if (!problems[i].empty())
      context.warnings.add("molecules.unreadable",
                           fmt::format("{}: {}; it is left out", records[i].place, problems[i]));
  return all;
}

lm::TokenStore tokenise(const Job& job, const std::vector<std::string>& smiles,
                        const nn::Tokenizer& tokenizer, app::RunContext& context) {
  lm::TokenStore::Writer writer(context.scratch / "tokens.bin");
  std::uint64_t long_ones = 0;
  for (const std::string& text : smiles) {
    const std::vector<nn::Token> tokens = tokenizer.encode(text, false);
    // Half a SMILES is none.
    if (static_cast<std::int64_t>(tokens.size()) + 2 > job.max_length)
      ++long_ones;
    else if (!tokens.empty())
      writer.add(tokens);
  }
  context.metric("molecules_too_long", long_ones);
  if (writer.sequences() == 0)
    fail(Errc::CorruptData, "{}: expected a molecule of at most {} tokens, found none",
         job.molecules.string(), job.max_length - 2);
  return std::move(writer).open();
}

void run(const Job& job, app::RunContext& context) {
  const std::vector<std::string> smiles =
      texts(read_molecules(job.molecules), job.as_written, context);
  const nn::Tokenizer tokenizer = lm::training_tokenizer(job, nn::Tokenizer::smiles(smiles));
  lm::TokenStore store = tokenise(job, smiles, tokenizer, context);
  const lm::LanguageTrainingTask task{
      .causal = true,
      .default_name = "smiles-lm",
      .training_data =
          fmt::format("{} ({} molecules)", job.molecules.filename().string(), store.size()),
      .intended_use = "generating molecules like those it was trained on"};
  lm::train_language_model(std::move(store), tokenizer, task, job, context);
}

}  // namespace

app::App train_app() {
  app::Describe<Job> d{"molecules train", "Trains a language model that writes molecules"};
  d.help(
      "Trains a causal transformer to write SMILES token by token; `molecules generate` draws new "
      "molecules from it. Molecules are read in RDKit's canonical form, unless --as-written; what "
      "cannot be read, or is longer than --max-length, is left out and counted.\n\n"
      "As with `proteins train` the result does not depend on the number of threads, and "
      "--checkpoint with --resume goes on exactly. Needs the training plugin (LibTorch).");
  d.example(
      "aceso molecules train --molecules zinc.smi --steps 3000 --checkpoint state --resume "
      "--output smiles-lm");
  d.input("molecules", &Job::molecules, {.kind = "molecules", .help = "molecules to learn from"});
  lm::describe_language_training(d);
  d.option(
      "as_written", &Job::as_written,
      {.help = "learn the SMILES as they are, instead of their canonical form", .group = "Data"});
  d.sample({.name = "5,000 compounds",
            .summary = "trains a small model in a few minutes, with its curve of losses",
            .inputs = {{"molecules", {"nci_5k.smi"}}},
            .options = {{"layers", std::int64_t{2}},
                        {"hidden", std::int64_t{96}},
                        {"heads", std::int64_t{4}},
                        {"steps", std::int64_t{200}},
                        {"micro_batches", std::int64_t{1}},
                        {"learning_rate", 3e-3},
                        {"evaluate_every", std::int64_t{25}},
                        {"name", std::string("nci-demo")}},
            .origin = "compounds of the NCI's open set, as Debian's rdkit-data has them"});
  d.resources({.memory_mb = 4000});
  return d.build(run);
}

}  // namespace aceso::molecules
