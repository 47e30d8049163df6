#include "random_model.hpp"

#include "aceso/app/runner.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/core/text.hpp"
#include "aceso/nn/model_folder.hpp"
#include "aceso/nn/transformer.hpp"
#include "apps.hpp"
#include "spelling.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <random>

namespace aceso::nucleotides {
namespace {
namespace fs = std::filesystem;

/// A small model with random weights.
void write_model(const fs::path& path, const nn::Tokenizer& tokenizer) {
  const nn::TransformerSpec spec{
      .vocabulary = tokenizer.size(), .hidden = 16, .layers = 2, .heads = 2, .feed_forward = 32};
  nn::test::write_random_model(path, spec, tokenizer, 5);
}

nn::Tokenizer rna() {
  Json description = nn::Tokenizer::nucleotides().to_json();
  for (Json& token : description["tokens"])
    if (token == "T") token = "U";
  return {description, "RNA"};
}

class NucleotidesTest : public testing::Test {
 protected:
  void SetUp() override { write_model(place("model"), nn::Tokenizer::nucleotides()); }

  [[nodiscard]] std::string place(const std::string& name) const {
    return (folder_.path() / name).string();
  }

  app::RunResult run(app::App the_app, const std::string& fasta, const std::string& output,
                     Json options = Json::object(), const std::string& mutations = "") const {
    write_file(place("s.fasta"), fasta);
    const bool designs = the_app.description.name.ends_with("generate");
    Json inputs = {{"model", place("model")},
                   {designs ? "templates" : "sequences", place("s.fasta")}};
    if (!mutations.empty()) {
      write_file(place("m.csv"), mutations);
      inputs["mutations"] = place("m.csv");
    }
    std::vector<app::Mistake> mistakes;
    app::AppTable table;
    table.add(std::move(the_app));
    const app::App& app = table.all().front();
    const auto request = app::check_request(app.description,
                                            {{"inputs", inputs},
                                             {"options", std::move(options)},
                                             {"outputs", {{"output", place(output)}}}},
                                            app::paths_of_this_machine(), mistakes);
    EXPECT_EQ(app::format_mistakes(mistakes), "");
    return app::run_app(app, request, {});
  }

  [[nodiscard]] std::vector<float> embedding(const std::string& sequence,
                                             Json options = Json::object()) const {
    const auto result = run(embed_app(), ">a\n" + sequence + "\n", "e.safetensors", options);
    EXPECT_EQ(result.exit_code(), 0) << (result.error ? result.error->what() : "");
    const Tensor tensor = nn::TensorFile(place("e.safetensors")).tensor("a");
    return {tensor.values<float>().begin(), tensor.values<float>().end()};
  }

  [[nodiscard]] std::vector<std::vector<std::string>> rows() const {
    std::vector<std::vector<std::string>> all;
    for (const std::string& line : split(read_file(place("o.csv")), '\n'))
      if (!line.empty()) all.push_back(split(line, ','));
    return all;
  }

