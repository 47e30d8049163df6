#include "train_filter_app.hpp"

#include "call_figures.hpp"
#include "call_net_training.hpp"
#include "compare_pipeline.hpp"
#include "filter_model.hpp"
#include "report_figures.hpp"
#include "syncmers.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/process.hpp"
#include "aceso/nn/training.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <span>

namespace aceso::genomics {
namespace {

struct TrainFilterJob {
  std::vector<std::filesystem::path> calls, truth, regions, pileups;
  std::filesystem::path reference;
  std::optional<std::filesystem::path> model, net;
  int trees = 150;
  int depth = 4;
  double learning_rate = 0.1;
  int epochs = 6;
  double share = 0;
  double band = NetScoring{}.band;
  std::uint64_t seed = 1;
};

// Neighbouring calls are seen by the same reads: they go into one fold together.
constexpr std::uint32_t kFoldStretch = 20'000;
constexpr std::uint32_t kFolds = 5;

/// Judged calls of all samples, one row each.
struct Examples {
  LabelledTable table;
  std::vector<std::uint8_t> fold, indel;
  CallPileups pileups;                    ///< if a net is trained
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

/// The pileup of a line. \throws Error CorruptData if the files are not of one run.
std::span<const std::uint8_t> pileup_at(const CallPileups& pileups, const GenotypeRecord& record,
                                        const std::filesystem::path& calls,
                                        const std::filesystem::path& file) {
  const std::size_t i = record.number - 1;
  if (i >= pileups.size())
    fail(Errc::CorruptData, "{}: it has {} pileups, {} has more records; expected those of one run",
         file.string(), pileups.size(), calls.string());
  if (pileups.positions[i] != static_cast<std::int32_t>(record.position))
    fail(Errc::CorruptData,
         "{}: pileup {} is of position {}, record {} of {} of {}; expected those of one run",
         file.string(), record.number, pileups.positions[i] + 1, record.number, calls.string(),
         record.position + 1);
  return pileups.at(i);
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
  CallPileups pileups;
  if (job.net) pileups = read_pileups(job.pileups[i]);
  for (GenotypeRecord record; records.next(record);) {
    const auto label = labels.find(record.number);
    if (label == labels.end() || label->second == CompareOutcome::Outside) continue;
    add_example(record, label->second == CompareOutcome::Match, job.seed, out);
    if (job.net)
      out.pileups.add(record.position, pileup_at(pileups, record, job.calls[i], job.pileups[i]));
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
  if (!job.net) {
    if (!job.pileups.empty())
      fail(Errc::InvalidArgument, "pileups are given, but no net is to be written; name net");
    return;
  }
  if (job.pileups.size() != job.calls.size())
    fail(Errc::InvalidArgument,
         "{} files of pileups for {} of calls; a net needs one for each, which genomics germline "
         "writes beside its variants",
         job.pileups.size(), job.calls.size());
  // (Before the calls are compared, which takes a while.)
  for (const std::filesystem::path& file : job.pileups) check_pileups(file);
  nn::require_training();
}

/// Log odds of all examples, each by trees trained without its fold.
std::vector<double> log_odds_across(const Examples& examples, const BoostOptions& options,
                                    app::RunContext& context) {
  std::vector<double> out(examples.table.rows());
  for (std::uint32_t fold = 0; fold < kFolds; ++fold) {
    const auto others =
        examples.rows([](std::uint32_t f, std::uint32_t w) { return f != w; }, fold);
    const BoostedTrees trees = BoostedTrees::train(examples.table, others, options, context.stop);
    for (const std::uint32_t i :
         examples.rows([](std::uint32_t f, std::uint32_t w) { return f == w; }, fold))
      out[i] = trees.log_odds(examples.table.row(i));
    context.progress.advance(1);
  }
  return out;
}

std::vector<double> scores_of(std::span<const double> log_odds) {
  std::vector<double> out;
  for (const double odds : log_odds) out.push_back(score_of_log_odds(odds));
  return out;
}

std::array<Choice, 2> choose_limits(const Examples& examples, std::span<const double> log_odds) {
  const std::vector<double> scores = scores_of(log_odds);
  return {choose_limit(examples, scores, 0), choose_limit(examples, scores, 1)};
}

/// Mean cross-entropy of some examples.
double cross_entropy(const Examples& examples, std::span<const std::uint32_t> rows,
                     const std::function<double(std::size_t)>& log_odds_of) {
  double sum = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double odds = log_odds_of(i);
    sum += std::log1p(std::exp(examples.table.labels[rows[i]] != 0 ? -odds : odds));
  }
  return sum / static_cast<double>(std::max<std::size_t>(rows.size(), 1));
}

/// The net of one run with what was found out about it.
class NetFitting {
 public:
  NetFitting(const TrainFilterJob& job, const Examples& examples, std::span<const double> log_odds,
             const std::array<Choice, 2>& limits, app::RunContext& context)
      : job_(job), examples_(examples), log_odds_(log_odds), limits_(limits), context_(context) {}

