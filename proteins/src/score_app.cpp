#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/fasta.hpp"
#include "aceso/lm/masked.hpp"
#include "aceso/lm/statistics.hpp"
#include "aceso/lm/table.hpp"
#include "apps.hpp"
#include "mutations.hpp"
#include "residues.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace aceso::proteins {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path model, sequences;
  std::optional<fs::path> mutations, output;
  std::string mutant_column = "mutant";
  std::string measured_column = "DMS_score";
  std::string method = "masked";
  std::string precision = "fp32";
  std::int64_t first_position = 1;
  bool scan = false;
};

/// The queries of one call stay below this many tokens: a file of many long sequences has one query
/// for each residue.
constexpr std::size_t kTokensInMemory = 4'000'000;

struct Protein {
  std::string id, sequence, place;
  std::vector<nn::Token> tokens;
};

std::vector<Protein> read_proteins(const Job& job, const lm::LanguageModel& model) {
  std::vector<Protein> proteins;
  for (lm::FastaRecord& record : lm::read_fasta(job.sequences)) {
    Protein protein{std::move(record.id), std::move(record.sequence), {}, {}};
    protein.place = fmt::format("{}: record {} ({})", job.sequences.string(), proteins.size() + 1,
                                printable(protein.id, 60));
    if (protein.sequence.empty())
      fail(Errc::CorruptData, "{}: expected residues, found none", protein.place);
    protein.tokens = model.encode(protein.sequence, protein.place);
    if (protein.tokens.size() < protein.sequence.size())
      fail(Errc::CorruptData, "{}: expected one token for each residue, found {} for {}",
           protein.place, protein.tokens.size(), protein.sequence.size());
    proteins.push_back(std::move(protein));
  }
  return proteins;
}

/// What the model expects at each residue of one protein.
struct Expectation {
  std::size_t vocabulary = 0;
  std::vector<float> rows;  ///< log-probabilities [residues, vocabulary]; NaN: not asked

  [[nodiscard]] double at(std::size_t residue, nn::Token token) const {
    return rows[residue * vocabulary + static_cast<std::size_t>(token)];
  }
};

/// Computes expectations for many proteins at once, so that short ones keep all threads busy.
class Expector {
 public:
  Expector(const lm::LanguageModel& model, app::RunContext& context)
      : model_(model), context_(context), front_(front_tokens(model)) {}

  /// Asks for `residues` of `protein`: each masked alone, or all of the protein as it is.
  void ask(const Protein& protein, const std::vector<std::int32_t>& residues, bool masked,
           Expectation& answer) {
    answer.vocabulary = static_cast<std::size_t>(model_.net().spec().vocabulary);
    answer.rows.assign(protein.sequence.size() * answer.vocabulary, std::nanf(""));
    if (!masked) {
      std::vector<std::int32_t> places;
      for (const std::int32_t residue : residues) places.push_back(residue + front_);
      add({protein.tokens, places}, answer);
      return;
    }
    for (const std::int32_t residue : residues) {
      lm::MaskedQuery query{protein.tokens, {residue + front_}};
      query.tokens[static_cast<std::size_t>(residue + front_)] = model_.tokenizer().mask();
      add(std::move(query), answer);
    }
  }

  /// Of what is asked and not yet answered.
  [[nodiscard]] std::size_t tokens() const noexcept { return tokens_; }

  void flush() {
    lm::masked_log_probabilities(
        model_, queries_, context_.threads, context_.progress, context_.stop,
        [&](std::size_t query, std::span<const float> rows) {
          Expectation& answer = *answers_[query];
          for (std::size_t i = 0; i < queries_[query].places.size(); ++i)
            std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(i * answer.vocabulary),
                        answer.vocabulary,
                        answer.rows.begin() + static_cast<std::ptrdiff_t>(
                                                  (queries_[query].places[i] - front_) *
                                                  static_cast<std::int64_t>(answer.vocabulary)));
        });
    queries_.clear();
    answers_.clear();
    tokens_ = 0;
  }

 private:
  void add(lm::MaskedQuery query, Expectation& answer) {
    if (tokens_ > 0 && tokens_ + query.tokens.size() > kTokensInMemory) flush();
    tokens_ += query.tokens.size();
    queries_.push_back(std::move(query));
    answers_.push_back(&answer);
  }

  const lm::LanguageModel& model_;
  app::RunContext& context_;
  std::int32_t front_;
  std::vector<lm::MaskedQuery> queries_;
  std::vector<Expectation*> answers_;
  std::size_t tokens_ = 0;
};

