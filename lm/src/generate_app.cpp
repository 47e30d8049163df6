#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/fasta.hpp"
#include "aceso/lm/masked.hpp"
#include "aceso/lm/sequence_apps.hpp"
#include "constraints.hpp"
#include "letters.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace aceso::lm {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path model;
  std::optional<fs::path> templates, output;
  std::string redesign, allow, exclude;
  std::int64_t length = 0;
  std::int64_t count = 10;
  std::int64_t rounds = 20;
  double temperature = 1.0;
  std::int64_t top_k = 0;
  std::uint64_t seed = 1;
  std::string precision = "fp32", device = "cpu";
};

/// A sequence in the making.
struct Design {
  std::string id, parent, sequence;
  std::vector<nn::Token> tokens;
  std::vector<std::int32_t> open;  ///< residues still masked
  double log_likelihood = 0;       ///< of the chosen residues, each when it was chosen
  std::size_t designed = 0;
  std::mt19937_64 random;
};

/// In [0, 1), the same on every platform.
double uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11U) * 0x1p-53; }

struct Template {
  std::string id, sequence, place;
};

/// `sequence` as the model spells it; open places stay.
std::string spelt_template(const std::string& sequence, const std::string& place,
                           const LanguageModel& model, const SequenceKind& kind) {
  std::string filled = sequence;
  std::ranges::replace(filled, kOpenResidue, kind.alphabet.front());
  std::string spelt = kind.spelt(std::move(filled), model.tokenizer(), place);
  for (std::size_t i = 0; i < spelt.size(); ++i)
    if (sequence[i] == kOpenResidue) spelt[i] = kOpenResidue;
  return spelt;
}

std::vector<Template> read_templates(const Job& job, const LanguageModel& model,
                                     const SequenceKind& kind) {
  if (job.length > 0)
    return {{kind.id, std::string(static_cast<std::size_t>(job.length), kOpenResidue), "--length"}};
  std::vector<Template> templates;
  for (FastaRecord& record : read_fasta(*job.templates)) {
    std::string place = fmt::format("{}: record {} ({})", job.templates->string(),
                                    templates.size() + 1, printable(record.id, 60));
    std::string sequence = spelt_template(record.sequence, place, model, kind);
    templates.push_back({std::move(record.id), std::move(sequence), std::move(place)});
  }
  return templates;
}

std::vector<Design> new_designs(const Job& job, const LanguageModel& model,
                                const std::vector<Constraints>& constraints,
                                const std::vector<Template>& templates) {
  std::vector<Design> designs;
  for (std::size_t t = 0; t < templates.size(); ++t) {
    std::vector<nn::Token> tokens = model.encode(constraints[t].start, templates[t].place);
    for (const std::int32_t residue : constraints[t].open)
      tokens[static_cast<std::size_t>(residue + front_tokens(model))] = model.tokenizer().mask();
    for (std::int64_t i = 0; i < job.count; ++i) {
      std::seed_seq seed{static_cast<std::uint32_t>(job.seed),
                         static_cast<std::uint32_t>(job.seed >> 32U), static_cast<std::uint32_t>(t),
                         static_cast<std::uint32_t>(i)};
      designs.push_back({.id = fmt::format("{}_{}", templates[t].id, i + 1),
                         .parent = templates[t].id,
                         .sequence = constraints[t].start,
                         .tokens = tokens,
                         .open = constraints[t].open,
                         .designed = constraints[t].open.size(),
                         .random = std::mt19937_64(seed)});
    }
  }
  return designs;
}

/// What may stand at one place, with probabilities after temperature and top-k.
struct Choice {
  std::vector<double> probability;  ///< of the letters
  double entropy = 0;
};

Choice choice_at(std::span<const float> row, const Letters& letters, const std::string& allowed,
                 const Job& job) {
  const std::vector<nn::Token>& tokens = letters.tokens;
  std::vector<double> logits, present;
  for (std::size_t a = 0; a < tokens.size(); ++a) {
    const bool possible = allowed.find(letters.text[a]) != std::string::npos;
    logits.push_back(possible ? row[static_cast<std::size_t>(tokens[a])] / job.temperature
                              : -std::numeric_limits<double>::infinity());
    if (possible) present.push_back(logits[a]);
  }
  std::ranges::sort(present, std::greater{});
  const std::size_t kept = job.top_k > 0
                               ? std::min(static_cast<std::size_t>(job.top_k), present.size())
                               : present.size();
  Choice choice{std::vector<double>(tokens.size(), 0.0)};
  double sum = 0;
  for (std::size_t a = 0; a < tokens.size(); ++a) {
    if (logits[a] < present[kept - 1]) continue;
    choice.probability[a] = std::exp(logits[a] - present.front());
    sum += choice.probability[a];
  }
  for (double& p : choice.probability) {
    p /= sum;
    if (p > 0) choice.entropy -= p * std::log(p);
  }
  return choice;
}