  [[nodiscard]] std::string problem(app::App app, const std::string& fasta,
                                    Json options = Json::object(),
                                    const std::string& mutations = "") const {
    const auto result = run(std::move(app), fasta, "o.csv", std::move(options), mutations);
    EXPECT_TRUE(result.error.has_value());
    return result.error ? result.error->what() : "";
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST(Spelling, FollowsTheVocabulary) {
  const auto dna = nn::Tokenizer::nucleotides();
  EXPECT_EQ(spelt("ACGUTRYN", dna, "p"), "ACGTTNNN");
  EXPECT_EQ(spelt("acgu", dna, "p"), "ACGT");
  EXPECT_EQ(spelt("ACGUTRYN", rna(), "p"), "ACGUUNNN");
  EXPECT_EQ(spelt("ACGU", nn::Tokenizer::kmers(3, 3), "p"), "ACGT");
  EXPECT_EQ(spelt("ACGU", nn::Tokenizer::codons(), "p"), "ACGT");
  try {
    (void)spelt("ACG-T", dna, "f: record 1 (a)");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "f: record 1 (a): expected nucleotides (IUPAC codes ACGTURYSWKMBDHVN), found "
                 "\"-\" at 4");
  }
}

TEST(ReverseComplement, TwiceIsTheSequence) {
  EXPECT_EQ(reverse_complement("AACGT"), "ACGTT");
  EXPECT_EQ(reverse_complement("ACGTRYSWKMBDHVN"), "NBDHVKMWSRYACGT");
  EXPECT_EQ(reverse_complement(reverse_complement("ACGTRYSWKMBDHVN")), "ACGTRYSWKMBDHVN");
}

TEST_F(NucleotidesTest, CaseAndUracilDoNotMatter) {
  const auto expected = embedding("ACGTTGCA");
  EXPECT_EQ(embedding("acguugca"), expected);
  EXPECT_NE(embedding("ACGTTGCC"), expected);
  EXPECT_EQ(embedding("RCGTTGCA"), embedding("NCGTTGCA"));
  write_model(place("model"), rna());
  EXPECT_EQ(embedding("ACGTTGCA"), expected) << "the same weights under another name";
}

TEST_F(NucleotidesTest, BothStrandsAreTheMeanOfEach) {
  const std::string sequence = "ACGTTGCAGGA", other = reverse_complement(sequence);
  const auto forward = embedding(sequence), backward = embedding(other);
  const auto both = embedding(sequence, {{"strands", "both"}});
  const auto turned = embedding(other, {{"strands", "both"}});
  ASSERT_NE(forward, backward);
  for (std::size_t d = 0; d < both.size(); ++d) {
    EXPECT_NEAR(both[d], (forward[d] + backward[d]) / 2, 1e-6);
    EXPECT_NEAR(turned[d], both[d], 1e-6);
  }
}

TEST_F(NucleotidesTest, WordsAreEmbeddedWithoutWhatIsLeftAtTheEnd) {
  write_model(place("model"), nn::Tokenizer::kmers(3, 3));
  const auto result =
      run(embed_app(), ">a\nACGTTGCA\n>b\nAC\n", "e.safetensors", {{"per_base", true}});
  ASSERT_EQ(result.exit_code(), 0);
  const nn::TensorFile file(place("e.safetensors"));
  EXPECT_EQ(file.tensor("a.residues").shape(), (std::vector<std::int64_t>{2, 16}));
  EXPECT_FALSE(file.contains("b"));
  EXPECT_EQ(embedding("ACGTTGCA"), embedding("ACGTTG"));
  EXPECT_NE(problem(score_app(), ">a\nACGTTG\n")
                .find("expected a model with one token for each "
                      "base, found 2 for 6"),
            std::string::npos);
}

TEST_F(NucleotidesTest, ScoresOfBothStrandsAreTheMean) {
  const std::string sequence = "ACGTTGCAGGA";
  const auto likelihood = [&](const std::string& text, Json options) {
    EXPECT_EQ(run(score_app(), ">a\n" + text + "\n", "o.csv", std::move(options)).exit_code(), 0);
    return std::stod(rows()[1][2]);
  };
  const double forward = likelihood(sequence, {}),
               backward = likelihood(reverse_complement(sequence), {});
  EXPECT_GT(std::abs(forward - backward), 1e-3);
  EXPECT_NEAR(likelihood(sequence, {{"strands", "both"}}), (forward + backward) / 2, 1e-4);
}

TEST_F(NucleotidesTest, ASubstitutionScoresTheSameOnTheOtherStrand) {
  const auto score = [&](const std::string& text, const std::string& mutant, const char* strands) {
    EXPECT_EQ(run(score_app(), ">a\n" + text + "\n", "o.csv", {{"strands", strands}},
                  "mutant\n" + mutant + "\n")
                  .exit_code(),
              0);
    return std::stod(rows()[1].back());
  };
  const std::string sequence = "ACGTTGCAGGA", other = reverse_complement(sequence);
  const double forward = score(sequence, "C2T", "forward"),
               backward = score(other, "G10A", "forward");
  EXPECT_NEAR(score(sequence, "C2T", "both"), (forward + backward) / 2, 1e-4);
  EXPECT_NEAR(score(other, "G10A", "both"), (forward + backward) / 2, 1e-4);
}

TEST_F(NucleotidesTest, AScanHoldsThreeSubstitutionsABase) {
  ASSERT_EQ(run(score_app(), ">a\nACGU\n", "o.csv", {{"scan", true}}).exit_code(), 0);
  EXPECT_EQ(rows().size(), 1 + 4 * 3U);
  EXPECT_EQ(rows()[10][1], "T");
  write_model(place("model"), rna());
  ASSERT_EQ(run(score_app(), ">a\nACGT\n", "o.csv", {{"scan", true}}).exit_code(), 0);
  EXPECT_EQ(rows()[10][1], "U");
}

TEST_F(NucleotidesTest, DesignsChangeOpenPlacesAlone) {
  ASSERT_EQ(run(generate_app(), ">t\nacgu____acgu\n", "d.fasta", {{"count", 20}}).exit_code(), 0);
  std::size_t designs = 0;
  for (const std::string& line : split(read_file(place("d.fasta")), '\n')) {
    if (line.empty() || line.starts_with(">")) continue;
    ++designs;
    EXPECT_TRUE(line.starts_with("ACGT") && line.ends_with("ACGT")) << line;
    EXPECT_EQ(line.find_first_not_of("ACGT"), std::string::npos) << line;
  }
  EXPECT_EQ(designs, 20U);
}

TEST_F(NucleotidesTest, WrongInputsAreNamed) {
  EXPECT_NE(problem(embed_app(), ">a\nACGT\n>b\nMKWE\n").find("record 2 (b): expected nucleotides"),
            std::string::npos);
  EXPECT_NE(problem(embed_app(), "@a\nACGT\n+\nIIII\n").find("looks like FASTQ"),
            std::string::npos);
  EXPECT_NE(problem(embed_app(), ">a\nACGT\n", {{"per_base", true}, {"strands", "both"}})
                .find("--per-base gives the rows of one strand"),
            std::string::npos);
  EXPECT_NE(problem(score_app(), ">a\nACGT\n", {}, "mutant\nA1E\n").find("such as A42G"),
            std::string::npos);
  EXPECT_NE(problem(score_app(), ">a\nACGT\n", {}, "mutant\nA2G\n").find("the sequence has C"),
            std::string::npos);
  EXPECT_NE(problem(generate_app(), ">a\nAC__\n", {{"allow", "3:E"}}).find("letters among ACGT"),
            std::string::npos);
  write_model(place("model"), nn::Tokenizer::esm());
  EXPECT_NE(problem(embed_app(), ">a\nACGT\n").find("found one with amino acids"),
            std::string::npos);
}

}  // namespace
}  // namespace aceso::nucleotides
