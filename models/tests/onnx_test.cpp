#include "onnx.hpp"
#include "random_model.hpp"

#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/nn/tokenizer.hpp"
#include "aceso/nn/transformer.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <random>

namespace aceso::models {
namespace {
namespace fs = std::filesystem;

nn::ModelFolder write_model(const fs::path& path, const nn::TransformerSpec& spec) {
  nn::test::write_random_model(path, spec, nn::Tokenizer::esm(), 3);
  return nn::ModelFolder(path);
}

const std::vector<std::vector<nn::Token>> kSequences{
    {0, 5, 8, 32, 20, 11, 2}, {0, 7, 2}, {0, 32, 9, 9, 32, 2}};
constexpr std::int64_t kLength = 7;

/// Sequences in rows, the shorter ones with padding behind them.
void write_inputs(const fs::path& path) {
  const auto count = static_cast<std::int64_t>(kSequences.size());
  Tensor tokens(DType::I32, {count, kLength}), mask(DType::I32, {count, kLength});
  for (std::size_t s = 0; s < kSequences.size(); ++s)
    for (std::size_t i = 0; i < kLength; ++i) {
      const bool there = i < kSequences[s].size();
      tokens.values<std::int32_t>()[s * kLength + i] = there ? kSequences[s][i] : 1;
      mask.values<std::int32_t>()[s * kLength + i] = there ? 1 : 0;
    }
  nn::write_tensor_file(path, {{"tokens", tokens}, {"attention_mask", mask}});
}

void expect_rows(const Tensor& padded, const Tensor& packed) {
  const std::int64_t width = packed.shape()[1];
  std::size_t row = 0;
  for (std::size_t s = 0; s < kSequences.size(); ++s)
    for (std::size_t i = 0; i < kSequences[s].size(); ++i, ++row)
      for (std::size_t d = 0; d < static_cast<std::size_t>(width); ++d)
        ASSERT_NEAR(padded.values<float>()[(s * kLength + i) * static_cast<std::size_t>(width) + d],
                    packed.values<float>()[row * static_cast<std::size_t>(width) + d], 2e-5);
}

std::string python() {
  for (const char* name : {"python3", "/usr/bin/python3"})
    if (std::system((std::string(name) + " -c 'import onnx, numpy' 2>/dev/null").c_str()) == 0)
      return name;
  return {};
}

nn::TransformerSpec small_spec() {
  return {.vocabulary = 33,
          .hidden = 24,
          .layers = 2,
          .heads = 3,
          .feed_forward = 40,
          .token_dropout = true,
          .mask_token = 32};
}

TEST(Onnx, AnotherProgramComputesTheSame) {
  const std::string interpreter = python();
  if (interpreter.empty()) GTEST_SKIP() << "python3-onnx is not there";
  nn::TransformerSpec learned = small_spec();
  learned.token_dropout = false;
  learned.positions = "learned";
  learned.max_length = 9;
  learned.head = "plain";
  learned.tied = false;
  nn::TransformerSpec headless = small_spec();
  headless.head = "none";
  const fs::path script = fs::current_path() / "run_onnx.py";
  for (const nn::TransformerSpec& spec : {small_spec(), learned, headless}) {
    const ScratchFolder folder{fs::temp_directory_path()};
    const nn::ModelFolder model = write_model(folder.path() / "model", spec);
    write_file(folder.path() / "m.onnx", onnx_encoder(model, 16));
    write_inputs(folder.path() / "in.safetensors");
    const std::string command =
        interpreter + " '" + script.string() + "' m.onnx in.safetensors out.safetensors";
    ASSERT_EQ(std::system(("cd '" + folder.path().string() + "' && " + command).c_str()), 0);
    const nn::Transformer net(model, nn::Precision::Fp32);
    nn::PackedTokens batch;
    for (const auto& sequence : kSequences) batch.add(sequence);
    const Tensor hidden = net.hidden(batch);
    const nn::TensorFile found(folder.path() / "out.safetensors");
    expect_rows(found.tensor("hidden"), hidden);
    EXPECT_EQ(found.contains("logits"), spec.head != "none");
    if (spec.head != "none") expect_rows(found.tensor("logits"), net.logits(hidden));
  }
}

TEST(Onnx, CausalModelsAreRefused) {
  nn::TransformerSpec spec = small_spec();
  spec.token_dropout = false;
  spec.causal = true;
  const ScratchFolder folder{fs::temp_directory_path()};
  const nn::ModelFolder model = write_model(folder.path() / "model", spec);
  try {
    (void)onnx_encoder(model, 16);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Errc::Unsupported);
    EXPECT_NE(std::string(error.what()).find("this model is causal"), std::string::npos);
  }
}

}  // namespace
}  // namespace aceso::models