std::size_t sample(const Choice& choice, std::mt19937_64& random) {
  double left = uniform(random);
  std::size_t last = 0;
  for (std::size_t a = 0; a < choice.probability.size(); ++a) {
    if (choice.probability[a] <= 0) continue;
    last = a;
    left -= choice.probability[a];
    if (left < 0) break;
  }
  return last;
}

/// Decides the `count` open places that the model is surest of (Ghazvininejad et al. 2019).
void fill(Design& design, std::span<const float> rows, std::size_t count, const Job& job,
          const Constraints& constraints, const Letters& letters, std::int32_t front) {
  const std::size_t vocabulary = rows.size() / design.open.size();
  std::vector<Choice> choices;
  for (std::size_t i = 0; i < design.open.size(); ++i)
    choices.push_back(choice_at(rows.subspan(i * vocabulary, vocabulary), letters,
                                constraints.allowed_at(design.open[i]), job));
  std::vector<std::size_t> order(choices.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return choices[a].entropy < choices[b].entropy; });
  order.resize(std::min(count, order.size()));
  for (const std::size_t i : order) {
    const std::size_t chosen = sample(choices[i], design.random);
    const auto residue = static_cast<std::size_t>(design.open[i]);
    design.sequence[residue] = letters.text[chosen];
    design.tokens[residue + static_cast<std::size_t>(front)] = letters.tokens[chosen];
    design.log_likelihood +=
        rows[i * vocabulary + static_cast<std::size_t>(letters.tokens[chosen])];
  }
  std::erase_if(design.open, [&](std::int32_t residue) {
    return design.sequence[static_cast<std::size_t>(residue)] != kOpenResidue;
  });
}

/// Designs of one batch are filled together, round by round.
constexpr std::size_t kDesignsAtOnce = 512;

void design_all(std::span<Design> designs, const std::vector<Constraints>& constraints,
                const Job& job, const LanguageModel& model, const Letters& letters,
                app::RunContext& context) {
  const std::int32_t front = front_tokens(model);
  const auto of_template = [&](std::size_t design) -> const Constraints& {
    return constraints[design / static_cast<std::size_t>(job.count)];
  };
  for (std::size_t begin = 0; begin < designs.size(); begin += kDesignsAtOnce) {
    const std::size_t end = std::min(begin + kDesignsAtOnce, designs.size());
    for (std::int64_t left = job.rounds; left > 0; --left) {
      std::vector<MaskedQuery> queries;
      std::vector<std::size_t> owners;
      for (std::size_t d = begin; d < end; ++d) {
        if (designs[d].open.empty()) continue;
        MaskedQuery query{designs[d].tokens, designs[d].open};
        for (std::int32_t& place : query.places) place += front;
        queries.push_back(std::move(query));
        owners.push_back(d);
      }
      if (queries.empty()) break;
      masked_log_probabilities(
          model, queries, context.threads, context.progress, context.stop,
          [&](std::size_t query, std::span<const float> rows) {
            Design& design = designs[owners[query]];
            const std::size_t share = (design.open.size() + static_cast<std::size_t>(left) - 1) /
                                      static_cast<std::size_t>(left);
            fill(design, rows, share, job, of_template(owners[query]), letters, front);
          });
    }
  }
}

double perplexity(const Design& design) {
  return design.designed == 0
             ? std::nan("")
             : std::exp(-design.log_likelihood / static_cast<double>(design.designed));
}

void write_designs(const Job& job, const std::vector<Design>& designs) {
  if (!job.output) return;
  AtomicFile file(*job.output);
  for (const Design& design : designs) {
    file.write(fmt::format(">{} parent={} designed={} perplexity={:.3f}\n", design.id,
                           design.parent, design.designed, perplexity(design)));
    for (std::size_t i = 0; i < design.sequence.size(); i += 60)
      file.write(design.sequence.substr(i, 60) + "\n");
  }
  file.commit();
}

double identity(const std::string& a, const std::string& b) {
  std::size_t same = 0;
  for (std::size_t i = 0; i < a.size(); ++i) same += a[i] == b[i] ? 1 : 0;
  return static_cast<double>(same) / static_cast<double>(a.size());
}

