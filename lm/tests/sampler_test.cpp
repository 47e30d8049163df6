#include "aceso/lm/sampler.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "philox.hpp"
#include "writing_models.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace aceso::lm {
namespace {

namespace fs = std::filesystem;

struct SamplerTest : testing::TestWithParam<std::string> {
  ScratchFolder folder{fs::temp_directory_path()};
  NextTokenModel model = made(folder.path() / "model", GetParam());
  Progress progress;

  static NextTokenModel made(const fs::path& path, const std::string& architecture) {
    test::write_writing_model(path, architecture);
    return NextTokenModel(path);
  }
  std::vector<Sample> drawn(std::uint64_t first, std::size_t count, const SamplingOptions& options,
                            unsigned threads = 1) {
    return sample(model, first, count, options, threads, progress, {});
  }
};

void expect_same(const std::vector<Sample>& a, const std::vector<Sample>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].tokens, b[i].tokens) << i;
    ASSERT_EQ(a[i].finished, b[i].finished);
    ASSERT_EQ(a[i].log_likelihood, b[i].log_likelihood);
  }
}

TEST_P(SamplerTest, ASequenceDoesNotDependOnWhatIsDrawnBesideIt) {
  SamplingOptions options{.seed = 7, .max_length = 30};
  const auto all = drawn(0, 150, options);
  for (const std::size_t batch : {1U, 5U, 70U}) {
    options.batch = batch;
    expect_same(all, drawn(0, 150, options));
    expect_same(all, drawn(0, 150, options, 3));
  }
  const auto later = drawn(40, 10, options);
  expect_same({all.begin() + 40, all.begin() + 50}, later);
  options.seed = 8;
  EXPECT_NE(drawn(0, 1, options)[0].tokens, all[0].tokens);
}

TEST_P(SamplerTest, LikelihoodsOfSamplesAreThoseOfTheirTokens) {
  std::vector<std::vector<nn::Token>> sequences;
  std::vector<double> told;
  for (const Sample& one : drawn(0, 200, {.temperature = 1.3, .top_k = 15, .max_length = 39})) {
    if (!one.finished) continue;
    sequences.push_back(one.tokens);
    told.push_back(one.log_likelihood);
  }
  ASSERT_GT(sequences.size(), 20U);
  const auto computed = log_likelihoods(model, sequences, 2, progress, {});
  for (std::size_t i = 0; i < told.size(); ++i) ASSERT_NEAR(told[i], computed[i], 1e-5);
}

TEST_P(SamplerTest, SamplesBeginWithThePrefixAndEndAtTheLimit) {
  const auto prefix = model.tokenizer().encode("c1ccccc1", false);
  const auto samples = drawn(0, 50, {.max_length = 12, .prefix = prefix});
  std::size_t cut = 0;
  for (const Sample& one : samples) {
    ASSERT_LE(one.tokens.size(), 12U);
    ASSERT_GE(one.tokens.size(), prefix.size());
    EXPECT_TRUE(std::equal(prefix.begin(), prefix.end(), one.tokens.begin()));
    for (const nn::Token token : one.tokens) EXPECT_TRUE(model.tokenizer().is_plain(token));
    if (one.finished) continue;
    ++cut;
    EXPECT_EQ(one.tokens.size(), 12U);
  }
  EXPECT_GT(cut, 0U);
}

TEST_P(SamplerTest, AtTemperatureZeroAllAreTheSame) {
  const auto samples = drawn(0, 5, {.temperature = 0, .max_length = 20});
  for (const Sample& one : samples) EXPECT_EQ(one.tokens, samples[0].tokens);
}

TEST_P(SamplerTest, RefusesOptionsOutsideTheirRange) {
  EXPECT_THROW((void)drawn(0, 1, {.temperature = -1}), Error);
  EXPECT_THROW((void)drawn(0, 1, {.top_p = 0}), Error);
  EXPECT_THROW((void)drawn(0, 1, {.max_length = 2, .prefix = {7, 7, 7}}), Error);
  const std::vector<std::vector<nn::Token>> strange{{100}};
  EXPECT_THROW((void)log_likelihoods(model, strange, 1, progress, {}), Error);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW((void)sample(model, 0, 1, {}, 1, progress, stop.get_token()), Error);
}

INSTANTIATE_TEST_SUITE_P(All, SamplerTest, testing::Values("transformer", "lstm"),
                         [](const auto& tested) { return tested.param; });