std::vector<std::int32_t> all_residues(const Protein& protein) {
  std::vector<std::int32_t> residues(protein.sequence.size());
  for (std::size_t i = 0; i < residues.size(); ++i) residues[i] = static_cast<std::int32_t>(i);
  return residues;
}

std::string number(double value) { return std::isnan(value) ? "" : fmt::format("{:.6f}", value); }

/// Writes lines to the output if the caller wants one.
class Output {
 public:
  Output(const Job& job, const std::vector<std::string>& columns) {
    if (!job.output) return;
    separator_ = lm::separator_for(*job.output);
    file_.emplace(*job.output);
    line(columns);
  }
  void line(const std::vector<std::string>& cells) {
    if (file_) file_->write(lm::table_line(cells, separator_));
  }
  void commit() {
    if (file_) file_->commit();
  }

 private:
  std::optional<AtomicFile> file_;
  char separator_ = ',';
};

struct SequenceScores {
  double log_likelihood = 0;
  std::uint64_t residues = 0;
  std::vector<std::vector<app::Cell>> first;  ///< rows of the report

  void add(const Protein& protein, const Expectation& answer, std::size_t front, Output& output) {
    const std::size_t length = protein.sequence.size();
    double likelihood = 0;
    for (std::size_t i = 0; i < length; ++i) likelihood += answer.at(i, protein.tokens[i + front]);
    const double perplexity = std::exp(-likelihood / static_cast<double>(length));
    output.line({protein.id, std::to_string(length), number(likelihood), number(perplexity)});
    if (first.size() < 20)
      first.push_back({protein.id, static_cast<std::int64_t>(length), likelihood, perplexity});
    log_likelihood += likelihood;
    residues += length;
  }
};

void score_sequences(const Job& job, const lm::LanguageModel& model, app::RunContext& context) {
  const std::vector<Protein> proteins = read_proteins(job, model);
  std::uint64_t tokens = 0;
  for (const Protein& protein : proteins) tokens += protein.tokens.size() * protein.sequence.size();
  context.progress.stage("score", tokens, "tokens");

  Output output(job, {"id", "length", "log_likelihood", "pseudo_perplexity"});
  Expector expector(model, context);
  SequenceScores scores;
  std::vector<Expectation> answers(proteins.size());
  std::size_t scored = 0;
  const auto score_asked = [&](std::size_t end) {
    expector.flush();
    for (; scored < end; ++scored) {
      scores.add(proteins[scored], answers[scored], static_cast<std::size_t>(front_tokens(model)),
                 output);
      answers[scored] = {};
    }
  };
  for (std::size_t p = 0; p < proteins.size(); ++p) {
    expector.ask(proteins[p], all_residues(proteins[p]), true, answers[p]);
    if (expector.tokens() > kTokensInMemory / 2) score_asked(p + 1);
  }
  score_asked(proteins.size());
  output.commit();

  const double perplexity = std::exp(-scores.log_likelihood / static_cast<double>(scores.residues));
  context.metric("sequences", proteins.size());
  context.metric("residues", scores.residues);
  context.metric("pseudo_perplexity", perplexity);
  context.report.section("Scores", "Each residue is masked in turn and predicted from the others.");
  context.report.figure("Sequences", static_cast<std::int64_t>(proteins.size()));
  context.report.figure("Pseudo-perplexity over all residues", perplexity);
  context.report.table("First sequences",
                       {{"Sequence"}, {"Length"}, {"Log-likelihood"}, {"Pseudo-perplexity"}},
                       scores.first);
}

/// The one protein that mutations are of.
Protein wild_type(const Job& job, const lm::LanguageModel& model) {
  std::vector<Protein> proteins = read_proteins(job, model);
  if (proteins.size() != 1)
    fail(Errc::CorruptData, "{}: expected one sequence, which the mutations are of, found {}",
         job.sequences.string(), proteins.size());
  return std::move(proteins.front());
}

Expectation expect(const Job& job, const lm::LanguageModel& model, const Protein& protein,
                   const std::vector<std::int32_t>& residues, app::RunContext& context) {
  const bool masked = job.method == "masked";
  context.progress.stage("score", protein.tokens.size() * (masked ? residues.size() : 1), "tokens");
  Expectation answer;
  Expector expector(model, context);
  expector.ask(protein, residues, masked, answer);
  expector.flush();
  return answer;
}