void report(const Job& job, const LanguageModel& model, const std::vector<Template>& templates,
            const std::vector<Design>& designs, const SequenceKind& kind,
            app::RunContext& context) {
  std::vector<std::string> sequences;
  double sum = 0;
  std::vector<std::vector<app::Cell>> rows;
  for (std::size_t d = 0; d < designs.size(); ++d) {
    const Design& design = designs[d];
    sequences.push_back(design.sequence);
    sum += perplexity(design);
    const std::string& parent = templates[d / static_cast<std::size_t>(job.count)].sequence;
    if (rows.size() < 20)
      rows.push_back({design.id, static_cast<std::int64_t>(design.designed), perplexity(design),
                      100 * identity(design.sequence, parent), design.sequence.substr(0, 60)});
  }
  std::ranges::sort(sequences);
  const auto repeats = std::ranges::unique(sequences);
  const auto distinct = static_cast<std::int64_t>(sequences.size() - repeats.size());
  context.metric("designs", designs.size());
  context.metric("distinct", distinct);
  context.metric("device", nn::name(model.net().device()));
  context.metric("perplexity", sum / static_cast<double>(designs.size()));
  context.report.section("Designs", "Masked places are decided in rounds, the surest first.");
  context.report.figure("Designs", static_cast<std::int64_t>(designs.size()));
  context.report.figure("Distinct", distinct);
  context.report.figure("Mean perplexity of designed " + kind.letters(),
                        sum / static_cast<double>(designs.size()));
  context.report.table("First designs",
                       {{"Design"}, {"Designed"}, {"Perplexity"}, {"Identity", "%"}, {"Begin"}},
                       rows);
}

void run(const Job& job, const SequenceKind& kind, app::RunContext& context) {
  if (job.templates.has_value() == (job.length > 0))
    fail(Errc::InvalidArgument, "give either --templates or --length");
  const LanguageModel model(job.model, nn::precision_by_name(job.precision),
                            nn::device_by_name(job.device));
  check_masked(model);
  const Letters letters = letters_of(model, kind);
  const std::vector<Template> templates = read_templates(job, model, kind);
  std::vector<Constraints> constraints;
  std::uint64_t length = 0;
  for (const Template& t : templates) {
    constraints.push_back(read_constraints(t.sequence, {job.redesign, job.allow, job.exclude},
                                           letters.text, t.place));
    length += t.sequence.size();
  }
  std::vector<Design> designs = new_designs(job, model, constraints, templates);
  context.progress.stage("generate", length * static_cast<std::uint64_t>(job.count * job.rounds),
                         "tokens");
  design_all(designs, constraints, job, model, letters, context);
  write_designs(job, designs);
  report(job, model, templates, designs, kind, context);
}

}  // namespace

app::App generate_app(const SequenceKind& kind, const AppTexts& texts) {
  app::Describe<Job> d{kind.toolkit + " generate", texts.summary};
  describe_texts(d, texts, 2000);
  d.input("model", &Job::model,
          {.kind = "model", .help = fmt::format("masked {} language model", kind.noun)});
  d.input("templates", &Job::templates,
          {.kind = "fasta", .help = "sequences; '_' marks open places"});
  d.output("output", &Job::output,
           {.kind = "fasta", .file_name = "designs.fasta", .help = "designed sequences"});
  d.option("length", &Job::length,
           {.help = fmt::format("design whole {} of this length, without a template", kind.nouns()),
            .unit = kind.letters(),
            .minimum = 0,
            .maximum = 10000});
  d.option("count", &Job::count,
           {.help = "designs for each template", .minimum = 1, .maximum = 1'000'000});
  d.option("redesign", &Job::redesign,
           {.help = "places to open, e.g. 24-36,50", .group = "Constraints"});
  d.option("allow", &Job::allow,
           {.help = fmt::format("{0} that may stand at places, e.g. 12:{1}{2},30-35:{1}",
                                kind.letters(), kind.alphabet[0], kind.alphabet[2]),
            .group = "Constraints"});
  d.option(
      "exclude", &Job::exclude,
      {.help = fmt::format("{} that are never designed, e.g. {}", kind.letters(), kind.alphabet[1]),
       .group = "Constraints"});
  d.option("temperature", &Job::temperature,
           {.help = "below 1: closer to what the model finds likeliest; above 1: more varied",
            .minimum = 0.01,
            .maximum = 100});
  d.option("top_k", &Job::top_k,
           {.help = fmt::format("draw from the likeliest so many {} only; 0: all", kind.letters()),
            .minimum = 0,
            .maximum = static_cast<double>(kind.alphabet.size())});
  d.option("rounds", &Job::rounds,
           {.help = "in how many rounds the open places are decided; more is slower and better",
            .minimum = 1,
            .maximum = 10000});
  d.option("seed", &Job::seed, {.help = "of the random choices"});
  describe_precision(d, &Job::precision);
  describe_device(d, &Job::device);
  return d.build([kind](const Job& job, app::RunContext& context) { run(job, kind, context); });
}

}  // namespace aceso::lm
