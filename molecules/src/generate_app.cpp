#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/device_option.hpp"
#include "aceso/lm/sampler.hpp"
#include "aceso/lm/table.hpp"
#include "apps.hpp"
#include "moses_report.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace aceso::molecules {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path model;
  std::optional<fs::path> reference, alerts, output, picture;
  std::int64_t count = 1000;
  std::uint64_t seed = 1;
  double temperature = 1.0;
  std::int64_t top_k = 0;
  double top_p = 1.0;
  std::int64_t max_length = 0;
  std::string prefix;
  std::int64_t attempts = 10;
  bool keep_duplicates = false;
  bool keep_invalid = false;
  std::string device = "cpu";
};

constexpr std::size_t kDrawn = 20;
/// Sequences are drawn in rounds of at most so many, each looked at before the next.
constexpr std::size_t kLargestRound = 1 << 16;

/// A sequence that was drawn.
struct Drawn {
  std::string text;  ///< as the model wrote it
  bool finished = false;
  double log_likelihood = 0;
};

struct Generated {
  std::vector<Drawn> drawn;
  std::vector<MosesTraits> traits;  ///< of each
  std::vector<std::size_t> kept;    ///< places in drawn
  double seconds = 0;               ///< of drawing alone
};

lm::SamplingOptions sampling_options(const Job& job, const lm::NextTokenModel& model) {
  lm::SamplingOptions options{.temperature = job.temperature,
                              .top_k = job.top_k,
                              .top_p = job.top_p,
                              .seed = job.seed,
                              .max_length = job.max_length};
  try {
    options.prefix = model.tokenizer().encode(job.prefix, false);
  } catch (const Error& error) {
    fail(Errc::InvalidArgument, "--prefix: {}", error.what());
  }
  if (std::ranges::find(options.prefix, model.tokenizer().unknown()) != options.prefix.end())
    fail(Errc::InvalidArgument, "--prefix: expected tokens that the model knows, found \"{}\"",
         printable(job.prefix, 60));
  return options;
}

/// Draws until enough molecules are kept, or `attempts` times as many sequences are drawn.
class Generation {
 public:
  Generation(const Job& job, const lm::NextTokenModel& model, const MosesFilters& filters,
             app::RunContext& context)
      : job_(job),
        model_(model),
        filters_(filters),
        context_(context),
        options_(sampling_options(job, model)) {}

  Generated run() {
    const auto wanted = static_cast<std::size_t>(job_.count);
    const std::size_t most = wanted * static_cast<std::size_t>(job_.attempts);
    while (made_.kept.size() < wanted && made_.drawn.size() < most)
      draw(std::min(round_size(wanted), most - made_.drawn.size()));
    // What was drawn behind the last kept one counts for nothing.
    if (made_.kept.size() >= wanted) {
      made_.kept.resize(wanted);
      made_.drawn.resize(made_.kept.back() + 1);
      made_.traits.resize(made_.drawn.size());
    }
    return std::move(made_);
  }

 private:
  /// As many as are missing, and more the fewer were kept so far.
  [[nodiscard]] std::size_t round_size(std::size_t wanted) const {
    const auto missing = static_cast<double>(wanted - made_.kept.size());
    const auto drawn = static_cast<double>(made_.drawn.size());
    const auto kept = static_cast<double>(std::max<std::size_t>(made_.kept.size(), 1));
    const double size = drawn > 0 ? missing * drawn / kept : missing;
    return std::clamp<std::size_t>(static_cast<std::size_t>(std::min(size + 1, 1e9)), 16,
                                   kLargestRound);
  }

  void draw(std::size_t count) {
    const std::size_t first = made_.drawn.size();
    context_.progress.stage("generate", count, "molecules");
    const auto begin = std::chrono::steady_clock::now();
    const auto samples = lm::sample(model_, first, count, options_, context_.threads,
                                    context_.progress, context_.stop);
    made_.seconds +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::vector<std::string> texts;
    for (const lm::Sample& one : samples) {
      made_.drawn.push_back(
          {model_.tokenizer().decode(one.tokens), one.finished, one.log_likelihood});
      // What was cut off is no molecule that the model wrote.
      texts.push_back(one.finished ? made_.drawn.back().text : std::string());
    }
    context_.progress.stage("describe", count, "molecules");
    auto traits = moses_traits(texts, TraitLevel::Filters, &filters_, context_.threads,
                               context_.progress, context_.stop);
    for (std::size_t i = 0; i < count; ++i)
      if (is_wanted(traits[i])) made_.kept.push_back(first + i);
    std::ranges::move(traits, std::back_inserter(made_.traits));
  }

