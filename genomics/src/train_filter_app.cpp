#include "train_filter_app.hpp"

#include "call_figures.hpp"
#include "compare_pipeline.hpp"
#include "filter_model.hpp"
#include "report_figures.hpp"
#include "syncmers.hpp"

#include "aceso/core/error.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <numeric>

namespace aceso::genomics {
namespace {

struct TrainFilterJob {
  std::vector<std::filesystem::path> calls, truth, regions;
  std::filesystem::path reference;
  std::optional<std::filesystem::path> model;
  int trees = 150;
  int depth = 4;
  double learning_rate = 0.1;
  std::uint64_t seed = 1;
};

// Neighbouring calls are seen by the same reads: they go into one fold together.
constexpr std::uint32_t kFoldStretch = 20'000;
constexpr std::uint32_t kFolds = 5;

/// Judged calls of all samples, one row each.
struct Examples {
  LabelledTable table;
  std::vector<std::uint8_t> fold, indel;
  std::array<std::uint64_t, 2> truths{};  ///< variants of the truth by class

  [[nodiscard]] std::vector<std::uint32_t> rows(bool (*take)(std::uint32_t, std::uint32_t),
                                                std::uint32_t which) const {
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 0; i < fold.size(); ++i) {
      if (take(fold[i], which)) out.push_back(i);
    }
    return out;
  }
};

/// What was decided of the lines of a file: the worst of their pieces.
using LineLabels = std::map<std::uint64_t, CompareOutcome>;

void note(LineLabels& labels, std::span<const VariantPiece> pieces,
          std::span<const Judgement> judged) {
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto [line, fresh] = labels.try_emplace(pieces[i].record, judged[i].outcome);
    if (fresh || line->second == CompareOutcome::Miss) continue;
    if (judged[i].outcome != CompareOutcome::Match) line->second = judged[i].outcome;
  }
}

void add_example(const GenotypeRecord& record, bool right, std::uint64_t seed, Examples& out) {
  const std::span alleles(record.alleles);
  const GenotypeShape shape = shape_of(alleles[0], alleles.subspan(1), record.genotype);
  std::vector<float>& values = out.table.values;
  values.push_back(static_cast<float>(record.quality));
  values.push_back(static_cast<float>(record.score));
  values.insert(values.end(), record.numbers.begin(), record.numbers.end());
  values.push_back(static_cast<float>(shape.length));
  values.push_back(static_cast<float>(shape.alleles));
  values.push_back(shape.heterozygous ? 1 : 0);
  out.table.labels.push_back(right ? 1 : 0);
  const auto contig = static_cast<std::uint64_t>(record.contig);
  out.fold.push_back(static_cast<std::uint8_t>(
      mix(seed ^ mix(contig << 32 | record.position / kFoldStretch)) % kFolds));
  out.indel.push_back(alleles.size() > 1 && alleles[1].size() != alleles[0].size() ? 1 : 0);
}

/// Compares the calls of one sample with its truth and adds them.
void add_sample(const TrainFilterJob& job, std::size_t i, const Reference& reference,
                app::RunContext& context, Examples& out) {
  CompareJob compare;
  compare.truth = job.truth[i];
  compare.calls = job.calls[i];
  compare.reference = job.reference;
  if (!job.regions.empty()) compare.regions = job.regions[job.regions.size() == 1 ? 0 : i];
  compare.use_filtered = true;
  LineLabels labels;
  const CompareResult result =
      run_compare(compare, context,
                  [&](std::span<const VariantPiece> pieces, std::span<const Judgement> judged) {
                    note(labels, pieces, judged);
                  });
  for (const VariantClass c : {VariantClass::Snp, VariantClass::Indel}) {
    const VariantTally& tally = result.counts.of(c);
    out.truths[static_cast<std::size_t>(c)] += tally.tp + tally.fn;
  }
  VcfRecordsOptions options{.sample = {}, .score_field = "GQ", .numbers = {}};
  for (const InfoField& field : info_fields()) options.numbers.emplace_back(field.name);
  VcfRecords records(job.calls[i], reference, context.warnings, options);
  for (GenotypeRecord record; records.next(record);) {
    const auto label = labels.find(record.number);
    if (label == labels.end() || label->second == CompareOutcome::Outside) continue;
    add_example(record, label->second == CompareOutcome::Match, job.seed, out);
  }
}

