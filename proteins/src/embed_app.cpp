#include "aceso/core/error.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/embedding_file.hpp"
#include "aceso/lm/fasta.hpp"
#include "aceso/lm/language_model.hpp"
#include "apps.hpp"
#include "embedding_picture.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace aceso::proteins {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path model, sequences;
  std::optional<fs::path> labels, output;
  std::string id_column = "id", label_column = "label";
  std::string precision = "fp32";
  bool per_residue = false;
};

/// The records that can be embedded, as tokens.
struct Work {
  std::vector<lm::Item> items;
  std::vector<lm::EmbeddingFile::Sequence> sequences;
  std::uint64_t residues = 0, tokens = 0;
  std::vector<double> lengths;
};

Work tokenise(const Job& job, const lm::LanguageModel& model, Warnings& warnings) {
  Work work;
  std::uint64_t number = 0;
  for (const lm::FastaRecord& record : lm::read_fasta(job.sequences)) {
    const std::string place = fmt::format("{}: record {} ({})", job.sequences.string(), ++number,
                                          printable(record.id, 60));
    if (record.sequence.empty()) {
      warnings.add("fasta.empty", place + ": has no residues and gets no embedding");
      continue;
    }
    std::vector<nn::Token> tokens = model.encode(record.sequence, place);
    const nn::Token unknown = model.tokenizer().unknown();
    if (unknown >= 0 && std::ranges::find(tokens, unknown) != tokens.end())
      warnings.add("fasta.unknown_residue",
                   place + ": has letters that the model does not know; they count as unknown");
    work.residues += record.sequence.size();
    work.tokens += tokens.size();
    work.lengths.push_back(static_cast<double>(record.sequence.size()));
    work.sequences.push_back({record.id, static_cast<std::int64_t>(record.sequence.size())});
    work.items.push_back({work.items.size(), std::move(tokens)});
  }
  if (work.items.empty())
    fail(Errc::CorruptData, "{}: expected a sequence with residues, found none",
         job.sequences.string());
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

app::Plot length_plot(const std::vector<double>& lengths) {
  constexpr std::size_t kBins = 30;
  const double longest = *std::ranges::max_element(lengths);
  std::vector<double> x, counts(kBins, 0.0);
  for (std::size_t bin = 0; bin < kBins; ++bin)
    x.push_back(longest * (static_cast<double>(bin) + 0.5) / static_cast<double>(kBins));
  for (const double length : lengths)
    counts[std::min(kBins - 1, static_cast<std::size_t>(length / longest * kBins))] += 1;
  return {.title = "Lengths",
          .type = app::Plot::Type::Area,
          .x_label = "residues",
          .y_label = "sequences",
          .x = std::move(x),
          .series = {{"sequences", std::move(counts)}}};
}

void report(const lm::LanguageModel& model, const Work& work, double seconds,
            const EmbeddingPicture& picture, app::RunContext& context) {
  const std::int64_t hidden = model.net().spec().hidden;
  const double speed = seconds > 0 ? static_cast<double>(work.residues) / seconds : 0;
  context.metric("sequences", work.items.size());
  context.metric("residues", work.residues);
  context.metric("hidden", hidden);
  context.metric("precision", nn::name(model.net().precision()));
  context.metric("residues_per_second", speed);
  context.report.section("Embeddings", "The mean over residues of the last layer after its norm.");
  context.report.figure("Model", model.description().name);
  context.report.figure("Sequences", static_cast<std::int64_t>(work.items.size()));
  context.report.figure("Residues", static_cast<std::int64_t>(work.residues));
  context.report.figure("Dimensions", hidden);
  context.report.figure("Speed", speed, "residues/s");
  picture.report(context);
  context.report.plot(length_plot(work.lengths));
}

void run(const Job& job, app::RunContext& context) {
  const lm::LanguageModel model(job.model, nn::precision_by_name(job.precision));
  const Work work = tokenise(job, model, context.warnings);
  const std::int64_t hidden = model.net().spec().hidden;
  std::unique_ptr<lm::EmbeddingFile> file;
  if (job.output)
    file = lm::new_embedding_file(*job.output, work.sequences, hidden, job.per_residue);

  EmbeddingPicture picture(work.sequences, static_cast<std::size_t>(hidden));
  if (job.labels) picture.read_labels(*job.labels, job.id_column, job.label_column);

  const std::int64_t front = model.tokenizer().begin() >= 0 ? 1 : 0;
  const auto begin = std::chrono::steady_clock::now();
  context.progress.stage("embed", work.tokens, "tokens");
  model.for_each(work.items, context.threads, context.progress, context.stop,
                 [&](const lm::Item& item, const Tensor& rows) {
                   const std::int64_t length = work.sequences[item.index].length;
                   const Tensor residues = rows.slice(front, front + length);
                   const auto values = residues.values<float>();
                   const auto mean = mean_of(values, static_cast<std::size_t>(hidden));
                   picture.put(item.index, mean);
                   if (file) file->put(item.index, mean, values);
                 });
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  if (file) file->commit();
  report(model, work, elapsed.count(), picture, context);
}

}  // namespace

app::App embed_app() {
  app::Describe<Job> d{"proteins embed", "Embeds protein sequences with a language model"};
  d.help(
      "Writes for each sequence, under the first word of its FASTA header, the mean over its "
      "residues of the model's last layer after its final norm; begin and end tokens are left "
      "out. With --per-residue also the rows themselves, under ID.residues. Sequences are packed "
      "without padding, and a sequence's embedding does not depend on which others it was "
      "computed with.\n\n"
      "The output's ending chooses its format: .safetensors, .h5, or .npy (means only, in the "
      "order of the file). The report draws the embeddings in the plane of their first two "
      "principal "
      "components, coloured by length, or by a column of --labels, a table with the sequences' "
      "ids.");
  d.example(
      "aceso proteins embed --model esm2-8m --sequences proteins.fasta --output "
      "embeddings.safetensors");
  d.input("model", &Job::model, {.kind = "model", .help = "protein language model"});
  d.input("sequences", &Job::sequences, {.kind = "fasta", .help = "proteins"});
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
  d.option("per_residue", &Job::per_residue, {.help = "write the embedding of every residue too"});
  d.option("id_column", &Job::id_column,
           {.help = "column of --labels with the sequences' ids", .group = "Labels"});
  d.option(
      "label_column", &Job::label_column,
      {.help = "column of --labels to colour by: numbers as a scale, else a colour for each label",
       .group = "Labels"});
  d.sample({.name = "300 proteins",
            .summary = "a picture of proteins by their embeddings, coloured by their hydropathy",
            .inputs = {{"model", {"protein-demo.model.tar"}},
                       {"sequences", {"proteins.fasta"}},
                       {"labels", {"hydropathy.csv"}}},
            .options = {{"label_column", std::string("hydropathy")}},
            .origin = "UniProt; a small model that the project trained"});
  d.resources({.memory_mb = 2000});
  return d.build(run);
}

}  // namespace aceso::proteins
