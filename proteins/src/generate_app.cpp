#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/fasta.hpp"
#include "aceso/lm/masked.hpp"
#include "apps.hpp"
#include "constraints.hpp"
#include "residues.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace aceso::proteins {
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
  std::string precision = "fp32";
};

/// A protein in the making.
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

std::vector<Template> read_templates(const Job& job) {
  if (job.templates.has_value() == (job.length > 0))
    fail(Errc::InvalidArgument, "give either --templates or --length");
  if (job.length > 0)
    return {
        {"protein", std::string(static_cast<std::size_t>(job.length), kOpenResidue), "--length"}};
  std::vector<Template> templates;
  for (lm::FastaRecord& record : lm::read_fasta(*job.templates)) {
    std::string place = fmt::format("{}: record {} ({})", job.templates->string(),
                                    templates.size() + 1, printable(record.id, 60));
    templates.push_back({std::move(record.id), std::move(record.sequence), std::move(place)});
  }
  return templates;
}

std::vector<Design> new_designs(const Job& job, const lm::LanguageModel& model,
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
  std::array<double, 20> probability{};
  double entropy = 0;
};

Choice choice_at(std::span<const float> row, const AminoAcidTokens& tokens,
                 const std::string& allowed, const Job& job) {
  std::array<double, 20> logits{};
  std::vector<double> present;
  for (std::size_t a = 0; a < tokens.size(); ++a) {
    const bool possible = allowed.find(kAminoAcids[a]) != std::string::npos;
    logits[a] = possible ? row[static_cast<std::size_t>(tokens[a])] / job.temperature
                         : -std::numeric_limits<double>::infinity();
    if (possible) present.push_back(logits[a]);
  }
  std::ranges::sort(present, std::greater{});
  const std::size_t kept = job.top_k > 0
                               ? std::min(static_cast<std::size_t>(job.top_k), present.size())
                               : present.size();
  Choice choice;
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
          const Constraints& constraints, const AminoAcidTokens& tokens, std::int32_t front) {
  const std::size_t vocabulary = rows.size() / design.open.size();
  std::vector<Choice> choices;
  for (std::size_t i = 0; i < design.open.size(); ++i)
    choices.push_back(choice_at(rows.subspan(i * vocabulary, vocabulary), tokens,
                                constraints.allowed_at(design.open[i]), job));
  std::vector<std::size_t> order(choices.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return choices[a].entropy < choices[b].entropy; });
  order.resize(std::min(count, order.size()));
  for (const std::size_t i : order) {
    const std::size_t chosen = sample(choices[i], design.random);
    const auto residue = static_cast<std::size_t>(design.open[i]);
    design.sequence[residue] = kAminoAcids[chosen];
    design.tokens[residue + static_cast<std::size_t>(front)] = tokens[chosen];
    design.log_likelihood += rows[i * vocabulary + static_cast<std::size_t>(tokens[chosen])];
  }
  std::erase_if(design.open, [&](std::int32_t residue) {
    return design.sequence[static_cast<std::size_t>(residue)] != kOpenResidue;
  });
}

/// Designs of one batch are filled together, round by round.
constexpr std::size_t kDesignsAtOnce = 512;

