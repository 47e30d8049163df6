#include "esm.hpp"

#include "aceso/app/runner.hpp"
#include "aceso/core/error.hpp"
#include "aceso/core/files.hpp"
#include "aceso/nn/model_folder.hpp"
#include "apps.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <random>

namespace aceso::models {
namespace {
namespace fs = std::filesystem;

nn::TransformerSpec small_spec() {
  return {.vocabulary = 33,
          .hidden = 40,
          .layers = 2,
          .heads = 20,
          .feed_forward = 80,
          .token_dropout = true,
          .mask_token = 32};
}

/// A checkpoint of `spec` under the names that `foreign` gives.
nn::TensorSet checkpoint(const nn::TransformerSpec& spec,
                         std::string (*foreign)(const std::string&)) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  nn::TensorSet tensors;
  for (const nn::TensorInfo& info : spec.weights()) {
    Tensor tensor(DType::F32, info.shape);
    for (float& value : tensor.values<float>()) value = normal(random);
    EXPECT_NE(foreign(info.name), "") << info.name;
    tensors.emplace(foreign(info.name), tensor);
  }
  return tensors;
}

void expect_equal(const nn::TensorSet& a, const nn::TensorSet& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) {
    ASSERT_TRUE(b.contains(name)) << name;
    EXPECT_TRUE(std::ranges::equal(tensor.values<float>(), b.at(name).values<float>())) << name;
  }
}

TEST(Esm, NamesAreThePublishedOnes) {
  EXPECT_EQ(hugging_face_name("layers.3.attention.query.weight"),
            "esm.encoder.layer.3.attention.self.query.weight");
  EXPECT_EQ(hugging_face_name("layers.11.mlp.norm.bias"), "esm.encoder.layer.11.LayerNorm.bias");
  EXPECT_EQ(hugging_face_name("final_norm.weight"), "esm.encoder.emb_layer_norm_after.weight");
  EXPECT_EQ(fair_esm_name("layers.0.attention.norm.bias"), "layers.0.self_attn_layer_norm.bias");
  EXPECT_EQ(fair_esm_name("layers.0.mlp.down.weight"), "layers.0.fc2.weight");
  EXPECT_EQ(fair_esm_name("head.norm.weight"), "lm_head.layer_norm.weight");
}

TEST(Esm, BothFormsGiveTheSameModel) {
  const auto spec = small_spec();
  Warnings warnings;
  auto hugging_face = checkpoint(spec, hugging_face_name);
  hugging_face.emplace("esm.embeddings.position_ids", Tensor(DType::I64, {1, 1026}));
  nn::TensorSet fair;
  for (auto& [name, tensor] : checkpoint(spec, fair_esm_name))
    fair.emplace("model.encoder.sentence_encoder." + name, tensor);
  const Json config = hugging_face_config(spec, nn::Tokenizer::esm());
  const Imported one = from_hugging_face(config, std::nullopt, hugging_face, "a", warnings);
  const Imported two = from_fair_esm(nullptr, fair, 0, "b", warnings);
  EXPECT_EQ(one.spec.to_json(), two.spec.to_json());
  expect_equal(one.tensors, two.tensors);
  EXPECT_TRUE(warnings.counts().empty());
}

TEST(Esm, HeadsComeFromTheCheckpointsSettings) {
  Warnings warnings;
  const auto tensors = checkpoint(small_spec(), fair_esm_name);
  const Json settings{{"encoder_attention_heads", 10}};
  EXPECT_EQ(from_fair_esm(settings, tensors, 0, "b", warnings).spec.heads, 10);
  EXPECT_EQ(from_fair_esm(settings, tensors, 5, "b", warnings).spec.heads, 5);
}

TEST(Esm, AModelWithoutItsHeadStillEmbeds) {
  nn::TensorSet bare;
  for (auto& [name, tensor] : checkpoint(small_spec(), hugging_face_name))
    if (name.starts_with("esm.")) bare.emplace(name.substr(4), tensor);
  Warnings warnings;
  const Json config = hugging_face_config(small_spec(), nn::Tokenizer::esm());
  EXPECT_EQ(from_hugging_face(config, std::nullopt, bare, "a", warnings).spec.head, "none");
}

