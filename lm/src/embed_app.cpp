#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/embedding_file.hpp"
#include "aceso/lm/fasta.hpp"
#include "aceso/lm/language_model.hpp"
#include "aceso/lm/sequence_apps.hpp"
#include "embedding_picture.hpp"
#include "letters.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace aceso::lm {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path model, sequences;
  std::optional<fs::path> labels, output;
  std::string id_column = "id", label_column = "label";
  std::string precision = "fp32", device = "cpu", strands = "forward";
  bool per_letter = false;
};

/// The records that can be embedded, as tokens.
struct Work {
  std::vector<Item> items;  ///< one for each strand, a sequence's one behind the other
  std::vector<EmbeddingFile::Sequence> sequences;
  std::size_t strands = 1;
  std::uint64_t letters = 0, tokens = 0;
  std::vector<double> lengths;

  void add(std::vector<nn::Token> strand) {
    tokens += strand.size();
    items.push_back({items.size(), std::move(strand)});
  }
};

Work tokenise(const Job& job, const LanguageModel& model, const SequenceKind& kind,
              Warnings& warnings) {
  Work work;
  work.strands = job.strands == "both" ? 2 : 1;
  std::uint64_t number = 0;
  for (FastaRecord& record : read_fasta(job.sequences)) {
    const std::string place = fmt::format("{}: record {} ({})", job.sequences.string(), ++number,
                                          printable(record.id, 60));
    const std::string sequence = kind.spelt(std::move(record.sequence), model.tokenizer(), place);
    std::vector<nn::Token> tokens = model.encode(sequence, place);
    const auto rows =
        static_cast<std::int64_t>(tokens.size()) - front_tokens(model) - back_tokens(model);
    if (rows < 1) {
      warnings.add("fasta.empty",
                   fmt::format("{}: has {} and gets no embedding", place,
                               sequence.empty() ? "no " + kind.letters()
                                                : "too few " + kind.letters() + " for a token"));
      continue;
    }
    const nn::Token unknown = model.tokenizer().unknown();
    if (unknown >= 0 && std::ranges::find(tokens, unknown) != tokens.end())
      warnings.add("fasta.unknown_" + kind.letter,
                   place + ": has letters that the model does not know; they count as unknown");
    work.letters += sequence.size();
    work.lengths.push_back(static_cast<double>(sequence.size()));
    work.sequences.push_back({record.id, rows});
    work.add(std::move(tokens));
    if (work.strands == 2)
      work.add(
          model.encode(kind.spelt(kind.other_strand(sequence), model.tokenizer(), place), place));
  }
  if (work.items.empty())
    fail(Errc::CorruptData, "{}: expected a sequence with {}, found none", job.sequences.string(),
         kind.letters());
  return work;
}

/// The mean of rows, summed in double so that long proteins lose nothing.
std::vector<float> mean_of(std::span<const float> rows, std::size_t hidden) {
  std::vector<double> sums(hidden, 0.0);
  for (std::size_t i = 0; i < rows.size(); ++i) sums[i % hidden] += rows[i];
  const auto count = static_cast<double>(rows.size() / hidden);
  std::vector<float> mean(hidden);
  for (std::size_t d = 0; d < hidden; ++d) mean[d] = static_cast<float>(sums[d] / count);
  return mean;
}