TEST(Sampler, LikelihoodsOfATransformerAreThoseOfItsWholeSequences) {
  const ScratchFolder folder(fs::temp_directory_path());
  test::write_writing_model(folder.path() / "model", "transformer");
  const NextTokenModel model(folder.path() / "model");
  const nn::Transformer net(nn::ModelFolder(folder.path() / "model"), nn::Precision::Fp32);
  std::vector<std::vector<nn::Token>> sequences;
  for (const char* smiles : {"CCO", "c1ccccc1", "", "N#CC=C"})
    sequences.push_back(model.tokenizer().encode(smiles, false));
  Progress progress;
  const auto told = log_likelihoods(model, sequences, 1, progress, {});
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    std::vector<nn::Token> read{model.tokenizer().begin()}, next = sequences[s];
    read.insert(read.end(), next.begin(), next.end());
    next.push_back(model.tokenizer().end());
    nn::PackedTokens batch;
    batch.add(read);
    const Tensor logits = net.logits(net.hidden(batch));
    const auto width = static_cast<std::size_t>(model.tokenizer().size());
    double expected = 0;
    for (std::size_t t = 0; t < next.size(); ++t) {
      double total = 0;
      const float* row = logits.values<float>().data() + t * width;
      for (std::size_t v = 0; v < width; ++v) total += std::exp(double{row[v]});
      expected += row[next[t]] - std::log(total);
    }
    EXPECT_NEAR(told[s], expected, 1e-4);
  }
}

/// How often each token comes when `uniform` passes through [0, 1) evenly.
std::vector<double> shares(const std::vector<float>& logits, const std::vector<bool>& allowed,
                           const SamplingOptions& options) {
  constexpr int kSteps = 10'000;
  std::vector<double> counts(logits.size(), 0.0);
  for (int i = 0; i < kSteps; ++i)
    counts[static_cast<std::size_t>(draw(logits, allowed, options, (i + 0.5) / kSteps))] +=
        1.0 / kSteps;
  return counts;
}

TEST(Draw, FollowsTheSoftmaxOfWhatIsAllowed) {
  const std::vector<float> logits{1.0F, 3.0F, -1.0F, 2.0F, 0.5F};
  const std::vector<bool> allowed{true, false, true, true, true};
  for (const double temperature : {0.5, 1.0, 2.0}) {
    double total = 0;
    for (std::size_t i = 0; i < logits.size(); ++i)
      if (allowed[i]) total += std::exp(logits[i] / temperature);
    const auto found = shares(logits, allowed, {.temperature = temperature});
    for (std::size_t i = 0; i < logits.size(); ++i)
      EXPECT_NEAR(found[i], allowed[i] ? std::exp(logits[i] / temperature) / total : 0.0, 2e-4);
  }
}

TEST(Draw, KeepsTheLikeliest) {
  const std::vector<float> logits{std::log(0.1F), std::log(0.4F), std::log(0.2F), std::log(0.3F)};
  const std::vector<bool> allowed(4, true);
  const auto by_count = shares(logits, allowed, {.top_k = 2});
  EXPECT_NEAR(by_count[1], 4.0 / 7, 2e-4);
  EXPECT_NEAR(by_count[3], 3.0 / 7, 2e-4);
  const auto by_share = shares(logits, allowed, {.top_p = 0.75});
  EXPECT_EQ(by_share[0], 0);
  EXPECT_NEAR(by_share[2], 2.0 / 9, 2e-4);
  EXPECT_NEAR(shares(logits, allowed, {.top_p = 1e-9})[1], 1, 1e-9);
  EXPECT_EQ(draw(std::vector<float>{1, 2, 2}, {true, true, true}, {.temperature = 0}, 0.99), 1);
}

TEST(Philox, GivesItsPublishedNumbers) {
  // The known answers of Random123, kat_vectors, philox4x32-10.
  EXPECT_EQ(philox({0, 0}, {0, 0, 0, 0}),
            (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0U, ~0U}, {~0U, ~0U, ~0U, ~0U}),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  std::set<double> seen;
  for (const std::uint64_t seed : {1ULL, 1ULL << 40})
    for (std::uint64_t number = 0; number < 30; ++number)
      for (std::uint64_t place = 0; place < 30; ++place) {
        const double u = uniform(seed, number, place);
        EXPECT_GE(u, 0);
        EXPECT_LT(u, 1);
        seen.insert(u);
      }
  EXPECT_EQ(seen.size(), 1800U);
}

TEST(NextTokenModel, RefusesModelsThatOnlyRead) {
  const ScratchFolder folder(fs::temp_directory_path());
  nn::TransformerSpec spec = test::causal_spec();
  spec.causal = false;
  test::write_random_model(folder.path() / "m", "transformer", spec);
  try {
    const NextTokenModel model(folder.path() / "m");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::Unsupported);
    EXPECT_NE(std::string(error.what()).find("found one that reads only"), std::string::npos);
  }
}

}  // namespace
}  // namespace aceso::lm