void design_all(std::span<Design> designs, const std::vector<Constraints>& constraints,
                const Job& job, const lm::LanguageModel& model, app::RunContext& context) {
  const AminoAcidTokens tokens = amino_acid_tokens(model);
  const std::int32_t front = front_tokens(model);
  const auto of_template = [&](std::size_t design) -> const Constraints& {
    return constraints[design / static_cast<std::size_t>(job.count)];
  };
  for (std::size_t begin = 0; begin < designs.size(); begin += kDesignsAtOnce) {
    const std::size_t end = std::min(begin + kDesignsAtOnce, designs.size());
    for (std::int64_t left = job.rounds; left > 0; --left) {
      std::vector<lm::MaskedQuery> queries;
      std::vector<std::size_t> owners;
      for (std::size_t d = begin; d < end; ++d) {
        if (designs[d].open.empty()) continue;
        lm::MaskedQuery query{designs[d].tokens, designs[d].open};
        for (std::int32_t& place : query.places) place += front;
        queries.push_back(std::move(query));
        owners.push_back(d);
      }
      if (queries.empty()) break;
      lm::masked_log_probabilities(
          model, queries, context.threads, context.progress, context.stop,
          [&](std::size_t query, std::span<const float> rows) {
            Design& design = designs[owners[query]];
            const std::size_t share = (design.open.size() + static_cast<std::size_t>(left) - 1) /
                                      static_cast<std::size_t>(left);
            fill(design, rows, share, job, of_template(owners[query]), tokens, front);
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

void report(const Job& job, const std::vector<Template>& templates,
            const std::vector<Design>& designs, app::RunContext& context) {
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
  context.metric("perplexity", sum / static_cast<double>(designs.size()));
  context.report.section("Designs", "Masked places are decided in rounds, the surest first.");
  context.report.figure("Designs", static_cast<std::int64_t>(designs.size()));
  context.report.figure("Distinct", distinct);
  context.report.figure("Mean perplexity of designed residues",
                        sum / static_cast<double>(designs.size()));
  context.report.table("First designs",
                       {{"Design"}, {"Designed"}, {"Perplexity"}, {"Identity", "%"}, {"Begin"}},
                       rows);
}

void run(const Job& job, app::RunContext& context) {
  const std::vector<Template> templates = read_templates(job);
  std::vector<Constraints> constraints;
  std::uint64_t residues = 0;
  for (const Template& t : templates) {
    constraints.push_back(
        read_constraints(t.sequence, {job.redesign, job.allow, job.exclude}, t.place));
    residues += t.sequence.size();
  }
  const lm::LanguageModel model(job.model, nn::precision_by_name(job.precision));
  lm::check_masked(model);
  std::vector<Design> designs = new_designs(job, model, constraints, templates);
  context.progress.stage("generate", residues * static_cast<std::uint64_t>(job.count * job.rounds),
                         "tokens");
  design_all(designs, constraints, job, model, context);
  write_designs(job, designs);
  report(job, templates, designs, context);
}

}  // namespace

app::App generate_app() {
  app::Describe<Job> d{"proteins generate", "Designs proteins by filling masked places"};
  d.help(
      "Fills the open places of each template with a masked language model: '_' in its sequence, "
      "and the places named by --redesign. Places are decided in rounds, the ones that the model "
      "is surest of first, each drawn from the model's distribution (Ghazvininejad et al. 2019); "
      "all other residues stay. --length N starts from N open places.\n\n"
      "Places count from 1. --allow \"12:DE,30-35:AG\" limits what may stand at places, --exclude "
      "C "
      "what may be designed anywhere. The same seed gives the same designs on any number of "
      "threads. Headers of the output say how many residues were designed and their perplexity "
      "when they were chosen.");
  d.example(
      "aceso proteins generate --model esm2-8m --templates binder.fasta --redesign 24-36 --exclude "
      "C --count 50 --output designs.fasta");
  d.input("model", &Job::model, {.kind = "model", .help = "masked protein language model"});
  d.input("templates", &Job::templates,
          {.kind = "fasta", .help = "sequences; '_' marks open places"});
  d.output("output", &Job::output,
           {.kind = "fasta", .file_name = "designs.fasta", .help = "designed sequences"});
  d.option("length", &Job::length,
           {.help = "design whole proteins of this length, without a template",
            .unit = "residues",
            .minimum = 0,
            .maximum = 10000});
  d.option("count", &Job::count,
           {.help = "designs for each template", .minimum = 1, .maximum = 1'000'000});
  d.option("redesign", &Job::redesign,
           {.help = "places to open, e.g. 24-36,50", .group = "Constraints"});
  d.option(
      "allow", &Job::allow,
      {.help = "residues that may stand at places, e.g. 12:DE,30-35:AG", .group = "Constraints"});
  d.option("exclude", &Job::exclude,
           {.help = "residues that are never designed, e.g. CM", .group = "Constraints"});
  d.option("temperature", &Job::temperature,
           {.help = "below 1: closer to what the model finds likeliest; above 1: more varied",
            .minimum = 0.01,
            .maximum = 100});
  d.option("top_k", &Job::top_k,
           {.help = "draw from the likeliest so many residues only; 0: all",
            .minimum = 0,
            .maximum = 20});
  d.option("rounds", &Job::rounds,
           {.help = "in how many rounds the open places are decided; more is slower and better",
            .minimum = 1,
            .maximum = 10000});
  d.option("seed", &Job::seed, {.help = "of the random choices"});
  d.option("precision", &Job::precision,
           {.help = "numbers that the layers compute with", .choices = nn::precision_names()});
  d.sample({.name = "ubiquitin",
            .summary = "ten variants with a new end",
            .inputs = {{"model", {"protein-demo.model.tar"}}, {"templates", {"ubiquitin.fasta"}}},
            .options = {{"count", std::int64_t{10}}, {"redesign", std::string("60-76")}},
            .origin =
                "human ubiquitin (UniProt P0CG48, residues 1-76); a small model that the project "
                "trained"});
  d.resources({.memory_mb = 2000});
  return d.build(run);
}

}  // namespace aceso::proteins