  void run() {
    const std::vector<std::uint32_t> unsure = unsure_rows(job_.band);
    // What is a little surer teaches the same, and there is never enough.
    const std::vector<std::uint32_t> learnt = unsure_rows(job_.band + 2);
    context_.progress.stage("train net", kFolds + 1, "nets");
    const std::vector<double> said = corrections_across(unsure, learnt);
    scoring_.band = job_.band;
    const double best = best_share(unsure, said);
    context_.metric("net.best_share", best);
    scoring_.share = job_.share > 0 ? job_.share : best;
    std::vector<double> corrected(log_odds_.begin(), log_odds_.end());
    for (std::size_t i = 0; i < unsure.size(); ++i)
      corrected[unsure[i]] += scoring_.share * said[i];
    const std::array<Choice, 2> choices = choose_limits(examples_, corrected);
    scoring_.limits = {choices[0].limit, choices[1].limit};
    tell(unsure, learnt.size(), said, choices);
    const nn::TensorSet weights = train(learnt);
    context_.progress.finish();
    CallNet::save(*job_.net, weights, scoring_,
                  {{"aceso", version()},
                   {"examples", learnt.size()},
                   {"samples", job_.calls.size()},
                   {"epochs", job_.epochs},
                   {"seed", job_.seed}});
  }

 private:
  [[nodiscard]] std::vector<std::uint32_t> unsure_rows(double band) const {
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 0; i < log_odds_.size(); ++i) {
      if (std::abs(log_odds_[i]) <= band) out.push_back(i);
    }
    return out;
  }

  [[nodiscard]] nn::TensorSet train(std::span<const std::uint32_t> rows) const {
    const NetTrainingOptions options{
        .epochs = job_.epochs, .seed = job_.seed, .threads = context_.threads};
    nn::TensorSet weights = train_call_net({examples_.pileups, examples_.table.labels, log_odds_},
                                           rows, options, context_.stop);
    context_.progress.advance(1);
    return weights;
  }

  /// What nets say that have not seen the fold of a row, for each of `unsure`.
  [[nodiscard]] std::vector<double> corrections_across(
      std::span<const std::uint32_t> unsure, std::span<const std::uint32_t> learnt) const {
    std::vector<double> out(unsure.size());
    for (std::uint32_t fold = 0; fold < kFolds; ++fold) {
      std::vector<std::uint32_t> others, asked;
      std::vector<std::size_t> places;
      for (const std::uint32_t row : learnt) {
        if (examples_.fold[row] != fold) others.push_back(row);
      }
      for (std::size_t i = 0; i < unsure.size(); ++i) {
        if (examples_.fold[unsure[i]] != fold) continue;
        asked.push_back(unsure[i]);
        places.push_back(i);
      }
      const CallNet net(train(others), NetScoring{});
      const std::vector<double> said = net.corrections(images_of(examples_.pileups, asked));
      for (std::size_t i = 0; i < said.size(); ++i) out[places[i]] = said[i];
    }
    return out;
  }

  /// The share of least cross-entropy, the least of equals: the less is believed the safer.
  [[nodiscard]] double best_share(std::span<const std::uint32_t> unsure,
                                  std::span<const double> said) const {
    double best = 0, least = std::numeric_limits<double>::infinity();
    for (const double share : {0.0, 0.1, 0.25, 0.5, 0.75, 1.0}) {
      const double loss = loss_of(unsure, said, share);
      if (loss < least) {
        least = loss;
        best = share;
      }
    }
    return best;
  }

  [[nodiscard]] double loss_of(std::span<const std::uint32_t> unsure, std::span<const double> said,
                               double share) const {
    return cross_entropy(examples_, unsure,
                         [&](std::size_t i) { return log_odds_[unsure[i]] + share * said[i]; });
  }