struct Mutant {
  std::vector<std::string> cells;
  std::vector<Substitution> substitutions;
  double measured = std::nan("");
};

struct MutationTable {
  std::vector<std::string> columns;
  std::vector<Mutant> mutants;
  bool has_measured = false;
};

MutationTable read_mutations(const Job& job, const Protein& protein) {
  lm::TableReader reader(*job.mutations);
  MutationTable table{reader.columns(), {}, false};
  const std::size_t column = reader.column(job.mutant_column);
  const auto measured = reader.find(job.measured_column);
  table.has_measured = measured.has_value();
  for (std::vector<std::string> cells; reader.next(cells);) {
    Mutant mutant;
    mutant.substitutions =
        parse_substitutions(cells[column], protein.sequence, job.first_position, reader.place());
    if (measured)
      mutant.measured = lm::number_in(cells[*measured], reader.place(), job.measured_column);
    mutant.cells = std::move(cells);
    table.mutants.push_back(std::move(mutant));
  }
  if (table.mutants.empty())
    fail(Errc::CorruptData, "{}: expected at least one mutation, found none",
         job.mutations->string());
  return table;
}

/// log p(new) - log p(old) at each place, summed (Meier et al. 2021).
double mutation_score(const std::vector<Substitution>& substitutions, const Expectation& answer,
                      const lm::LanguageModel& model) {
  double score = 0;
  for (const Substitution& s : substitutions) {
    const auto residue = static_cast<std::size_t>(s.position);
    const auto token = [&](char c) { return model.tokenizer().find(std::string(1, c)); };
    score += answer.at(residue, token(s.to)) - answer.at(residue, token(s.from));
  }
  return score;
}

void score_mutations(const Job& job, const lm::LanguageModel& model, app::RunContext& context) {
  const Protein protein = wild_type(job, model);
  MutationTable table = read_mutations(job, protein);
  std::set<std::int32_t> residues;
  for (const Mutant& mutant : table.mutants)
    for (const Substitution& s : mutant.substitutions) residues.insert(s.position);
  const Expectation answer =
      expect(job, model, protein, {residues.begin(), residues.end()}, context);

  table.columns.emplace_back("score");
  Output output(job, table.columns);
  std::vector<double> scores, measured;
  for (Mutant& mutant : table.mutants) {
    const double score = mutation_score(mutant.substitutions, answer, model);
    mutant.cells.push_back(number(score));
    output.line(mutant.cells);
    if (std::isnan(mutant.measured)) continue;
    scores.push_back(score);
    measured.push_back(mutant.measured);
  }
  output.commit();
  context.metric("mutants", table.mutants.size());
  context.report.section("Mutation effects",
                         "log p(new) - log p(old) by the model, summed over "
                         "the places of a mutant; lower: likelier harmful.");
  context.report.figure("Mutants", static_cast<std::int64_t>(table.mutants.size()));
  context.report.figure("Positions", static_cast<std::int64_t>(residues.size()));
  if (!table.has_measured) return;
  const double correlation = lm::spearman(scores, measured);
  context.metric("spearman", std::isnan(correlation) ? Json() : Json(correlation));
  context.metric("measured", measured.size());
  context.report.figure("Spearman correlation with " + job.measured_column, correlation);
}

/// A row for each amino acid, a column for each residue, whose own amino acid is marked.
app::HeatMap empty_map(const Protein& protein, std::int64_t first_position) {
  app::HeatMap map{.title = "Every substitution",
                   .row_names = {},
                   .column_names = {},
                   .values = std::vector<double>(kAminoAcids.size() * protein.sequence.size()),
                   .marks = {},
                   .value_label = "log p(new) - log p(old)",
                   .note = "A dot marks the sequence's own residue."};
  for (const char residue : kAminoAcids) map.row_names.emplace_back(1, residue);
  for (std::size_t i = 0; i < protein.sequence.size(); ++i) {
    const char residue = protein.sequence[i];
    map.column_names.push_back(
        fmt::format("{}{}", residue, first_position + static_cast<std::int64_t>(i)));
    const std::size_t row = kAminoAcids.find(residue);
    map.marks.push_back(row == std::string_view::npos ? -1 : static_cast<std::int64_t>(row));
  }
  return map;
}