TEST(Esm, SaysWhatIsWrong) {
  const auto spec = small_spec();
  const auto problem = [&](Json config, nn::TensorSet tensors) {
    Warnings warnings;
    try {
      static_cast<void>(from_hugging_face(config, std::nullopt, tensors, "m", warnings));
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const Json config = hugging_face_config(spec, nn::Tokenizer::esm());
  const auto tensors = checkpoint(spec, hugging_face_name);
  EXPECT_EQ(problem(config, tensors), "");

  auto missing = tensors;
  missing.erase("esm.encoder.layer.1.output.dense.weight");
  EXPECT_EQ(problem(config, missing),
            "m: the tensor esm.encoder.layer.1.output.dense.weight is missing");
  auto misshapen = tensors;
  misshapen["lm_head.bias"] = Tensor(DType::F32, {32});
  EXPECT_EQ(problem(config, misshapen),
            "m: tensor lm_head.bias: expected the shape [33], found [32]");
  Json other = config;
  other["model_type"] = "bert";
  EXPECT_NE(problem(other, tensors).find("expected model_type esm"), std::string::npos);
  other = config;
  other["position_embedding_type"] = "absolute";
  EXPECT_NE(problem(other, tensors).find("rotary"), std::string::npos);
  other = config;
  other.erase("hidden_size");
  EXPECT_NE(problem(other, tensors).find("hidden_size: expected a whole number"),
            std::string::npos);
  other = config;
  other["num_attention_heads"] = 7;
  EXPECT_NE(problem(other, tensors).find("not a multiple of heads"), std::string::npos);
}

TEST(Esm, WarnsOfTensorsThatNobodyUses) {
  auto tensors = checkpoint(small_spec(), hugging_face_name);
  tensors.emplace("classifier.weight", Tensor(DType::F32, {2, 2}));
  Warnings warnings;
  const Json config = hugging_face_config(small_spec(), nn::Tokenizer::esm());
  static_cast<void>(from_hugging_face(config, std::nullopt, tensors, "m", warnings));
  ASSERT_EQ(warnings.counts().size(), 1U);
  EXPECT_EQ(warnings.counts()[0].kind, "weights.unused");
}

class AppsTest : public testing::Test {
 protected:
  [[nodiscard]] app::RunResult run(app::App described, const Json& json) const {
    app::AppTable table;
    table.add(std::move(described));
    const app::App& app = table.all().front();
    std::vector<app::Mistake> mistakes;
    const auto request =
        app::check_request(app.description, json, app::paths_of_this_machine(), mistakes);
    EXPECT_EQ(app::format_mistakes(mistakes), "");
    return app::run_app(app, request, {});
  }
  [[nodiscard]] std::string place(const char* name) const {
    return (folder_.path() / name).string();
  }

  ScratchFolder folder_{fs::temp_directory_path()};
};

TEST_F(AppsTest, ExportedModelsImportAgainBitEqual) {
  const auto spec = small_spec();
  fs::create_directory(place("hf"));
  nn::write_tensor_file(place("hf") + "/model.safetensors", checkpoint(spec, hugging_face_name));
  write_file(place("hf") + "/config.json", hugging_face_config(spec, nn::Tokenizer::esm()).dump());
  EXPECT_EQ(run(import_app(),
                {{"inputs", {{"weights", place("hf")}}}, {"outputs", {{"output", place("one")}}}})
                .exit_code(),
            0);
  EXPECT_EQ(run(export_app(),
                {{"inputs", {{"model", place("one")}}}, {"outputs", {{"output", place("out")}}}})
                .exit_code(),
            0);
  EXPECT_EQ(run(import_app(), {{"inputs", {{"weights", place("out")}}},
                               {"outputs", {{"output", place("two.model.tar")}}}})
                .exit_code(),
            0);
  const nn::ModelFolder one(place("one")), two(place("two.model.tar"));
  EXPECT_EQ(one.description().config, two.description().config);
  EXPECT_EQ(one.description().tokenizer, two.description().tokenizer);
  expect_equal(one.weights().all(), two.weights().all());
}

TEST_F(AppsTest, VerifyFailsOnABrokenModel) {
  nn::ModelDescription description;
  description.name = "broken";
  description.architecture = "transformer";
  description.config = small_spec().to_json();
  nn::ModelWriter writer(place("m"));
  writer.weights({{"final_norm.bias", Tensor(DType::U8, {3})}});
  writer.commit(description);
  const auto result = run(verify_app(), {{"inputs", {{"model", place("m")}}}});
  EXPECT_EQ(result.exit_code(), 3);
  EXPECT_NE(std::string(result.error->what()).find("embed.tokens.weight is missing"),
            std::string::npos);
}

}  // namespace
}  // namespace aceso::models