/// Precision, recall and F1 of the calls of one class with at least some score.
struct Quality {
  std::uint64_t right = 0, wrong = 0, truths = 0;

  [[nodiscard]] double f1() const {
    // Each true variant counts once, as found or as missed.
    return ratio(2 * right, right + wrong + truths);
  }
};

struct Choice {
  double limit = 0;
  Quality before, after;
};

/// The limit of best F1, the lowest of equals.
Choice choose_limit(const Examples& examples, std::span<const double> scores, std::size_t kind) {
  std::vector<std::pair<double, bool>> calls;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (examples.indel[i] == kind) calls.emplace_back(scores[i], examples.table.labels[i] != 0);
  }
  std::ranges::sort(calls, std::ranges::greater{});
  Choice out;
  Quality quality{0, 0, examples.truths[kind]};
  out.after = quality;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    ++(calls[i].second ? quality.right : quality.wrong);
    if (i + 1 < calls.size() && calls[i + 1].first == calls[i].first) continue;
    if (quality.f1() < out.after.f1()) continue;
    out.after = quality;
    // Half-way to the next: what is a little worse than the last right one may be right.
    out.limit = i + 1 < calls.size() ? (calls[i].first + calls[i + 1].first) / 2 : 0;
  }
  out.before = quality;
  return out;
}

void report(const Examples& examples, const std::array<Choice, 2>& choices,
            const BoostedTrees& trees, app::RunContext& context) {
  std::vector<std::vector<app::Cell>> rows;
  for (const VariantClass c : {VariantClass::Snp, VariantClass::Indel}) {
    const Choice& choice = choices[static_cast<std::size_t>(c)];
    const std::string name(kClassNames[static_cast<std::size_t>(c)]);
    const auto tell = [&](const char* when, const Quality& q) {
      context.metric(fmt::format("{}.{}.right", name, when), q.right);
      context.metric(fmt::format("{}.{}.wrong", name, when), q.wrong);
      context.metric(fmt::format("{}.{}.f1", name, when), q.f1());
    };
    tell("all", choice.before);
    tell("passed", choice.after);
    context.metric(name + ".limit", choice.limit);
    rows.push_back({name, whole(choice.before.right), whole(choice.before.wrong),
                    choice.before.f1(), whole(choice.after.right), whole(choice.after.wrong),
                    choice.after.f1(), choice.limit});
  }
  context.metric("examples", examples.table.rows());
  app::Report& r = context.report;
  r.section(
      "Learnt filter",
      "Calls that are right and wrong before and after it, each judged by trees that have not "
      "seen its part of the genome.");
  r.table("Calls",
          {{""},
           {"right"},
           {"wrong"},
           {"F1"},
           {"right, passed"},
           {"wrong, passed"},
           {"F1, passed"},
           {"least score"}},
          std::move(rows));
  const std::vector<double> gains = trees.gains();
  std::vector<std::size_t> order(gains.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return gains[a] > gains[b]; });
  app::Plot plot{.title = "What decides",
                 .type = app::Plot::Type::Bar,
                 .x_label = "figure",
                 .y_label = "gain",
                 .x = {},
                 .series = {}};
  app::Series series{.name = "gain", .values = {}};
  for (const std::size_t c : order) {
    plot.x.push_back(static_cast<double>(plot.x.size()));
    plot.x_names.push_back(feature_names()[c]);
    series.values.push_back(gains[c]);
  }
  plot.series.push_back(std::move(series));
  r.plot(std::move(plot));
}

void check(const TrainFilterJob& job) {
  if (job.calls.size() != job.truth.size())
    fail(Errc::InvalidArgument, "{} files of calls and {} of truths; expected one truth for each",
         job.calls.size(), job.truth.size());
  if (job.regions.size() > 1 && job.regions.size() != job.calls.size())
    fail(Errc::InvalidArgument,
         "{} files of regions for {} of calls; expected one for all, or one for each",
         job.regions.size(), job.calls.size());
}

/// Scores of all examples, each by trees trained without its fold.
std::vector<double> scores_across(const Examples& examples, const BoostOptions& options,
                                  app::RunContext& context) {
  std::vector<double> out(examples.table.rows());
  for (std::uint32_t fold = 0; fold < kFolds; ++fold) {
    const auto others =
        examples.rows([](std::uint32_t f, std::uint32_t w) { return f != w; }, fold);
    const BoostedTrees trees = BoostedTrees::train(examples.table, others, options, context.stop);
    for (const std::uint32_t i :
         examples.rows([](std::uint32_t f, std::uint32_t w) { return f == w; }, fold))
      out[i] = score_of_log_odds(trees.log_odds(examples.table.row(i)));
    context.progress.advance(1);
  }
  return out;
}

