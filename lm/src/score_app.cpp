#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/lm/fasta.hpp"
#include "aceso/lm/masked.hpp"
#include "aceso/lm/sequence_apps.hpp"
#include "aceso/lm/statistics.hpp"
#include "aceso/lm/table.hpp"
#include "letters.hpp"
#include "mutations.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace aceso::lm {
namespace fs = std::filesystem;
namespace {

struct Job {
  fs::path model, sequences;
  std::optional<fs::path> mutations, output;
  std::string mutant_column = "mutant";
  std::string measured_column = "DMS_score";
  std::string method = "masked";
  std::string precision = "fp32", device = "cpu", strands = "forward";
  std::int64_t first_position = 1;
  bool scan = false;
};

/// The queries of one call stay below this many tokens: a file of many long sequences has one query
/// for each residue.
constexpr std::size_t kTokensInMemory = 4'000'000;

struct Subject {
  std::string id, sequence, place;
  std::vector<nn::Token> tokens;
  std::vector<nn::Token> other_strand;  ///< empty: not asked
};

std::vector<nn::Token> one_token_a_letter(const std::string& sequence, const std::string& place,
                                          const LanguageModel& model, const SequenceKind& kind) {
  std::vector<nn::Token> tokens = model.encode(sequence, place);
  const std::size_t frame = static_cast<std::size_t>(front_tokens(model) + back_tokens(model));
  if (tokens.size() != sequence.size() + frame)
    fail(Errc::CorruptData, "{}: expected a model with one token for each {}, found {} for {}",
         place, kind.letter, tokens.size() - frame, sequence.size());
  return tokens;
}

std::vector<Subject> read_subjects(const Job& job, const LanguageModel& model,
                                   const SequenceKind& kind) {
  std::vector<Subject> subjects;
  for (FastaRecord& record : read_fasta(job.sequences)) {
    Subject subject{std::move(record.id), {}, {}, {}, {}};
    subject.place = fmt::format("{}: record {} ({})", job.sequences.string(), subjects.size() + 1,
                                printable(subject.id, 60));
    if (record.sequence.empty())
      fail(Errc::CorruptData, "{}: expected {}, found none", subject.place, kind.letters());
    subject.sequence = kind.spelt(std::move(record.sequence), model.tokenizer(), subject.place);
    subject.tokens = one_token_a_letter(subject.sequence, subject.place, model, kind);
    if (job.strands == "both")
      subject.other_strand = one_token_a_letter(
          kind.spelt(kind.other_strand(subject.sequence), model.tokenizer(), subject.place),
          subject.place, model, kind);
    subjects.push_back(std::move(subject));
  }
  return subjects;
}

/// For each token of the vocabulary the one that stands for it on the other strand.
std::vector<nn::Token> partners(const LanguageModel& model, const SequenceKind& kind) {
  std::vector<nn::Token> partner;
  for (nn::Token token = 0; token < model.tokenizer().size(); ++token) {
    partner.push_back(token);
    const std::string& text = model.tokenizer().text(token);
    if (text.size() != 1 || !kind.other_strand) continue;
    const std::string raw = kind.other_strand(text);
    nn::Token other = model.tokenizer().find(raw);
    if (other < 0) other = model.tokenizer().find(kind.spelt(raw, model.tokenizer(), raw));
    if (other >= 0) partner.back() = other;
  }
  return partner;
}

/// What the model expects at each residue of one subject.
struct Expectation {
  std::size_t vocabulary = 0;
  std::vector<float> rows;  ///< log-probabilities [residues, vocabulary]; NaN: not asked

  [[nodiscard]] double at(std::size_t residue, nn::Token token) const {
    return rows[residue * vocabulary + static_cast<std::size_t>(token)];
  }

  /// Takes the mean with what is expected on the other strand, whose letters run backwards.
  void average(const Expectation& other, std::span<const nn::Token> partner) {
    const std::size_t length = rows.size() / vocabulary;
    for (std::size_t i = 0; i < length; ++i)
      for (std::size_t token = 0; token < partner.size(); ++token) {
        float& value = rows[i * vocabulary + token];
        value = static_cast<float>((value + other.at(length - 1 - i, partner[token])) / 2);
      }
  }
};

/// Of both strands, if the other one is asked.
struct Answer {
  Expectation forward, backward;