  [[nodiscard]] bool is_wanted(const MosesTraits& traits) {
    if (!traits.readable) return job_.keep_invalid;
    return seen_.insert(traits.smiles).second || job_.keep_duplicates;
  }

  const Job& job_;
  const lm::NextTokenModel& model_;
  const MosesFilters& filters_;
  app::RunContext& context_;
  lm::SamplingOptions options_;
  std::unordered_set<std::string> seen_;
  Generated made_;
};

/// Canonical, or as it was written where it is no molecule.
const std::string& shown(const Generated& made, std::size_t place) {
  return made.traits[place].readable ? made.traits[place].smiles : made.drawn[place].text;
}

bool is_table(const fs::path& path) {
  const std::string ending = to_lower(path.extension().string());
  return ending == ".csv" || ending == ".tsv";
}

void write_molecules(const Job& job, const Generated& made,
                     const std::unordered_set<std::string>& known) {
  if (!job.output) return;
  AtomicFile file(*job.output);
  if (!is_table(*job.output)) {
    for (const std::size_t place : made.kept)
      file.write(fmt::format("{} {}\n", shown(made, place), place + 1));
    return file.commit();
  }
  const char separator = lm::separator_for(*job.output);
  std::vector<std::string> cells{"id", "smiles", "log_likelihood", "valid", "passes_filters"};
  if (job.reference) cells.emplace_back("novel");
  file.write(lm::table_line(cells, separator));
  const auto flag = [](bool set) { return std::string(set ? "true" : "false"); };
  for (const std::size_t place : made.kept) {
    const MosesTraits& traits = made.traits[place];
    cells = {std::to_string(place + 1), shown(made, place),
             fmt::format("{:.6f}", made.drawn[place].log_likelihood), flag(traits.readable),
             flag(traits.passes)};
    if (job.reference) cells.push_back(flag(traits.readable && !known.contains(traits.smiles)));
    file.write(lm::table_line(cells, separator));
  }
  file.commit();
}

std::string drawing(const Generated& made) {
  std::vector<Molecule> molecules;
  std::vector<std::string> legends;
  for (const std::size_t place : made.kept) {
    if (!made.traits[place].readable) continue;
    molecules.push_back(parse_smiles(made.traits[place].smiles));
    legends.push_back(fmt::format("{}", place + 1));
    if (molecules.size() == kDrawn) break;
  }
  return molecules.empty() ? std::string() : grid_svg(molecules, legends, 5);
}

void report(const Job& job, const lm::NextTokenModel& model, const Generated& made,
            const std::string& svg, app::RunContext& context) {
  const auto finished = static_cast<std::size_t>(
      std::ranges::count_if(made.drawn, [](const Drawn& one) { return one.finished; }));
  std::size_t tokens = 0;
  for (const Drawn& one : made.drawn) tokens += one.text.size();
  const double speed = made.seconds > 0 ? static_cast<double>(made.drawn.size()) / made.seconds : 0;
  context.metric("drawn", made.drawn.size());
  context.metric("finished", finished);
  context.metric("kept", made.kept.size());
  context.metric("characters", tokens);
  context.metric("drawn_per_second", speed);
  context.metric("device", nn::name(model.device()));
  context.report.section("Generation", "Molecules were drawn from a language model of SMILES.");
  context.report.figure("Model", model.description().name);
  context.report.figure("Drawn", static_cast<std::int64_t>(made.drawn.size()));
  context.report.figure("Kept", static_cast<std::int64_t>(made.kept.size()));
  context.report.figure("Temperature", job.temperature);
  context.report.figure("Speed", speed, "sequences/s");
  if (!svg.empty()) context.report.drawing("The first molecules", svg.substr(svg.find("<svg")));
}

