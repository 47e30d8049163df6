#include "aceso/lm/pretraining.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <random>

namespace aceso::lm {
namespace {
namespace fs = std::filesystem;

class Pretraining : public testing::Test {
 protected:
  /// Sequences of 1 to 60 residues and one of 300.
  [[nodiscard]] TokenStore store(int sequences = 80) const {
    TokenStore::Writer writer(folder_.path() / "tokens.bin");
    std::mt19937 random(4);
    for (int i = 0; i < sequences; ++i) {
      std::vector<nn::Token> tokens(i == 5 ? 300 : 1 + random() % 60);
      for (nn::Token& token : tokens) token = static_cast<nn::Token>(4 + random() % 20);
      writer.add(tokens);
    }
    return std::move(writer).open();
  }

  [[nodiscard]] PretrainingSource source(const PretrainingSettings& settings,
                                         bool causal = false) const {
    return {store(), nn::Tokenizer::esm(), causal, settings};
  }

  static PretrainingSettings settings() {
    return {.max_length = 64, .micro_batch_tokens = 128, .micro_batches = 2, .held_out_share = 0.1};
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

std::vector<std::int32_t> numbers(const nn::TrainingBatch& batch, const char* name) {
  const auto values = batch.at(name).values<std::int32_t>();
  return {values.begin(), values.end()};
}

bool same(const nn::TrainingBatch& a, const nn::TrainingBatch& b) {
  return std::ranges::all_of(a, [&](const auto& one) {
    return numbers(a, one.first.c_str()) == numbers(b, one.first.c_str());
  });
}

TEST_F(Pretraining, AnEpochHoldsEverySequenceThatIsNotHeldOutOnce) {
  PretrainingSource data = source(settings());
  EXPECT_EQ(data.training_sequences() + data.held_out_sequences(), 80);
  EXPECT_GT(data.held_out_sequences(), 1);
  std::size_t seen = 0;
  while (data.position().at("epoch") == 0 && data.position().at("at") < data.training_sequences())
    for (const nn::TrainingBatch& batch : data.next()) seen += numbers(batch, "offsets").size() - 1;
  // The step that ends the epoch may have begun the next one.
  const std::size_t more =
      data.position().at("epoch") == 0 ? 0 : data.position().at("at").get<std::size_t>();
  EXPECT_EQ(seen, data.training_sequences() + more);
}

TEST_F(Pretraining, BatchesAreWithinTheirSizesAndSequencesFramed) {
  PretrainingSource data = source(settings());
  const nn::Tokenizer esm = nn::Tokenizer::esm();
  for (int step = 0; step < 30; ++step) {
    for (const nn::TrainingBatch& batch : data.next()) {
      const auto tokens = numbers(batch, "tokens"), offsets = numbers(batch, "offsets");
      EXPECT_LE(tokens.size(), 128);
      ASSERT_GE(offsets.size(), 2);
      for (std::size_t s = 0; s + 1 < offsets.size(); ++s) {
        EXPECT_LE(offsets[s + 1] - offsets[s], 64);
        EXPECT_EQ(tokens[offsets[s]], esm.begin());
        EXPECT_EQ(tokens[offsets[s + 1] - 1], esm.end());
      }
    }
  }
}

TEST_F(Pretraining, AboutTheShareIsMaskedAsTheRuleSays) {
  PretrainingSource data = source(settings());
  const nn::Tokenizer esm = nn::Tokenizer::esm();
  double residues = 0, asked = 0, masked = 0, kept = 0;
  for (int step = 0; step < 200; ++step) {
    for (const nn::TrainingBatch& batch : data.next()) {
      const auto tokens = numbers(batch, "tokens"), places = numbers(batch, "places"),
                 targets = numbers(batch, "targets");
      residues += static_cast<double>(tokens.size() - 2 * (numbers(batch, "offsets").size() - 1));
      asked += static_cast<double>(places.size());
      for (std::size_t i = 0; i < places.size(); ++i) {
        EXPECT_TRUE(esm.is_plain(targets[i]));
        masked += tokens[places[i]] == esm.mask() ? 1 : 0;
        kept += tokens[places[i]] == targets[i] ? 1 : 0;
      }
    }
  }
  // One residue of each sequence is chosen besides, which counts for short ones.
  EXPECT_NEAR(asked / residues, 0.15 + 0.85 * 80 / 2600, 0.03);
  EXPECT_NEAR(masked / asked, 0.8, 0.03);
  EXPECT_NEAR(kept / asked, 0.1 + 0.1 / 26, 0.03);
}

TEST_F(Pretraining, CausalTargetsAreTheNextTokens) {
  PretrainingSource data = source(settings(), true);
  for (const nn::TrainingBatch& batch : data.next()) {
    const auto tokens = numbers(batch, "tokens"), places = numbers(batch, "places"),
               targets = numbers(batch, "targets"), offsets = numbers(batch, "offsets");
    EXPECT_EQ(places.size(), tokens.size() - (offsets.size() - 1));
    for (std::size_t i = 0; i < places.size(); ++i) EXPECT_EQ(targets[i], tokens[places[i] + 1]);
  }
}

TEST_F(Pretraining, AfterSeekingTheSameBatchesFollow) {
  PretrainingSource one = source(settings()), two = source(settings());
  for (int step = 0; step < 40; ++step) (void)one.next();
  two.seek(one.position());
  for (int step = 0; step < 40; ++step) {
    const auto a = one.next(), b = two.next();
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(same(a[i], b[i]));
  }
}

TEST_F(Pretraining, RanksShareWhatOneWouldHave) {
  PretrainingSource alone = source(settings());
  for (std::int64_t rank = 0; rank < 2; ++rank) {
    PretrainingSettings shared = settings();
    shared.rank = rank;
    shared.ranks = 2;
    PretrainingSource mine = source(shared), all = source(settings());
    for (int step = 0; step < 10; ++step) {
      const auto part = mine.next(), whole = all.next();
      ASSERT_EQ(part.size(), 1);
      EXPECT_TRUE(same(part[0], whole[static_cast<std::size_t>(rank)]));
    }
  }
}

TEST_F(Pretraining, AnotherSeedIsAnotherOrderAndFingerprint) {
  PretrainingSettings other = settings();
  other.seed = 2;
  PretrainingSource one = source(settings()), two = source(other), three = source(settings());
  EXPECT_FALSE(same(one.next()[0], two.next()[0]));
  EXPECT_NE(one.fingerprint(), two.fingerprint());
  EXPECT_EQ(one.fingerprint(), three.fingerprint());
}

TEST_F(Pretraining, ImpossibleSizesAreRefused) {
  PretrainingSettings wrong = settings();
  wrong.max_length = 500;
  try {
    (void)source(wrong);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::InvalidArgument);
    EXPECT_NE(std::string(error.what()).find("micro-batch (128), found 500"), std::string::npos);
  }
}

TEST(LearningRate, RisesThenFallsToATenthByACosine) {
  TrainingOptions options;
  options.learning_rate = 1;
  options.warmup_steps = 10;
  options.steps = 110;
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 1), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 10), 1);
  EXPECT_NEAR(learning_rate_at(options, 60), 0.55, 1e-12);
  EXPECT_NEAR(learning_rate_at(options, 110), 0.1, 1e-12);
  options.schedule = "linear";
  EXPECT_NEAR(learning_rate_at(options, 60), 0.5, 1e-12);
  EXPECT_NEAR(learning_rate_at(options, 110), 0, 1e-12);
  options.schedule = "constant";
  EXPECT_DOUBLE_EQ(learning_rate_at(options, 110), 1);
}

}  // namespace
}  // namespace aceso::lm