void scan(const Job& job, const lm::LanguageModel& model, app::RunContext& context) {
  const Protein protein = wild_type(job, model);
  const AminoAcidTokens tokens = amino_acid_tokens(model);
  const Expectation answer = expect(job, model, protein, all_residues(protein), context);
  Output output(job, {"position", "wildtype", "mutant", "score"});
  const std::size_t length = protein.sequence.size();
  app::HeatMap map = empty_map(protein, job.first_position);
  const auto front = static_cast<std::size_t>(front_tokens(model));
  for (std::size_t i = 0; i < length; ++i) {
    const double old = answer.at(i, protein.tokens[i + front]);
    const std::string position = std::to_string(job.first_position + static_cast<std::int64_t>(i));
    for (std::size_t a = 0; a < tokens.size(); ++a) {
      const double score = answer.at(i, tokens[a]) - old;
      map.values[a * length + i] = score;
      if (kAminoAcids[a] == protein.sequence[i]) continue;
      output.line({position, std::string(1, protein.sequence[i]), std::string(1, kAminoAcids[a]),
                   number(score)});
    }
  }
  output.commit();
  context.metric("positions", length);
  context.report.section("Scan",
                         "log p(residue) - log p(the sequence's own), for every single "
                         "substitution. Blue: the model prefers the new residue; orange: "
                         "it expects harm.");
  context.report.figure("Positions", static_cast<std::int64_t>(length));
  context.report.heat_map(map);
}

void run(const Job& job, app::RunContext& context) {
  if (job.scan && job.mutations)
    fail(Errc::InvalidArgument, "--scan and --mutations exclude each other");
  const lm::LanguageModel model(job.model, nn::precision_by_name(job.precision));
  lm::check_masked(model);
  if (job.scan) return scan(job, model, context);
  if (job.mutations) return score_mutations(job, model, context);
  score_sequences(job, model, context);
}

}  // namespace

app::App score_app() {
  app::Describe<Job> d{"proteins score", "Scores proteins and mutations with a language model"};
  d.help(
      "Without --mutations: the pseudo-perplexity of each sequence. Each residue is masked in "
      "turn; "
      "the score is exp of the mean of -log p(residue | all others), 1 for a sequence that the "
      "model is sure of, 20 for one that it knows nothing of.\n\n"
      "With --mutations, a table as of ProteinGym whose column \"mutant\" holds A42G or A42G:C50D: "
      "the sum over a mutant's places of log p(new) - log p(old) (Meier et al. 2021). The table "
      "gets a column \"score\"; if it has measured values, their Spearman correlation with the "
      "scores is reported. With --scan: the same for every single substitution, with a heat map.");
  d.example(
      "aceso proteins score --model esm2-8m --sequences wild_type.fasta --mutations dms.csv "
      "--output scores.csv");
  d.input("model", &Job::model, {.kind = "model", .help = "masked protein language model"});
  d.input("sequences", &Job::sequences,
          {.kind = "fasta", .help = "proteins; the one wild type for --mutations and --scan"});
  d.input("mutations", &Job::mutations, {.kind = "table", .help = "substitutions to score"});
  d.output("output", &Job::output, {.kind = "table", .file_name = "scores.csv", .help = "scores"});
  d.option("scan", &Job::scan, {.help = "score every single substitution of the sequence"});
  d.option("method", &Job::method,
           {.help = "for mutations: mask each place in turn, or read all places from one pass over "
                    "the wild type, which is faster and a little less exact",
            .choices = {"masked", "wild-type"}});
  d.option("mutant_column", &Job::mutant_column, {.help = "column of the table with mutants"});
  d.option("measured_column", &Job::measured_column,
           {.help = "column of the table with measured values, if there"});
  d.option("first_position", &Job::first_position,
           {.help = "number of the sequence's first residue in the table"});
  d.option("precision", &Job::precision,
           {.help = "numbers that the layers compute with", .choices = nn::precision_names()});
  d.sample({.name = "ubiquitin",
            .summary = "a heat map of every single substitution",
            .inputs = {{"model", {"protein-demo.model.tar"}}, {"sequences", {"ubiquitin.fasta"}}},
            .options = {{"scan", true}},
            .origin =
                "human ubiquitin (UniProt P0CG48, residues 1-76); a small model that the project "
                "trained"});
  d.resources({.memory_mb = 2000});
  return d.build(run);
}

}  // namespace aceso::proteins