void run(const TrainFilterJob& job, app::RunContext& context) {
  check(job);
  const OwnedReference owned = read_reference(job.reference, context.stop);
  Examples examples;
  examples.table.columns = feature_names().size();
  for (std::size_t i = 0; i < job.calls.size(); ++i)
    add_sample(job, i, owned.reference, context, examples);
  if (examples.table.rows() == 0)
    fail(Errc::CorruptData, "{}: no call lies in the regions; there is nothing to learn from",
         job.calls[0].string());
  BoostOptions options;
  options.trees = job.trees;
  options.depth = job.depth;
  options.learning_rate = job.learning_rate;
  context.progress.stage("train", kFolds + 1, "models");
  const std::vector<double> scores = scores_across(examples, options, context);
  const std::array choices = {choose_limit(examples, scores, 0), choose_limit(examples, scores, 1)};
  const auto all = examples.rows([](std::uint32_t, std::uint32_t) { return true; }, 0);
  BoostedTrees trees = BoostedTrees::train(examples.table, all, options, context.stop);
  context.progress.finish();
  report(examples, choices, trees, context);
  const Json origin{{"examples", all.size()},
                    {"samples", job.calls.size()},
                    {"trees", job.trees},
                    {"seed", job.seed}};
  if (job.model)
    FilterModel(std::move(trees), {choices[0].limit, choices[1].limit}, origin).save(*job.model);
}

}  // namespace

app::App train_filter_app() {
  app::Describe<TrainFilterJob> d("genomics train-filter",
                                  "Learns from judged calls which calls are wrong");
  d.help(
      "Compares calls of genomics germline with the truth as genomics compare does, and trains "
      "boosted decision trees on the figures in the calls' lines to tell right from wrong. The "
      "model scores calls when it is given to genomics germline as filter_model.\n\n"
      "Calls are judged whatever their FILTER. Five models are trained, each without a fifth of "
      "the genome (stretches of 20,000 bases), to tell how well calls are judged that were not "
      "learnt from, and to choose the scores that must be reached for the best F1. Give several "
      "samples, of several depths: what is learnt from one depth holds for that depth.");
  d.example(
      "aceso genomics train-filter --calls s1.vcf.gz s2.vcf.gz --truth t1.vcf.gz t2.vcf.gz "
      "--regions confident.bed --reference GRCh38.fa.gz --model filter.json");
  d.resources({.memory_mb = 6000});
  d.input("calls", &TrainFilterJob::calls,
          {.kind = "vcf", .help = "calls of genomics germline, a file for each sample"});
  d.input("truth", &TrainFilterJob::truth,
          {.kind = "vcf", .help = "their truths, in the same order"});
  d.input("reference", &TrainFilterJob::reference,
          {.kind = "fasta", .help = "the reference of all, plain or compressed"});
  d.input(
      "regions", &TrainFilterJob::regions,
      {.kind = "bed",
       .help = "where the truth is known, one file for all or one for each; not given: everywhere",
       .required = false});
  d.output("model", &TrainFilterJob::model,
           {.kind = "any", .file_name = "filter.json", .help = "the model"});
  d.option("trees", &TrainFilterJob::trees,
           {.help = "of the model", .minimum = 1, .maximum = 5000});
  d.option("depth", &TrainFilterJob::depth,
           {.help = "decisions one behind the other", .minimum = 1, .maximum = 12});
  d.option("learning_rate", &TrainFilterJob::learning_rate,
           {.help = "share of each tree's correction", .minimum = 0.001, .maximum = 1});
  d.option("seed", &TrainFilterJob::seed,
           {.help = "which parts of the genome are left out together"});
  d.sample({.name = "chromosome 22",
            .summary = "calls of a simulated megabase, read with many errors, and its truth",
            .inputs = {{"calls", {"chr22_noisy_calls.vcf.gz"}},
                       {"truth", {"chr22_noisy_truth.vcf.gz"}},
                       {"reference", {"chr22_20-21M.fa"}}},
            .options = {},
            .origin = "Debian package hisat2 (GRCh38 and dbSNP), genomics simulate"});
  return d.build(run);
}

}  // namespace aceso::genomics