void run(const Job& job, app::RunContext& context) {
  const lm::NextTokenModel model(job.model, nn::device_by_name(job.device));
  const MosesFilters filters(job.alerts);
  const Generated made = Generation(job, model, filters, context).run();
  if (made.kept.size() < static_cast<std::size_t>(job.count))
    context.warnings.add("generate.too_few",
                         fmt::format("expected {} molecules, found {} among {} sequences",
                                     job.count, made.kept.size(), made.drawn.size()));
  MosesReference reference;
  std::vector<MosesTraits> others;
  std::unordered_set<std::string> known;
  if (job.reference) {
    others = reference_traits(*job.reference, TraitLevel::Fingerprint, nullptr, context);
    known = canonical_set(others);
    reference = {others, TraitLevel::Fingerprint, &known};
  }
  context.progress.stage("compare", 0, "");
  const std::string svg = drawing(made);
  write_molecules(job, made, known);
  if (job.picture) write_file(*job.picture, svg.empty() ? grid_svg({}, {}, 5) : svg);
  report(job, model, made, svg, context);
  tell_moses(moses_metrics(made.traits, reference, context.threads, context.stop), filters,
             std::nullopt, context);
}

}  // namespace

app::App generate_app() {
  app::Describe<Job> d{"molecules generate", "Writes new molecules with a language model"};
  d.help(
      "Draws SMILES from a language model token by token, and keeps valid molecules that did not "
      "come before, in canonical form, until there are --count (or --attempts times as many "
      "sequences were drawn). Models are causal transformers and LSTMs; `aceso models import "
      "--from keras` brings the latter in. A molecule is a function of seed and its number, so "
      "that "
      "the same are drawn on any number of threads, and a larger --count begins with those of a "
      "smaller one. The report tells the metrics of MOSES over all that was drawn; with "
      "--reference, the training set, also novelty and similarity to the nearest neighbour.");
  d.example(
      "aceso molecules generate --model lstm-chem --count 1000 --temperature 0.75 --seed 1 "
      "--output generated.csv --picture generated.svg");
  d.input("model", &Job::model, {.kind = "model", .help = "language model of SMILES that writes"});
  d.input("reference", &Job::reference,
          {.kind = "molecules", .help = "molecules that are known, such as the training set"});
  d.input("alerts", &Job::alerts,
          {.kind = "table", .help = "alerts of the filters instead of NIH's: names, smarts"});
  d.output("output", &Job::output,
           {.kind = "molecules",
            .file_name = "generated.csv",
            .help = "molecules; a table if the name ends in .csv or .tsv, else SMILES lines"});
  d.output("picture", &Job::picture,
           {.kind = "image",
            .file_name = "generated.svg",
            .help = "drawings of the first 20",
            .extra = true});
  d.option("count", &Job::count,
           {.help = "molecules wanted", .unit = "molecules", .minimum = 1, .maximum = 10'000'000});
  d.option("seed", &Job::seed, {.help = "of the random choices"});
  d.option("temperature", &Job::temperature,
           {.help = "below 1: likelier molecules, above: more diverse ones; 0: the likeliest only",
            .minimum = 0,
            .maximum = 10});
  d.option("top_k", &Job::top_k,
           {.help = "choose among so many likeliest tokens; 0: all", .minimum = 0});
  d.option("top_p", &Job::top_p,
           {.help = "choose among the likeliest tokens with this share together",
            .minimum = 1e-6,
            .maximum = 1});
  d.option("max_length", &Job::max_length,
           {.help = "cut longer sequences off; 0: as the model takes",
            .unit = "tokens",
            .minimum = 0,
            .maximum = 100'000});
  d.option("prefix", &Job::prefix, {.help = "SMILES that every molecule's begins with"});
  d.option("attempts", &Job::attempts,
           {.help = "draw at most so many sequences for each molecule wanted",
            .minimum = 1,
            .maximum = 1000,
            .advanced = true});
  d.option("keep_duplicates", &Job::keep_duplicates, {.help = "keep molecules that came before"});
  d.option("keep_invalid", &Job::keep_invalid, {.help = "keep what is no molecule"});
  lm::describe_device(d, &Job::device, "transformers in fp32");
  d.sample({.name = "60 molecules",
            .summary = "new molecules from a small model",
            .inputs = {{"model", {"smiles-demo.model.tar"}}},
            .options = {{"count", std::int64_t{60}}},
            .origin = "a small model that the project trained on compounds of the NCI"});
  d.resources({.memory_mb = 2000});
  return d.build(run);
}

}  // namespace aceso::molecules