  /// \returns the mean of the strands.
  const Expectation& mean(std::span<const nn::Token> partner) {
    if (!backward.rows.empty()) forward.average(backward, partner);
    backward.rows.clear();
    return forward;
  }
};

/// Computes expectations for many subjects at once, so that short ones keep all threads busy.
class Expector {
 public:
  Expector(const LanguageModel& model, app::RunContext& context)
      : model_(model), context_(context), front_(front_tokens(model)) {}

  /// Asks for `residues` of `subject`: each masked alone, or all of the subject as it is.
  void ask(const Subject& subject, std::vector<std::int32_t> residues, bool masked,
           Answer& answer) {
    ask_strand(subject.tokens, residues, masked, answer.forward);
    if (subject.other_strand.empty()) return;
    const auto last = static_cast<std::int32_t>(subject.sequence.size()) - 1;
    for (std::int32_t& residue : residues) residue = last - residue;
    ask_strand(subject.other_strand, residues, masked, answer.backward);
  }

  /// Of what is asked and not yet answered.
  [[nodiscard]] std::size_t tokens() const noexcept { return tokens_; }

  void flush() {
    masked_log_probabilities(
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
  void ask_strand(const std::vector<nn::Token>& tokens, const std::vector<std::int32_t>& residues,
                  bool masked, Expectation& answer) {
    answer.vocabulary = static_cast<std::size_t>(model_.net().spec().vocabulary);
    const std::size_t letters =
        tokens.size() - static_cast<std::size_t>(front_ + back_tokens(model_));
    answer.rows.assign(letters * answer.vocabulary, std::nanf(""));
    if (!masked) {
      std::vector<std::int32_t> places;
      for (const std::int32_t residue : residues) places.push_back(residue + front_);
      add({tokens, places}, answer);
      return;
    }
    for (const std::int32_t residue : residues) {
      MaskedQuery query{tokens, {residue + front_}};
      query.tokens[static_cast<std::size_t>(residue + front_)] = model_.tokenizer().mask();
      add(std::move(query), answer);
    }
  }

  void add(MaskedQuery query, Expectation& answer) {
    if (tokens_ > 0 && tokens_ + query.tokens.size() > kTokensInMemory) flush();
    tokens_ += query.tokens.size();
    queries_.push_back(std::move(query));
    answers_.push_back(&answer);
  }

  const LanguageModel& model_;
  app::RunContext& context_;
  std::int32_t front_;
  std::vector<MaskedQuery> queries_;
  std::vector<Expectation*> answers_;
  std::size_t tokens_ = 0;
};

std::vector<std::int32_t> all_residues(const Subject& subject) {
  std::vector<std::int32_t> residues(subject.sequence.size());
  for (std::size_t i = 0; i < residues.size(); ++i) residues[i] = static_cast<std::int32_t>(i);
  return residues;
}

std::string number(double value) { return std::isnan(value) ? "" : fmt::format("{:.6f}", value); }

/// Writes lines to the output if the caller wants one.
class Output {
 public:
  Output(const Job& job, const std::vector<std::string>& columns) {
    if (!job.output) return;
    separator_ = separator_for(*job.output);
    file_.emplace(*job.output);
    line(columns);
  }
  void line(const std::vector<std::string>& cells) {
    if (file_) file_->write(table_line(cells, separator_));
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

  void add(const Subject& subject, const Expectation& answer, std::size_t front, Output& output) {
    const std::size_t length = subject.sequence.size();
    double likelihood = 0;
    for (std::size_t i = 0; i < length; ++i) likelihood += answer.at(i, subject.tokens[i + front]);
    const double perplexity = std::exp(-likelihood / static_cast<double>(length));
    output.line({subject.id, std::to_string(length), number(likelihood), number(perplexity)});
    if (first.size() < 20)
      first.push_back({subject.id, static_cast<std::int64_t>(length), likelihood, perplexity});
    log_likelihood += likelihood;
    residues += length;
  }
};

void score_sequences(const Job& job, const LanguageModel& model, const SequenceKind& kind,
                     app::RunContext& context) {
  const std::vector<Subject> subjects = read_subjects(job, model, kind);
  std::uint64_t tokens = 0;
  for (const Subject& subject : subjects)
    tokens += (subject.tokens.size() + subject.other_strand.size()) * subject.sequence.size();
  context.progress.stage("score", tokens, "tokens");

  Output output(job, {"id", "length", "log_likelihood", "pseudo_perplexity"});
  Expector expector(model, context);
  SequenceScores scores;
  const std::vector<nn::Token> partner = partners(model, kind);
  std::vector<Answer> answers(subjects.size());
  std::size_t scored = 0;
  const auto score_asked = [&](std::size_t end) {
    expector.flush();
    for (; scored < end; ++scored) {
      scores.add(subjects[scored], answers[scored].mean(partner),
                 static_cast<std::size_t>(front_tokens(model)), output);
      answers[scored] = {};
    }
  };
  for (std::size_t p = 0; p < subjects.size(); ++p) {
    expector.ask(subjects[p], all_residues(subjects[p]), true, answers[p]);
    if (expector.tokens() > kTokensInMemory / 2) score_asked(p + 1);
  }
  score_asked(subjects.size());
  output.commit();

  const double perplexity = std::exp(-scores.log_likelihood / static_cast<double>(scores.residues));
  context.metric("sequences", subjects.size());
  context.metric(kind.letters(), scores.residues);
  context.metric("pseudo_perplexity", perplexity);
  context.report.section(
      "Scores",
      fmt::format("Each {} is masked in turn and predicted from the others.", kind.letter));
  context.report.figure("Sequences", static_cast<std::int64_t>(subjects.size()));
  context.report.figure("Pseudo-perplexity over all " + kind.letters(), perplexity);
  context.report.table("First sequences",
                       {{"Sequence"}, {"Length"}, {"Log-likelihood"}, {"Pseudo-perplexity"}},
                       scores.first);
}

/// The one subject that mutations are of.
Subject wild_type(const Job& job, const LanguageModel& model, const SequenceKind& kind) {
  std::vector<Subject> subjects = read_subjects(job, model, kind);
  if (subjects.size() != 1)
    fail(Errc::CorruptData, "{}: expected one sequence, which the mutations are of, found {}",
         job.sequences.string(), subjects.size());
  return std::move(subjects.front());
}

Expectation expect(const Job& job, const LanguageModel& model, const SequenceKind& kind,
                   const Subject& subject, const std::vector<std::int32_t>& residues,
                   app::RunContext& context) {
  const bool masked = job.method == "masked";
  const std::size_t tokens = subject.tokens.size() + subject.other_strand.size();
  context.progress.stage("score", tokens * (masked ? residues.size() : 1), "tokens");
  Answer answer;
  Expector expector(model, context);
  expector.ask(subject, residues, masked, answer);
  expector.flush();
  return answer.mean(partners(model, kind));
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

MutationTable read_mutations(const Job& job, const Subject& subject, std::string_view alphabet) {
  TableReader reader(*job.mutations);
  MutationTable table{reader.columns(), {}, false};
  const std::size_t column = reader.column(job.mutant_column);
  const auto measured = reader.find(job.measured_column);
  table.has_measured = measured.has_value();
  for (std::vector<std::string> cells; reader.next(cells);) {
    Mutant mutant;
    mutant.substitutions = parse_substitutions(cells[column], subject.sequence, job.first_position,
                                               alphabet, reader.place());
    if (measured)
      mutant.measured = number_in(cells[*measured], reader.place(), job.measured_column);
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
                      const LanguageModel& model) {
  double score = 0;
  for (const Substitution& s : substitutions) {
    const auto residue = static_cast<std::size_t>(s.position);
    const auto token = [&](char c) { return model.tokenizer().find(std::string(1, c)); };
    score += answer.at(residue, token(s.to)) - answer.at(residue, token(s.from));
  }
  return score;
}

void score_mutations(const Job& job, const LanguageModel& model, const SequenceKind& kind,
                     app::RunContext& context) {
  const Subject subject = wild_type(job, model, kind);
  MutationTable table = read_mutations(job, subject, letters_of(model, kind).text);
  std::set<std::int32_t> residues;
  for (const Mutant& mutant : table.mutants)
    for (const Substitution& s : mutant.substitutions) residues.insert(s.position);
  const Expectation answer =
      expect(job, model, kind, subject, {residues.begin(), residues.end()}, context);

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
  const double correlation = spearman(scores, measured);
  context.metric("spearman", std::isnan(correlation) ? Json() : Json(correlation));
  context.metric("measured", measured.size());
  context.report.figure("Spearman correlation with " + job.measured_column, correlation);
}

/// A row for each letter of the alphabet, a column for each of the sequence, where its own is
/// marked.
app::HeatMap empty_map(const Subject& subject, std::string_view alphabet, const SequenceKind& kind,
                       std::int64_t first_position) {
  app::HeatMap map{.title = "Every substitution",
                   .row_names = {},
                   .column_names = {},
                   .values = std::vector<double>(alphabet.size() * subject.sequence.size()),
                   .marks = {},
                   .value_label = "log p(new) - log p(old)",
                   .note = fmt::format("A dot marks the sequence's own {}.", kind.letter)};
  for (const char residue : alphabet) map.row_names.emplace_back(1, residue);
  for (std::size_t i = 0; i < subject.sequence.size(); ++i) {
    const char residue = subject.sequence[i];
    map.column_names.push_back(
        fmt::format("{}{}", residue, first_position + static_cast<std::int64_t>(i)));
    const std::size_t row = alphabet.find(residue);
    map.marks.push_back(row == std::string_view::npos ? -1 : static_cast<std::int64_t>(row));
  }
  return map;
}

void scan(const Job& job, const LanguageModel& model, const SequenceKind& kind,
          app::RunContext& context) {
  const Subject subject = wild_type(job, model, kind);
  const auto [alphabet, tokens] = letters_of(model, kind);
  const Expectation answer = expect(job, model, kind, subject, all_residues(subject), context);
  Output output(job, {"position", "wildtype", "mutant", "score"});
  const std::size_t length = subject.sequence.size();
  app::HeatMap map = empty_map(subject, alphabet, kind, job.first_position);
  const auto front = static_cast<std::size_t>(front_tokens(model));
  for (std::size_t i = 0; i < length; ++i) {
    const double old = answer.at(i, subject.tokens[i + front]);
    const std::string position = std::to_string(job.first_position + static_cast<std::int64_t>(i));
    for (std::size_t a = 0; a < tokens.size(); ++a) {
      const double score = answer.at(i, tokens[a]) - old;
      map.values[a * length + i] = score;
      if (alphabet[a] == subject.sequence[i]) continue;
      output.line({position, std::string(1, subject.sequence[i]), std::string(1, alphabet[a]),
                   number(score)});
    }
  }
  output.commit();
  context.metric("positions", length);
  context.report.section("Scan",
                         fmt::format("log p({0}) - log p(the sequence's own), for every single "
                                     "substitution. Blue: the model prefers the new {0}; orange: "
                                     "it expects harm.",
                                     kind.letter));
  context.report.figure("Positions", static_cast<std::int64_t>(length));
  context.report.heat_map(map);
}

void run(const Job& job, const SequenceKind& kind, app::RunContext& context) {
  if (job.scan && job.mutations)
    fail(Errc::InvalidArgument, "--scan and --mutations exclude each other");
  const LanguageModel model(job.model, nn::precision_by_name(job.precision),
                            nn::device_by_name(job.device));
  check_masked(model);
  if (job.scan) return scan(job, model, kind, context);
  if (job.mutations) return score_mutations(job, model, kind, context);
  score_sequences(job, model, kind, context);
}

}  // namespace

app::App score_app(const SequenceKind& kind, const AppTexts& texts) {
  app::Describe<Job> d{kind.toolkit + " score", texts.summary};
  describe_texts(d, texts, 2000);
  d.input("model", &Job::model,
          {.kind = "model", .help = fmt::format("masked {} language model", kind.noun)});
  d.input(
      "sequences", &Job::sequences,
      {.kind = "fasta", .help = kind.nouns() + "; the one wild type for --mutations and --scan"});
  d.input("mutations", &Job::mutations, {.kind = "table", .help = "substitutions to score"});
  d.output("output", &Job::output, {.kind = "table", .file_name = "scores.csv", .help = "scores"});
  d.option("scan", &Job::scan, {.help = "score every single substitution of the sequence"});
  d.option("method", &Job::method,
           {.help = "for mutations: mask each place in turn, or read all places from one pass over "
                    "the wild type, which is faster and a little less exact",
            .choices = {"masked", "wild-type"}});
  describe_strands(d, kind, &Job::strands);
  d.option("mutant_column", &Job::mutant_column, {.help = "column of the table with mutants"});
  d.option("measured_column", &Job::measured_column,
           {.help = "column of the table with measured values, if there"});
  d.option("first_position", &Job::first_position,
           {.help = fmt::format("number of the sequence's first {} in the table", kind.letter)});
  describe_precision(d, &Job::precision);
  describe_device(d, &Job::device);
  return d.build([kind](const Job& job, app::RunContext& context) { run(job, kind, context); });
}

}  // namespace aceso::lm