  void tell(std::span<const std::uint32_t> unsure, std::size_t learnt, std::span<const double> said,
            const std::array<Choice, 2>& choices) const {
    std::vector<std::vector<app::Cell>> rows;
    for (const VariantClass c : {VariantClass::Snp, VariantClass::Indel}) {
      const auto kind = static_cast<std::size_t>(c);
      const std::string name(kClassNames[kind]);
      const Quality &trees = limits_[kind].after, &both = choices[kind].after;
      context_.metric("net." + name + ".right", both.right);
      context_.metric("net." + name + ".wrong", both.wrong);
      context_.metric("net." + name + ".f1", both.f1());
      context_.metric("net." + name + ".limit", choices[kind].limit);
      rows.push_back({name, whole(trees.right), whole(trees.wrong), trees.f1(), whole(both.right),
                      whole(both.wrong), both.f1(), choices[kind].limit});
    }
    context_.metric("net.asked", unsure.size());
    context_.metric("net.learnt_from", learnt);
    context_.metric("net.share", scoring_.share);
    context_.metric("net.cross_entropy.trees", loss_of(unsure, said, 0));
    context_.metric("net.cross_entropy.both", loss_of(unsure, said, scoring_.share));
    app::Report& r = context_.report;
    r.section("Net",
              "Calls that passed by the trees alone and with the net, each judged by trees and a "
              "net that have not seen its part of the genome.");
    r.figure("calls the net is asked about", static_cast<std::int64_t>(unsure.size()));
    r.figure("share of its correction that is taken", scoring_.share);
    r.table("Passed calls",
            {{""},
             {"right, trees"},
             {"wrong, trees"},
             {"F1, trees"},
             {"right, both"},
             {"wrong, both"},
             {"F1, both"},
             {"least score"}},
            std::move(rows));
  }

  const TrainFilterJob& job_;
  const Examples& examples_;
  std::span<const double> log_odds_;
  const std::array<Choice, 2>& limits_;
  app::RunContext& context_;
  NetScoring scoring_;
};

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
  const std::vector<double> log_odds = log_odds_across(examples, options, context);
  const std::array<Choice, 2> choices = choose_limits(examples, log_odds);
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
  if (job.net) NetFitting(job, examples, log_odds, choices, context).run();
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
      "samples, of several depths: what is learnt from one depth holds for that depth.\n\n"
      "With net, a small convolutional net learns beside the trees to correct them, from the "
      "pileups of calls of which trees that have not seen them are not sure. genomics germline "
      "takes both as filter_model and filter_net. This needs the training plugin.");
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
  d.input("pileups", &TrainFilterJob::pileups,
          {.kind = "any",
           .help = "what genomics germline wrote as pileups beside each file of calls, in the same "
                   "order; for net",
           .required = false});
  d.output("model", &TrainFilterJob::model,
           {.kind = "any", .file_name = "filter.json", .help = "the model"});
  d.output("net", &TrainFilterJob::net,
           {.kind = "model",
            .file_name = "filter-net.model.tar",
            .help = "a net that corrects the model where it is not sure",
            .extra = true});
  d.option("trees", &TrainFilterJob::trees,
           {.help = "of the model", .minimum = 1, .maximum = 5000});
  d.option("depth", &TrainFilterJob::depth,
           {.help = "decisions one behind the other", .minimum = 1, .maximum = 12});
  d.option("learning_rate", &TrainFilterJob::learning_rate,
           {.help = "share of each tree's correction", .minimum = 0.001, .maximum = 1});
  d.option("epochs", &TrainFilterJob::epochs,
           {.help = "of the net: how often it sees each call", .minimum = 1, .maximum = 1000});
  d.option("share", &TrainFilterJob::share,
           {.help = "of the net's correction that is taken; 0: the one that judges best calls the "
                    "net has not seen, which may be none",
            .minimum = 0,
            .maximum = 1});
  d.option("band", &TrainFilterJob::band,
           {.help = "the net is asked where the trees' log odds that a call is right are so near 0",
            .minimum = 0.1,
            .maximum = 50});
  d.option("seed", &TrainFilterJob::seed,
           {.help = "which parts of the genome are left out together; the net's first weights"});
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