std::string capitalised(std::string text) {
  text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

app::Plot length_plot(const std::vector<double>& lengths, const SequenceKind& kind) {
  constexpr std::size_t kBins = 30;
  const double longest = *std::ranges::max_element(lengths);
  std::vector<double> x, counts(kBins, 0.0);
  for (std::size_t bin = 0; bin < kBins; ++bin)
    x.push_back(longest * (static_cast<double>(bin) + 0.5) / static_cast<double>(kBins));
  for (const double length : lengths)
    counts[std::min(kBins - 1, static_cast<std::size_t>(length / longest * kBins))] += 1;
  return {.title = "Lengths",
          .type = app::Plot::Type::Area,
          .x_label = kind.letters(),
          .y_label = "sequences",
          .x = std::move(x),
          .series = {{"sequences", std::move(counts)}}};
}

void report(const LanguageModel& model, const Work& work, double seconds,
            const EmbeddingPicture& picture, const SequenceKind& kind, app::RunContext& context) {
  const std::int64_t hidden = model.net().spec().hidden;
  const double speed = seconds > 0 ? static_cast<double>(work.letters) / seconds : 0;
  context.metric("sequences", work.sequences.size());
  context.metric(kind.letters(), work.letters);
  context.metric("hidden", hidden);
  context.metric("precision", nn::name(model.net().precision()));
  context.metric("device", nn::name(model.net().device()));
  context.metric(kind.letters() + "_per_second", speed);
  context.report.section("Embeddings",
                         fmt::format("The mean over {} of the last layer after its norm{}.",
                                     kind.vocabularies.size() > 1 ? "tokens" : kind.letters(),
                                     work.strands == 2 ? ", of both strands" : ""));
  context.report.figure("Model", model.description().name);
  context.report.figure("Sequences", static_cast<std::int64_t>(work.sequences.size()));
  context.report.figure(capitalised(kind.letters()), static_cast<std::int64_t>(work.letters));
  context.report.figure("Dimensions", hidden);
  context.report.figure("Speed", speed, kind.letters() + "/s");
  picture.report(context);
  context.report.plot(length_plot(work.lengths, kind));
}

/// Means of strands, and rows, to where they belong. Strands come from several threads, in no
/// order; the mean of two waits for both.
class Receiver {
 public:
  Receiver(const Work& work, std::size_t hidden, std::int64_t front, EmbeddingFile* file,
           EmbeddingPicture& picture)
      : work_(work), hidden_(hidden), front_(front), file_(file), picture_(picture) {
    if (work.strands > 1) waiting_.resize(work.items.size());
  }

  void take(const Item& item, const Tensor& rows) {
    const std::size_t sequence = item.index / work_.strands;
    const Tensor letters = rows.slice(front_, front_ + work_.sequences[sequence].length);
    const auto values = letters.values<float>();
    std::vector<float> mean = mean_of(values, hidden_);
    if (work_.strands > 1)
      waiting_[item.index] = std::move(mean);
    else
      give(sequence, mean, values);
  }

  void finish() {
    for (std::size_t i = 0; i < waiting_.size(); i += 2) {
      std::vector<float>& mean = waiting_[i];
      for (std::size_t d = 0; d < mean.size(); ++d) mean[d] = (mean[d] + waiting_[i + 1][d]) / 2;
      give(i / 2, mean, {});
    }
  }

 private:
  void give(std::size_t sequence, std::span<const float> mean, std::span<const float> rows) {
    picture_.put(sequence, mean);
    if (file_ != nullptr) file_->put(sequence, mean, rows);
  }

  const Work& work_;
  std::size_t hidden_;
  std::int64_t front_;
  EmbeddingFile* file_;
  EmbeddingPicture& picture_;
  std::vector<std::vector<float>> waiting_;
};

void run(const Job& job, const SequenceKind& kind, app::RunContext& context) {
  if (job.per_letter && job.strands == "both")
    fail(Errc::InvalidArgument, "--per-{} gives the rows of one strand, and --strands both has two",
         kind.letter);
  const LanguageModel model(job.model, nn::precision_by_name(job.precision),
                            nn::device_by_name(job.device));
  const Work work = tokenise(job, model, kind, context.warnings);
  const std::int64_t hidden = model.net().spec().hidden;
  std::unique_ptr<EmbeddingFile> file;
  if (job.output) file = new_embedding_file(*job.output, work.sequences, hidden, job.per_letter);

  EmbeddingPicture picture(work.sequences, static_cast<std::size_t>(hidden), work.lengths);
  if (job.labels) picture.read_labels(*job.labels, job.id_column, job.label_column);

  Receiver receiver(work, static_cast<std::size_t>(hidden), front_tokens(model), file.get(),
                    picture);
  const auto begin = std::chrono::steady_clock::now();
  context.progress.stage("embed", work.tokens, "tokens");
  model.for_each(work.items, context.threads, context.progress, context.stop,
                 [&](const Item& item, const Tensor& rows) { receiver.take(item, rows); });
  receiver.finish();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  if (file) file->commit();
  report(model, work, elapsed.count(), picture, kind, context);
}

}  // namespace

app::App embed_app(const SequenceKind& kind, const AppTexts& texts) {
  app::Describe<Job> d{kind.toolkit + " embed", texts.summary};
  describe_texts(d, texts, 2000);
  d.input("model", &Job::model, {.kind = "model", .help = kind.noun + " language model"});
  d.input("sequences", &Job::sequences, {.kind = "fasta", .help = kind.nouns()});
  d.input(
      "labels", &Job::labels,
      {.kind = "table", .help = "what is known of the sequences, for the colours of the picture"});
  d.output("output", &Job::output,
           {.kind = "tensors", .file_name = "embeddings.safetensors", .help = "embeddings"});
  d.option("precision", &Job::precision,
           {.help = "numbers that the layers compute with; bf16 is faster where the CPU "
                    "multiplies it (AVX512-BF16, AMX) and within 1 % of fp32; int8 is faster "
                    "still with AVX-512 VNNI or AVX-VNNI, and within 3 % unless a few channels are "
                    "far larger than the others",
            .choices = nn::precision_names()});
  describe_device(d, &Job::device);
  describe_strands(d, kind, &Job::strands);
  d.option("per_" + kind.letter, &Job::per_letter,
           {.help = fmt::format("write the embedding of every {} too", kind.letter)});
  d.option("id_column", &Job::id_column,
           {.help = "column of --labels with the sequences' ids", .group = "Labels"});
  d.option(
      "label_column", &Job::label_column,
      {.help = "column of --labels to colour by: numbers as a scale, else a colour for each label",
       .group = "Labels"});
  return d.build([kind](const Job& job, app::RunContext& context) { run(job, kind, context); });
}

}  // namespace aceso::lm
