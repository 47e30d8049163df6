#include "aceso/core/cancel.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/fasta.hpp"
#include "aceso/lm/language_training.hpp"
#include "aceso/lm/sequence_apps.hpp"
#include "letters.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string>

namespace aceso::lm {
namespace fs = std::filesystem;
namespace {

struct Job : LanguageTrainingOptions {
  fs::path sequences;
  std::string vocabulary = "bases";
  std::int64_t k = 6;
  double masked_share = 0.15;
};

nn::Tokenizer new_tokenizer(const Job& job, const SequenceKind& kind) {
  const auto& all = kind.vocabularies;
  const auto chosen = std::ranges::find(all, job.vocabulary, &Vocabulary::name);
  return (chosen == all.end() ? all.front() : *chosen).tokenizer(static_cast<int>(job.k));
}

TokenStore tokenise(const Job& job, const nn::Tokenizer& tokenizer, const SequenceKind& kind,
                    app::RunContext& context) {
  TokenStore::Writer writer(context.scratch / "tokens.bin");
  FastaReader reader(job.sequences);
  std::uint64_t number = 0, unknown = 0;
  context.progress.stage("read", 0, kind.letters());
  for (FastaRecord record; reader.next(record);) {
    throw_if_stopped(context.stop);
    ++number;
    const std::string place =
        fmt::format("{}: record {} ({})", job.sequences.string(), number, printable(record.id, 60));
    const std::string sequence = kind.spelt(std::move(record.sequence), tokenizer, place);
    const std::vector<nn::Token> tokens = tokenizer.encode(sequence, false);
    if (tokens.empty()) {
      context.warnings.add(
          "fasta.empty",
          fmt::format("{}: has {} and is left out", place,
                      sequence.empty() ? "no " + kind.letters()
                                       : "too few " + kind.letters() + " for a token"));
      continue;
    }
    for (const nn::Token token : tokens) unknown += token == tokenizer.unknown() ? 1 : 0;
    writer.add(tokens);
    context.progress.advance(sequence.size());
  }
  if (writer.tokens() == 0)
    fail(Errc::CorruptData, "{}: expected a sequence with {}, found none", job.sequences.string(),
         kind.letters());
  context.metric(kind.vocabularies.size() > 1 ? "unknown_tokens" : "unknown_" + kind.letters(),
                 unknown);
  return std::move(writer).open();
}

void run(const Job& job, const SequenceKind& kind, app::RunContext& context) {
  const nn::Tokenizer tokenizer = training_tokenizer(job, new_tokenizer(job, kind));
  TokenStore store = tokenise(job, tokenizer, kind, context);
  const LanguageTrainingTask task{
      .causal = false,
      .masked_share = job.masked_share,
      .default_name = kind.id + "-lm",
      .training_data =
          fmt::format("{} ({} sequences)", job.sequences.filename().string(), store.size()),
      .intended_use = fmt::format(
          "embedding and scoring of {} sequences, as a start for fine-tuning", kind.noun)};
  train_language_model(std::move(store), tokenizer, task, job, context);
}

void describe_vocabularies(app::Describe<Job>& d, const SequenceKind& kind) {
  if (kind.vocabularies.size() < 2) return;
  std::vector<std::string> names;
  for (const Vocabulary& one : kind.vocabularies) names.push_back(one.name);
  d.option(
      "vocabulary", &Job::vocabulary,
      {.help = "tokens of a new model: each letter, words of k letters side by side, or codons",
       .choices = names,
       .group = "Shape"});
  d.option("k", &Job::k,
           {.help = "length of words",
            .unit = kind.letters(),
            .minimum = 2,
            .maximum = 8,
            .group = "Shape"});
}

}  // namespace

app::App train_app(const SequenceKind& kind, const AppTexts& texts) {
  app::Describe<Job> d{kind.toolkit + " train", texts.summary};
  describe_texts(d, texts, 4000);
  d.input("sequences", &Job::sequences, {.kind = "fasta", .help = kind.nouns() + " to learn from"});
  describe_language_training(d);
  describe_vocabularies(d, kind);
  d.option("masked_share", &Job::masked_share,
           {.help = fmt::format("share of the {} that is to be filled in",
                                kind.vocabularies.size() > 1 ? "tokens" : kind.letters()),
            .minimum = 0.01,
            .maximum = 0.9,
            .group = "Data",
            .advanced = true});
  return d.build([kind](const Job& job, app::RunContext& context) { run(job, kind, context); });
}

}  // namespace aceso::lm
